"""Run lengths as text: the same as others write, and never believed without a look."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco_masks

from synapse_sdk.formats.coco.rle import area_of_counts, compressed, is_valid_counts, runs_of

ROWS = st.lists(st.lists(st.booleans(), min_size=7, max_size=7), min_size=1, max_size=40)


@settings(deadline=None)
@given(rows=ROWS)
def test_the_text_is_that_of_pycocotools(rows: list[list[bool]]) -> None:
    """To the byte, in both directions."""
    pixels = np.asfortranarray(np.array(rows, np.uint8))
    rle = coco_masks.encode(pixels)
    counts = rle["counts"]
    assert isinstance(counts, bytes)

    runs = runs_of(counts)

    assert is_valid_counts(counts, 7, len(rows))
    assert compressed(runs) == counts
    assert area_of_counts(counts) == pixels.sum()


@settings(deadline=None)
@given(runs=st.lists(st.integers(0, 2**31), min_size=1, max_size=30))
def test_any_runs_come_back(runs: list[int]) -> None:
    """However long they are."""
    assert runs_of(compressed(runs)) == runs


@pytest.mark.parametrize(
    ("counts", "width", "height"),
    [
        (b"", 0, 0),
        (b"", 1, 1),
        (b"0", 0, 0),
        (b"0", 1, 1),
        (b"05", 1, 4),
        (b"05P", 1, 5),
        (b"/5", 1, 5),
        (b"0p5", 1, 5),
        (b"05\x00", 1, 5),
        (b"PPPPPPPP05", 1, 5),
        (b"5O1", 1, 5),
        (b"5", -1, -5),
        (compressed([2**31]), 2**16, 2**15),
    ],
)
def test_what_does_not_add_up_is_not_believed(counts: bytes, width: int, height: int) -> None:
    """Characters of another kind, numbers without an end or too long, runs below nothing, and too many pixels."""
    assert not is_valid_counts(counts, width, height)


def test_a_long_text_takes_time_in_proportion() -> None:
    """Several million characters, whether they mean something or not."""
    runs = [1] * 2_000_000

    assert is_valid_counts(compressed(runs), 2000, 1000)
    assert not is_valid_counts(b"o" * 5_000_000, 2000, 1000)
    assert not is_valid_counts(b"o" * 5_000_000 + b"0", 2000, 1000)

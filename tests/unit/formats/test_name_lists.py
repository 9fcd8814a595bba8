"""Long lists of names: in order, found, and little."""

import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synapse_sdk.formats import name_lists
from synapse_sdk.formats.images import images_below
from synapse_sdk.formats.name_lists import NameList, NameSet

NAMES = st.binary(max_size=8).map(os.fsdecode) | st.text("aB.-/é한", max_size=8)
"""What the system may call a file: not all of it is UTF-8."""


@given(st.lists(NAMES))
def test_names_are_kept_as_they_are(names: list[str]) -> None:
    """Whatever bytes they hold, and in their order."""
    kept = NameList(names)

    assert [*kept] == names
    assert [kept[number] for number in range(len(kept))] == names
    with pytest.raises(IndexError, match=f"no name {len(names)} among {len(names)}"):
        kept[len(names)]


@given(st.lists(st.text("aB.-/é한", max_size=5), unique=True), st.text("aB.-/é한", max_size=3))
def test_sorted_names_are_found(names: list[str], beginning: str) -> None:
    """Runs of three are sorted one after the other, and merged."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(name_lists, "RUN", 3)
        kept = NameList.in_order(names)
        there = NameSet(names)

    assert [*kept] == sorted(names)
    assert [kept.find(name) for name in sorted(names)] == [*range(len(names))]
    assert [*kept.starting_with(beginning)] == [name for name in sorted(names) if name.startswith(beginning)]
    assert (kept.find(beginning) >= 0) == (beginning in names) == (beginning in there)
    assert len(there) == len(kept) == len(names)


def test_images_of_a_folder_take_little_more_than_their_letters(tmp_path: Path) -> None:
    """A list of names takes three times as much, and one of pairs of name and path six times."""
    names = [f"{number:012}.jpg" for number in range(2000)]
    for name in names:
        (tmp_path / name).touch()

    found = images_below(tmp_path).found

    assert [*found] == names
    kept = sum(sys.getsizeof(each) for each in vars(found).values())
    assert kept < 1.5 * sum(map(len, names))

"""What readers find of stretches of a dataset is together what one finds of all of it."""

import tempfile
from collections.abc import Sequence
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synapse_sdk.errors import InvalidDatasetError
from synapse_sdk.formats import FormatOptions, LossLog, Reader, convert
from synapse_sdk.formats.sources import open_datasets
from tests.property.datasets import Dataset, datasets, read_dataset
from tests.property.test_conversion_laws import written

MARKS = st.lists(st.floats(0, 1), max_size=3).map(lambda inner: [0.0, *sorted(inner), 1.0])
"""Where stretches begin and end."""


def surveyed(readers: Sequence[Reader], marks: Sequence[float]) -> list[bytes]:
    """Let each reader survey one stretch, and return what they find."""
    return [reader.survey(*stretch) for reader, stretch in zip(readers, pairwise(marks), strict=True)]


def read_by_several(folders: Sequence[Path], name: str, marks: Sequence[float]) -> tuple[Dataset, Dataset]:
    """Read a dataset by one that finds out all alone, and by one that is told what others have found."""
    with LossLog() as losses:

        def opened() -> Reader:
            return open_datasets(folders, name, FormatOptions(), losses)[0]

        others = [opened() for _ in pairwise(marks)]
        with closing(opened()) as alone, closing(opened()) as told:
            told.know(surveyed(others, marks))
            found = read_dataset(alone), read_dataset(told)
        for each in others:
            each.close()
        return found


@pytest.mark.parametrize("name", ["dm_v1", "dm_v2", "coco", "pascal"])
@settings(max_examples=15)
@given(dataset=datasets(max_items=6), marks=MARKS)
def test_who_is_told_reads_what_others_do(name: str, dataset: Dataset, marks: Sequence[float]) -> None:
    """Classes, joints in their order, splits, and all items."""
    with tempfile.TemporaryDirectory() as folder:
        source = written(dataset, "dm_v2", Path(folder))
        if name != "dm_v2":
            target = Path(folder) / name
            try:
                convert(source, target, to=name)
            except InvalidDatasetError:  # nothing of it can be written so
                return
            source = target

        alone, told = read_by_several([source], name, marks)

    assert told == alone


@settings(max_examples=10)
@given(pair=st.tuples(datasets(splits=False), datasets(splits=False)), marks=MARKS)
def test_who_is_told_reads_several_datasets_as_others_do(pair: tuple[Dataset, Dataset], marks: Sequence[float]) -> None:
    """Each of them is told what was found of its own dataset."""
    with tempfile.TemporaryDirectory() as folder:
        places = [Path(folder) / each for each in ("one", "other")]
        for place in places:
            place.mkdir()
        sources = [written(dataset, "dm_v2", place) for dataset, place in zip(pair, places, strict=True)]
        try:
            alone, told = read_by_several(sources, "dm_v2", marks)
        except InvalidDatasetError:  # joints of one class that do not agree
            return

    assert told == alone

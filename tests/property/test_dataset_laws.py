"""The datasets that other tests work with are what they promise, and no difference between two is missed."""

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from synapse_sdk.formats.base import BoundsPolicy, ExifPolicy
from synapse_sdk.formats.bounds import Fitter
from synapse_sdk.formats.images import ImageSizes, images_below, is_safe_name
from synapse_sdk.formats.losses import LossLog
from synapse_sdk.formats.model import Annotation, Box, Item, Tool, tools_of
from tests.property.dataset_equality import Expected, assert_equal_within, differences
from tests.property.datasets import UNHURRIED, Dataset, datasets

EXACT = Expected(tolerance_px=0, ids=True)


@UNHURRIED
@given(dataset=datasets())
def test_everything_is_inside_of_its_image_and_has_an_extent(dataset: Dataset) -> None:
    """Nothing is cut or dropped by writers, so that any difference is one."""
    losses = LossLog()
    fitter = Fitter(BoundsPolicy.ERROR, losses)

    for item in dataset.items:
        assert [fitter.fit(item, each) for each in item.annotations] == item.annotations
        assert [each.id for each in item.annotations] == [str(n + 1) for n in range(len(item.annotations))]
        assert is_safe_name(item.name)
    assert not losses.reasons


@UNHURRIED
@given(dataset=datasets(tools={Tool.BOX, Tool.POLYGON}, splits=False, folders=False, parts=False, holes=False))
def test_datasets_have_only_what_was_asked_for(dataset: Dataset) -> None:
    """A format that lacks the rest is tested with what it has."""
    assert dataset.info.splits == ()
    for item in dataset.items:
        assert item.split == ""
        assert "/" not in item.name
        assert all({*tools_of(each)} <= {Tool.BOX, Tool.POLYGON} for each in item.annotations)


@UNHURRIED
@given(dataset=datasets())
def test_images_are_written_as_they_are_said_to_be(dataset: Dataset) -> None:
    """Under their names, of their sizes."""
    with tempfile.TemporaryDirectory() as folder:
        placed, sizes = dataset.with_images(Path(folder)), ImageSizes()

        names = sorted(f"{item.split}/{item.name}".lstrip("/") for item in dataset.items)
        assert [*images_below(Path(folder)).found] == names
        for item in placed.items:
            assert sizes.facts(item.path).shown(ExifPolicy.APPLY) == (item.width, item.height)
        assert_equal_within(placed, placed)


@UNHURRIED
@given(dataset=datasets())
def test_a_dataset_is_equal_to_itself_in_any_order(dataset: Dataset) -> None:
    """Annotations and items may come in another one."""
    items = [msgspec.structs.replace(item, annotations=item.annotations[::-1]) for item in dataset.items]

    assert_equal_within(dataset, replace(dataset, items=tuple(items[::-1])), expected=EXACT)


def moved(annotation: Annotation) -> Annotation:
    """Return an annotation whose box is a pixel further."""
    box = annotation.box
    assume(box is not None)
    assert box is not None
    return msgspec.structs.replace(annotation, box=Box(box.x + 1, box.y, box.width, box.height))


CHANGES: dict[str, Callable[[Annotation], Annotation]] = {
    "label": lambda each: msgspec.structs.replace(each, label=each.label + "x"),
    "box moved by 1": moved,
    "tools": lambda each: msgspec.structs.replace(each, box=None if each.box else Box(0, 0, 1, 1)),
    "attributes": lambda each: msgspec.structs.replace(each, attributes={**each.attributes, "new": 1}),
    "crowd": lambda each: msgspec.structs.replace(each, is_crowd=not each.is_crowd),
    "id": lambda each: msgspec.structs.replace(each, id="x"),
}


@pytest.mark.parametrize("change", CHANGES)
@settings(UNHURRIED, max_examples=25)  # of each change
@given(dataset=datasets(max_items=1, tools={Tool.BOX, Tool.POLYGON, Tool.MASK}), data=st.data())
def test_no_difference_is_missed(change: str, dataset: Dataset, data: st.DataObject) -> None:
    """And it is called by its name."""
    (item,) = dataset.items
    assume(item.annotations)
    at = data.draw(st.integers(0, len(item.annotations) - 1))
    annotations = [*item.annotations]
    annotations[at] = CHANGES[change](annotations[at])

    found = [*differences(dataset, with_annotations(dataset, item, annotations), EXACT)]

    assert any(change in each for each in found)


@UNHURRIED
@given(dataset=datasets(max_items=1), other=datasets(max_items=1))
def test_different_datasets_are_told_apart(dataset: Dataset, other: Dataset) -> None:
    """Whichever they are."""
    is_equal = dataset == other

    assert not [*differences(dataset, other, EXACT)] or not is_equal


@UNHURRIED
@given(dataset=datasets(max_items=1))
def test_annotations_that_are_lost_or_made_up_are_told(dataset: Dataset) -> None:
    """In either direction."""
    (item,) = dataset.items
    assume(item.annotations and len({*map(repr, item.annotations)}) == len(item.annotations))
    fewer = with_annotations(dataset, item, item.annotations[1:])

    assert any("is missing" in each for each in differences(dataset, fewer, Expected()))
    assert any("is new" in each for each in differences(fewer, dataset, Expected()))
    with pytest.raises(AssertionError, match="annotation 1 is missing"):
        assert_equal_within(dataset, fewer, expected=EXACT)


def with_annotations(dataset: Dataset, item: Item, annotations: list[Annotation]) -> Dataset:
    """Return a dataset of one item with other annotations."""
    return replace(dataset, items=(msgspec.structs.replace(item, annotations=annotations),))

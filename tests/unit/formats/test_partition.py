"""New splits of a dataset."""

from collections import Counter

import pytest

from synapse_sdk.errors import ConfigurationError
from synapse_sdk.formats.model import Annotation, Box, Item
from synapse_sdk.formats.partition import partition, read_split_ratios


def items(count: int = 100) -> list[Item]:
    """Return items of which every tenth shows a rare class, and all others a common one."""
    return [
        Item(
            name=f"{number}.jpg",
            annotations=[Annotation(id="1", label="rare" if number % 10 == 0 else "common", box=Box(0, 0, 1, 1))],
        )
        for number in range(count)
    ]


def test_ratios_name_splits_in_their_usual_order() -> None:
    """And whatever alias was used."""
    assert [*read_split_ratios("test=10,validation=20,train=70")] == ["train", "valid", "test"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("train=0.5", "add up to 0.5"),
        ("train=0.5,train=0.5", "names train twice"),
        ("val=0.5,valid=0.5", "names valid twice"),
        ("../x=1", "cannot be called"),
        ("=1", "cannot be called"),
        ("train", "no number"),
    ],
)
def test_ratios_that_make_no_sense_are_refused(text: str, says: str) -> None:
    """By what is wrong with them."""
    with pytest.raises(ConfigurationError, match=says):
        read_split_ratios(text)


@pytest.mark.parametrize("stratified", [False, True])
def test_each_split_gets_its_share_and_the_same_every_time(stratified: bool) -> None:  # noqa: FBT001  # pytest's
    """In whichever order items come; another seed gives another split."""
    ratios = read_split_ratios("train=0.7,valid=0.2,test=0.1")

    found = partition(items(), ratios, seed=1, stratified=stratified)

    assert Counter(found.values()) == {"train": 70, "valid": 20, "test": 10}
    assert found == partition(reversed(items()), ratios, seed=1, stratified=stratified)
    assert found != partition(items(), ratios, seed=2, stratified=stratified)


def test_stratified_every_split_gets_its_share_of_a_rare_class() -> None:
    """Ten rare items come out as 7, 2 and 1."""
    ratios = read_split_ratios("train=0.7,valid=0.2,test=0.1")

    found = partition(items(), ratios, seed=3, stratified=True)

    assert Counter(found["", f"{number}.jpg"] for number in range(0, 100, 10)) == {"train": 7, "valid": 2, "test": 1}


def test_items_of_one_name_in_two_splits_are_two() -> None:
    """They are told apart by the split they had."""
    two = [Item(name="a.jpg", split="train"), Item(name="a.jpg", split="test")]

    found = partition(two, read_split_ratios("x=0.5,y=0.5"), seed=0, stratified=False)

    assert sorted(found.values()) == ["x", "y"]

"""Dividing data units among train, validation and test."""

from collections import Counter
from fractions import Fraction

import pytest

from synapse_sdk.backend import Category
from synapse_sdk.backend.splits import (
    read_ratios,
    read_rule,
    split_by_column,
    split_by_rules,
)
from synapse_sdk.errors import ConfigurationError
from synapse_sdk.ratios import split_by_ratios

KEYS = [f"photo {number}" for number in range(1000)]
THREE = read_ratios("train=0.8,validation=0.1,test=0.1")


def test_a_split_is_the_same_on_every_machine() -> None:
    """It depends on seed and keys alone; these values must never change, or all splits do."""
    split = split_by_ratios(["a", "b", "c", "d", "e"], read_ratios("train=60,test=40"), seed=7)

    assert [key for key, category in sorted(split.items()) if category is Category.TEST] == ["a", "b"]


def test_another_seed_gives_another_split_of_the_same_sizes() -> None:
    """And nothing else does."""
    first, second = split_by_ratios(KEYS, THREE, seed=1), split_by_ratios(KEYS, THREE, seed=2)

    assert first != second
    assert first == split_by_ratios(reversed(KEYS), THREE, seed=1)
    assert Counter(first.values()) == Counter(second.values()) == {"train": 800, "validation": 100, "test": 100}


@pytest.mark.parametrize(
    "text", ["train=0.7,test=0.3", "train=70,test=30", "train=7/10, test = 3/10", "train=.7,test=.3"]
)
def test_shares_are_parts_of_one_or_of_a_hundred(text: str) -> None:
    """In whichever way they are written."""
    assert read_ratios(text) == {Category.TRAIN: Fraction(7, 10), Category.TEST: Fraction(3, 10)}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("train=0.8,test=0.1", "add up to 0.9. Let them add up to 1"),
        ("train=0.8,tset=0.2", "no category 'tset'. Did you mean 'test'"),
        ("train=0.5,train=0.5", "names train twice"),
        ("train=1,test=0", "'test=0' is no number above 0"),
        ("train=-1,test=2", "'train=-1' is no number above 0"),
        ("train=1/0", "is no number above 0"),
        ("train=1e999999999", "is no number above 0"),
        ("train=nan", "is no number above 0"),
        ("train", "'train' is no number above 0"),
        ("", "no category ''"),
    ],
)
def test_shares_that_cannot_be_are_refused(text: str, says: str) -> None:
    """The error names what was found and what is wanted."""
    with pytest.raises(ConfigurationError, match=says):
        read_ratios(text)


def test_the_first_rule_that_fits_counts() -> None:
    """A pattern may hold an equals sign; letters match however they are composed; what none fits is left out."""
    rules = [read_rule(text) for text in ("day=1/*=test", "한*=validation", "day*=train")]

    split = split_by_rules(["day=1/a", "day=2/a", "\u1112\u1161\u11ab", "night/a"], rules)

    assert split == {
        "day=1/a": Category.TEST,
        "day=2/a": Category.TRAIN,
        "\u1112\u1161\u11ab": Category.VALIDATION,
    }


@pytest.mark.parametrize(("text", "says"), [("test", "has no pattern"), ("*=tst", "Did you mean 'test'")])
def test_a_rule_names_pattern_and_category(text: str, says: str) -> None:
    """One that does not is refused."""
    with pytest.raises(ConfigurationError, match=says):
        read_rule(text)


def test_metadata_may_say_what_a_unit_is_for() -> None:
    """Units of which it says nothing, or something else, are left out."""
    metas = {"a": {"part": " Train "}, "b": {"part": "test"}, "c": {"part": "val"}, "d": {"x": "test"}}

    assert split_by_column(metas, "part") == {"a": Category.TRAIN, "b": Category.TEST}

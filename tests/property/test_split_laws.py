"""What holds for every split of data units, by ratios and by rules."""

import random
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from synapse_sdk.backend import Category
from synapse_sdk.backend.splits import Rule, split_by_rules
from synapse_sdk.ratios import sizes, split_by_ratios

KEYS = st.sets(st.text(max_size=12), max_size=60)
SEEDS = st.integers(-(2**70), 2**70)


@st.composite
def ratios(draw: st.DrawFn) -> dict[Category, Fraction]:
    """Ratios of some categories, which add up to 1."""
    categories = draw(st.lists(st.sampled_from(tuple(Category)), min_size=1, unique=True))
    parts = draw(st.lists(st.integers(1, 1000), min_size=len(categories), max_size=len(categories)))
    return {category: Fraction(part, sum(parts)) for category, part in zip(categories, parts, strict=True)}


@given(count=st.integers(0, 10**9), parts=ratios())
def test_the_parts_add_up(count: int, parts: dict[Category, Fraction]) -> None:
    """Nobody is forgotten, and each category is less than one unit away from its ratio."""
    found = sizes(count, parts)

    assert sum(found.values()) == count
    assert all(abs(found[category] - count * ratio) < 1 for category, ratio in parts.items())


@given(keys=KEYS, parts=ratios(), seed=SEEDS, order=st.randoms(use_true_random=False))
def test_the_same_units_are_split_alike(
    keys: set[str], parts: dict[Category, Fraction], seed: int, order: random.Random
) -> None:
    """Whatever their order, each unit is in one part, and the parts have their sizes."""
    shuffled = sorted(keys)
    order.shuffle(shuffled)

    split = split_by_ratios(keys, parts, seed=seed)

    assert split == split_by_ratios(shuffled, parts, seed=seed)
    assert split.keys() == keys
    found = {category: list(split.values()).count(category) for category in parts}
    assert found == sizes(len(keys), parts)


@given(keys=KEYS, parts=ratios(), seed=SEEDS)
def test_one_unit_more_moves_no_unit_further_than_the_next_part(
    keys: set[str], parts: dict[Category, Fraction], seed: int
) -> None:
    """A collection that grows keeps nearly all of its split: at most two units change at each border."""
    grown = {*keys, "one more"}
    before, after = split_by_ratios(keys, parts, seed=seed), split_by_ratios(grown, parts, seed=seed)

    moved = [key for key in keys if before[key] is not after[key]]

    assert len(moved) <= 2 * (len(parts) - 1)


@given(keys=st.sets(st.text("ab/", max_size=6), max_size=40), category=st.sampled_from(tuple(Category)))
def test_a_last_rule_for_all_leaves_nobody_out(keys: set[str], category: Category) -> None:
    """What rules before it have said stays."""
    first = Rule(pattern="a*", category=Category.TEST)

    split = split_by_rules(keys, [first, Rule(pattern="*", category=category)])

    assert split.keys() == keys
    assert all(split[key] is (Category.TEST if key.startswith("a") else category) for key in keys)

import pytest

from synapse_sdk.errors import InvalidDatasetError
from synapse_sdk.formats.splits import canonical_split, canonical_splits, in_order


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("train", "train"),
        ("Train", "train"),
        ("valid", "valid"),
        ("val", "valid"),
        ("VAL", "valid"),
        ("VALID", "valid"),
        ("validation", "valid"),
        ("Test", "test"),
        ("Holdout", "Holdout"),
        ("valide", "valide"),
        ("", ""),
    ],
)
def test_a_split_has_one_name(name: str, expected: str) -> None:
    """Defect 12: whichever of its names a dataset has; others stay as they are."""
    assert canonical_split(name) == expected


def test_splits_come_in_the_usual_order() -> None:
    """N2: others behind them, by name, and none that the dataset does not have."""
    found = canonical_splits({"b": 1, "test": 2, "validation": 3, "a": 4, "train": 5}, "birds")

    assert [*found.items()] == [("train", 5), ("valid", 3), ("test", 2), ("a", 4), ("b", 1)]
    assert canonical_splits({"a": 1}, "birds") == {"a": 1}
    assert canonical_splits([], "birds") == {}
    assert in_order(["b", "valid", "", "train"]) == ["train", "valid", "", "b"]


@pytest.mark.parametrize("names", [("val", "valid"), ("valid", "validation"), ("train", "Train"), ("a", "a")])
def test_two_names_of_one_split_are_refused(names: tuple[str, str]) -> None:
    """The alias rule: the error names both, and the dataset."""
    with pytest.raises(InvalidDatasetError, match=f"'birds' has both '{names[0]}' and '{names[1]}'"):
        canonical_splits([(name, 0) for name in names], "birds")

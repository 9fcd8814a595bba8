"""The names of splits: one dataset may say `val`, `valid` or `validation`, and means one thing."""

from collections.abc import Iterable, Mapping

from synapse_sdk.errors import InvalidDatasetError

__all__ = ["SPLITS", "canonical_split", "canonical_splits", "in_order"]

SPLITS = ("train", "valid", "test")
"""The usual ones, in the order in which they are read and written; others come behind them, by name."""
ALIASES = {"val": "valid", "validation": "valid", **{name: name for name in SPLITS}}


def canonical_split(name: str) -> str:
    """Return the one name of a split; of the usual ones in any case, of others as it is.

    Example:
        >>> canonical_split("Validation"), canonical_split("TRAIN"), canonical_split("Holdout")
        ('valid', 'train', 'Holdout')
    """
    return ALIASES.get(name.lower(), name)


def canonical_splits[T](found: Mapping[str, T] | Iterable[tuple[str, T]], where: str) -> dict[str, T]:
    """Return what belongs to each split under its one name, in the usual order.

    Args:
        found: What belongs to which name.
        where: The dataset, for errors.

    Raises:
        InvalidDatasetError: Two names mean one split.
    """
    pairs = found.items() if isinstance(found, Mapping) else found
    names: dict[str, str] = {}
    values: dict[str, T] = {}
    for name, value in pairs:
        split = canonical_split(name)
        if split in names:
            msg = f"Dataset {where!r} has both {names[split]!r} and {name!r}, which are one split"
            raise InvalidDatasetError(msg, fix="Bring them together under one of the two names", path=where)
        names[split], values[split] = name, value
    return {split: values[split] for split in in_order(values)}


def in_order(splits: Iterable[str]) -> list[str]:
    """Return splits in the usual order.

    Example:
        >>> in_order(["test", "holdout", "train"])
        ['train', 'test', 'holdout']
    """
    return sorted(splits, key=_rank)


def _rank(split: str) -> tuple[int, str]:
    return (SPLITS.index(split) if split in SPLITS else len(SPLITS), split)

"""The names of splits: one dataset may say `val`, `valid` or `validation`, and means one thing."""

from collections.abc import Callable, Collection, Iterable, Mapping

from synapse_sdk.errors import ConfigurationError, InvalidDatasetError
from synapse_sdk.formats.images import is_safe_name

__all__ = ["SPLITS", "canonical_split", "canonical_splits", "in_order", "target_split"]

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


def target_split(
    name: str, known: Collection[str], title: str, is_reserved: Callable[[str], bool] = lambda _: False
) -> str:
    """Return the one name of a split that is to be written, which will be the name of a folder.

    Args:
        name: What an item calls its split; empty for none.
        known: What other items have called theirs.
        title: The format of the target, for errors.
        is_reserved: Whether the format has another use for a name.

    Raises:
        InvalidDatasetError: Some items are in a split, and others in none.
        ConfigurationError: It cannot be the name of a folder.
    """
    split = canonical_split(name)
    if known and bool(split) is ("" in known):
        msg = "Some items of the dataset are in a split, and others are not"
        raise InvalidDatasetError(msg, fix="Put all of them into splits, or none", split=name)
    if split and ("/" in split or not is_safe_name(split) or is_reserved(split)):
        msg = f"A split of a {title} dataset cannot be called {name!r}"
        raise ConfigurationError(msg, fix="Rename it", split=name)
    return split


def in_order(splits: Iterable[str]) -> list[str]:
    """Return splits in the usual order.

    Example:
        >>> in_order(["test", "holdout", "train"])
        ['train', 'test', 'holdout']
    """
    return sorted(splits, key=_rank)


def _rank(split: str) -> tuple[int, str]:
    return (SPLITS.index(split) if split in SPLITS else len(SPLITS), split)

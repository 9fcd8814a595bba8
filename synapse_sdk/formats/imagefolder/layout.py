"""Which folders are classes, which are splits, and what an image in one of them is called."""

import os
from collections.abc import Collection
from pathlib import Path

__all__ = ["SPLIT_NAMES", "class_of", "has_splits", "target_name"]

SPLIT_NAMES = frozenset(("train", "val", "valid", "validation", "test"))
"""Names of folders that may be splits, in lower case."""


def has_splits(folder: Path) -> bool:
    """Whether the folders of a dataset are splits, not classes.

    They are if all of them have names of splits, and there are folders in them: a class may be called `train`, too.
    """
    names = folders_of(os.fspath(folder))
    return (
        bool(names)
        and all(name.lower() in SPLIT_NAMES for name in names)
        and any(folders_of(f"{folder}/{name}") for name in names)
    )


def folders_of(folder: str) -> list[str]:
    """Return the names of the folders in a folder, sorted, without links and hidden ones."""
    with os.scandir(folder) as entries:
        return sorted(
            entry.name for entry in entries if entry.is_dir(follow_symlinks=False) and not entry.name.startswith(".")
        )


def class_of(place: str, classes: Collection[str] | None) -> str | None:
    """Return the class of the images in a folder; None if it is of none.

    Args:
        place: The folder, with slashes, below the dataset or its split.
        classes: The classes there are: that with the longest name that leads to the folder. None if nobody says:
            then each folder is one.

    Example:
        >>> class_of("animals/cat/cam1", {"animals", "animals/cat"}), class_of("animals/cat", None)
        ('animals/cat', 'animals/cat')
    """
    if classes is None:
        return place or None
    while place and place not in classes:
        place = place.rpartition("/")[0]
    return place or None


def target_name(name: str, label: str) -> str:
    """Return where an image goes: into the folder of its class, which its name may already say.

    Example:
        >>> target_name("a.png", "cat"), target_name("cat/a.png", "cat")
        ('cat/a.png', 'cat/a.png')
    """
    return name if name.startswith(f"{label}/") else f"{label}/{name}"

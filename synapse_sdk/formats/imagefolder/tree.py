"""What is in the folders of a dataset: images, and what is not read."""

import os
from dataclasses import dataclass, field

from synapse_sdk.formats.images import IMAGE_SUFFIXES, is_regular

__all__ = ["Tree", "read_tree"]


@dataclass(slots=True)
class Tree:
    """The images of a dataset or split."""

    images: dict[str, list[str]] = field(default_factory=dict)
    """For each folder with images, sorted, the names of its images, sorted."""
    links: list[str] = field(default_factory=list)
    """Links that are not followed."""
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    """Folders that cannot be read, each with the reason."""
    others: list[str] = field(default_factory=list)
    """One file of each kind that is not read."""


def read_tree(folder: str, leave_out: frozenset[str] = frozenset(), *, deep: bool = True) -> Tree:
    """Return what is below a folder.

    A link to a regular file that is named as an image, and is so where it is, counts as an image: it is what this
    package writes with `images=symlink`. All others are not followed: they may lead anywhere.

    Args:
        folder: The dataset or split.
        leave_out: Names of files directly in it that are of the format, not of the data.
        deep: Whether to look into folders.

    Raises:
        OSError: The folder itself cannot be read.
    """
    tree, kinds = Tree(), set()
    images: dict[str, list[str]] = {}
    waiting = [""]
    while waiting:
        place = waiting.pop()
        names: list[str] = []
        folders: list[str] = []
        try:
            entries = _entries(f"{folder}/{place}")
        except OSError as error:
            if not place:
                raise
            tree.unreadable.append((place, error.strerror or str(error)))
            continue
        for entry in entries:
            name = f"{place}/{entry.name}" if place else entry.name
            is_link = entry.is_symlink()
            if not is_link and entry.is_dir(follow_symlinks=False) and not entry.name.startswith("."):
                folders.append(name)
            elif _is_image(entry.name) and is_regular(entry) and not (is_link and _leads_elsewhere(entry)):
                names.append(entry.name)
            elif is_link:
                tree.links.append(name)
            elif (kind := _kind(entry.name)) not in kinds and name not in leave_out:
                kinds.add(kind)
                tree.others.append(name)
        waiting += reversed(folders) if deep else ()
        if names:
            images[place] = sorted(names)
    tree.images = {place: images[place] for place in sorted(images)}
    tree.links.sort()
    tree.unreadable.sort()
    tree.others.sort()
    return tree


def _entries(folder: str) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return sorted(entries, key=lambda each: each.name)


def _leads_elsewhere(link: os.DirEntry[str]) -> bool:
    return not _is_image(os.path.realpath(link.path))


def _is_image(name: str) -> bool:
    base = name.rpartition("/")[2]
    return os.path.splitext(base)[1].lower() in IMAGE_SUFFIXES and not base.startswith(".")  # noqa: PTH122  # hot


def _kind(name: str) -> str:
    """Return what files are reported as, once for all of them: their suffix, or that they are hidden."""
    return "." if name.startswith(".") else os.path.splitext(name)[1].lower()  # noqa: PTH122  # as above

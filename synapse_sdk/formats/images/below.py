"""Which images there are below a folder, and what is passed over there."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from synapse_sdk.formats.images.names import IMAGE_SUFFIXES, is_folder, is_regular, visible
from synapse_sdk.formats.images.reasons import SYMLINK, UNREADABLE_FOLDER, UNREADABLE_IMAGE
from synapse_sdk.formats.losses import Reason
from synapse_sdk.formats.name_lists import NameList

__all__ = ["Images", "PassedOver", "images_below", "why_not_followed"]


@dataclass(frozen=True, slots=True)
class PassedOver:
    """Something below a folder of images that may be an image, or have images in it, and is not looked at."""

    name: str
    """With slashes, relative to the folder."""
    path: str
    reason: Reason
    words: str


@dataclass(frozen=True, slots=True)
class Images:
    """What there is below a folder."""

    found: NameList
    """The name of each image, with slashes and relative to the folder, sorted."""
    passed_over: list[PassedOver]
    """Sorted by name."""


def images_below(folder: Path) -> Images:
    """Return the images below a folder.

    Hidden files are left out. Links to folders are not followed, so that none can lead in a circle; links to files are
    images if they are called so. A folder below that cannot be read is passed over.

    Raises:
        OSError: The folder itself cannot be read.
    """
    passed_over: list[PassedOver] = []
    found = NameList.in_order(_names_below(os.fspath(folder), passed_over))
    return Images(found, sorted(passed_over, key=lambda each: each.name))


def why_not_followed(link: os.DirEntry[str]) -> str:
    """Return why a link that leads to no file is not followed, in words."""
    if is_folder(link):
        return "it leads to a folder"
    try:
        link.stat()
    except OSError as error:
        return f"it cannot be followed: {error.strerror}"
    return "it leads to something that is no file"


def _names_below(folder: str, passed_over: list[PassedOver]) -> Iterator[str]:
    # A list of what is left, and no recursion: folders may be nested deeper than that goes.
    left = [(folder, "")]
    while left:
        path, above = left.pop()
        try:
            for entry in visible(path):
                yield from _name_of(entry, above + entry.name, left, passed_over)
        except OSError as error:
            if not above:
                raise
            words = error.strerror or str(error)
            passed_over.append(PassedOver(above.rstrip("/"), path, UNREADABLE_FOLDER, words))


def _name_of(
    entry: os.DirEntry[str], name: str, left: list[tuple[str, str]], passed_over: list[PassedOver]
) -> Iterator[str]:
    """Yield the name of an image. Folders are left for later, and what only might be an image is passed over."""
    is_called_image = entry.name[entry.name.rfind(".") :].lower() in IMAGE_SUFFIXES
    if entry.is_dir(follow_symlinks=False):
        left.append((entry.path, f"{name}/"))
    elif is_regular(entry):
        if is_called_image:
            yield name
    elif entry.is_symlink():
        passed_over.append(PassedOver(name, entry.path, SYMLINK, why_not_followed(entry)))
    elif is_called_image:
        passed_over.append(PassedOver(name, entry.path, UNREADABLE_IMAGE, "it is no file"))

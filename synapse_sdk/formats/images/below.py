"""Which images there are below a folder, and what is passed over there."""

import os
from dataclasses import dataclass
from pathlib import Path

from synapse_sdk.formats.images.names import IMAGE_SUFFIXES, is_folder, is_regular
from synapse_sdk.formats.images.reasons import SYMLINK, UNREADABLE_FOLDER, UNREADABLE_IMAGE
from synapse_sdk.formats.losses import Reason

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

    found: list[tuple[str, str]]
    """Name, with slashes and relative to the folder, and path of each image, sorted."""
    passed_over: list[PassedOver]
    """Sorted by name."""


def images_below(folder: Path) -> Images:
    """Return the images below a folder.

    Hidden files are left out. Links to folders are not followed, so that none can lead in a circle; links to files are
    images if they are called so. A folder below that cannot be read is passed over.

    Raises:
        OSError: The folder itself cannot be read.
    """
    images = Images([], [])
    # A list of what is left, and no recursion: folders may be nested deeper than that goes.
    left = [(os.fspath(folder), "")]
    while left:
        path, above = left.pop()
        try:
            entries = _visible(path)
        except OSError as error:
            if not above:
                raise
            words = error.strerror or str(error)
            images.passed_over.append(PassedOver(above.rstrip("/"), path, UNREADABLE_FOLDER, words))
            continue
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                left.append((entry.path, f"{above}{entry.name}/"))
            else:
                _add(images, entry, above + entry.name)
    images.found.sort()
    images.passed_over.sort(key=lambda each: each.name)
    return images


def why_not_followed(link: os.DirEntry[str]) -> str:
    """Return why a link that leads to no file is not followed, in words."""
    if is_folder(link):
        return "it leads to a folder"
    try:
        link.stat()
    except OSError as error:
        return f"it cannot be followed: {error.strerror}"
    return "it leads to something that is no file"


def _visible(folder: str) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return [entry for entry in entries if not entry.name.startswith(".")]


def _add(images: Images, entry: os.DirEntry[str], name: str) -> None:
    is_image = entry.name[entry.name.rfind(".") :].lower() in IMAGE_SUFFIXES
    if is_regular(entry):
        if is_image:
            images.found.append((name, entry.path))
    elif entry.is_symlink():
        images.passed_over.append(PassedOver(name, entry.path, SYMLINK, why_not_followed(entry)))
    elif is_image:
        images.passed_over.append(PassedOver(name, entry.path, UNREADABLE_IMAGE, "it is no file"))

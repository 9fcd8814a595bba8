"""Which images there are in a folder, and by what names they may be called."""

import os
from collections.abc import Iterator
from pathlib import Path

__all__ = ["IMAGE_SUFFIXES", "images_below", "is_folder", "is_regular", "is_safe_name"]

IMAGE_SUFFIXES = frozenset((".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"))
"""In lower case; files have them in any."""
LONGEST_NAME = 255
"""Bytes of the name of a file or folder, on all file systems that are in use."""


def images_below(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield the images below a folder, sorted: the name with slashes, relative to the folder, and the path.

    Hidden files are left out; links to folders are not followed.
    """
    yield from sorted(_walk(os.fspath(folder)))


def _walk(top: str) -> Iterator[tuple[str, str]]:
    # A list of what is left, and no recursion: folders may be nested deeper than that goes.
    left = [(top, "")]
    while left:
        folder, above = left.pop()
        with os.scandir(folder) as entries:
            found = [entry for entry in entries if not entry.name.startswith(".")]
        for entry in found:
            if entry.is_dir(follow_symlinks=False):
                left.append((entry.path, f"{above}{entry.name}/"))
            elif entry.name[entry.name.rfind(".") :].lower() in IMAGE_SUFFIXES and is_regular(entry):
                yield above + entry.name, entry.path


def is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether an entry of a folder is a folder, or a link to one; a link that leads in a circle is none."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def is_regular(entry: os.DirEntry[str]) -> bool:
    """Whether an entry of a folder is a regular file, or a link to one; a link that leads in a circle is none."""
    try:
        return entry.is_file()
    except OSError:
        return False


def is_safe_name(name: str) -> bool:
    """Whether a name with slashes can be one in any folder it is put into, and stays inside.

    It does not lead out of the folder, no part of it is longer than file systems allow, and it is Unicode, as documents
    that name it have to be. (Names of files may hold any bytes.)

    Example:
        >>> is_safe_name("park/wren.jpg"), is_safe_name("../wren.jpg"), is_safe_name("/etc/passwd")
        (True, False, False)
    """
    parts = name.split("/")
    if "\0" in name or "\\" in name or "" in parts or "." in parts or ".." in parts:
        return False
    if name.isascii() and len(name) <= LONGEST_NAME:
        return True
    try:
        return all(len(part.encode()) <= LONGEST_NAME for part in parts)
    except UnicodeEncodeError:
        return False

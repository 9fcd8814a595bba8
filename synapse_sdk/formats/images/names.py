"""By what names images may be called, and what is a file."""

import os
from collections.abc import Iterator

__all__ = ["IMAGE_SUFFIXES", "is_folder", "is_regular", "is_safe_name", "visible"]

IMAGE_SUFFIXES = frozenset((".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"))
"""In lower case; files have them in any."""
LONGEST_NAME = 255
"""Bytes of the name of a file or folder, on all file systems that are in use."""


def visible(folder: str) -> Iterator[os.DirEntry[str]]:
    """Yield the entries of a folder that are not hidden.

    Raises:
        OSError: It cannot be read.
    """
    with os.scandir(folder) as entries:
        yield from (entry for entry in entries if not entry.name.startswith("."))


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

"""Names under which storages of files write what is not whole yet."""

import os
import secrets
from collections.abc import Sequence

__all__ = ["TEMPORARY", "folder_of", "is_unfinished", "temporary_name"]

TEMPORARY = ".synapse-tmp-"
"""What such names begin with; keys have no such part."""
LONGEST = 255
"""Bytes that a name may have on the file systems there are."""


def temporary_name(name: str) -> str:
    """Return a new name for an unfinished file, with as much of its own name as fits.

    Example:
        >>> len(temporary_name("cat.jpg")), len(temporary_name("x" * 255))
        (29, 255)
    """
    head = f"{TEMPORARY}{secrets.token_hex(4)}-"
    if 4 * len(name) <= LONGEST - len(head):
        return head + name
    encoded = os.fsencode(name)
    cut = encoded[: LONGEST - len(head)]
    return head + (name if len(cut) == len(encoded) else cut.decode("utf-8", "ignore"))


def is_unfinished(parts: Sequence[str], prefix: str) -> bool:
    """Whether a file is one that a put to a key with this prefix has left.

    Example:
        >>> is_unfinished(["photos", temporary_name("cat.jpg")], "photos/c")
        True
        >>> is_unfinished(["photos", temporary_name("dog.jpg")], "photos/c")
        False
    """
    if not parts[-1].startswith(TEMPORARY):
        return False
    name = parts[-1].removeprefix(TEMPORARY).partition("-")[2]
    key = "/".join([*parts[:-1], name])
    was_cut = len(os.fsencode(parts[-1])) >= LONGEST - 3  # as much as one character may have been cut in two
    return key.startswith(prefix) or (was_cut and prefix.startswith(key))


def folder_of(prefix: str) -> list[str]:
    """Return the parts of the deepest folder that all keys with a prefix are in; of none, where no key can have it.

    Example:
        >>> folder_of("photos/2024/ca"), folder_of("photos")
        (['photos', '2024'], [])
    """
    parts = prefix.split("/")[:-1]
    return parts if all(part not in {"", ".", ".."} and "\0" not in part for part in parts) else []

"""What a folder holds, as a value that can be compared."""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

__all__ = ["difference", "snapshot_tree"]


def snapshot_tree(folder: str | os.PathLike[str]) -> dict[str, str]:
    """Return everything below a folder: its path from there, and what it is.

    A file is its SHA-256, a link its target, a folder `folder`. Two snapshots are equal if and only if nothing was
    added, removed or changed in between; times and permissions do not count. A folder that is not there is empty.

    Example:
        >>> before = snapshot_tree("out")
        >>> # ... a run that fails ...
        >>> assert snapshot_tree("out") == before
    """
    root = Path(folder)
    return {path.relative_to(root).as_posix(): _content(path) for path in sorted(root.rglob("*"))}


def _content(path: Path) -> str:
    if path.is_symlink():
        return f"-> {path.readlink()}"
    if path.is_dir():
        return "folder"
    if not path.is_file():  # a pipe or a device: reading it could wait for ever
        return "special"
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def difference(wanted: object, found: object) -> str:
    """Return in words what is different between two worlds, a line for each thing; empty if they are equal.

    Example:
        >>> print(difference({"a": "1", "b": "2"}, {"b": "3", "c": "4"}))
          missing: a
          changed: b
          should not be there: c
    """
    if wanted == found:
        return ""
    if not (isinstance(wanted, Mapping) and isinstance(found, Mapping)):
        return f"  wanted: {wanted!r}\n  found: {found!r}"
    lines = [f"  missing: {name}" for name in wanted if name not in found]
    lines += [f"  changed: {name}" for name in wanted if name in found and wanted[name] != found[name]]
    lines += [f"  should not be there: {name}" for name in found if name not in wanted]
    return "\n".join(lines)

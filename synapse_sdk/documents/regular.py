"""Opening files that other people name."""

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

__all__ = ["open_regular"]


def open_regular(path: Path, refuse: Callable[[str, str], Exception]) -> BinaryIO:
    """Open a file for reading, unless it is something else: opening a pipe would wait for ever.

    Args:
        path: The file.
        refuse: Makes the error to raise from what was found and the way out.
    """
    try:
        if path.is_file() or not path.exists():
            return path.open("rb")
        what = "a folder" if path.is_dir() else "a pipe or device"
    except (OSError, ValueError) as cause:  # ValueError: a NUL in the name
        why = getattr(cause, "strerror", None) or str(cause)
        raise refuse(why, "Name a file that is there and may be read") from cause
    error = refuse(f"it is {what}", "Name a file")
    raise error

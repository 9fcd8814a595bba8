"""Which downloaded datasets runs are at work with, so that nobody removes them meanwhile."""

import fcntl
import os
import weakref
from contextlib import suppress
from pathlib import Path

__all__ = ["Holding", "is_held"]


class Holding:
    """Downloaded datasets that this process holds: until it lets go of them, or dies, they are not pruned."""

    def __init__(self) -> None:
        self._files: dict[Path, int] = {}
        weakref.finalize(self, _close, self._files)

    def take(self, folder: Path) -> bool:
        """Hold a dataset, under whatever name it will be; return whether it is still there. Safe to repeat."""
        if folder in self._files:
            return True
        try:
            file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            return False
        self._files[folder] = file
        with suppress(OSError):  # a file system without locks; who prunes there cannot know, and does not
            fcntl.flock(file, fcntl.LOCK_SH)
        # It may have been taken away between the two calls.
        with suppress(OSError):
            if os.path.samestat(os.fstat(file), folder.stat()):
                return True
        os.close(self._files.pop(folder))
        return False

    def release(self) -> None:
        """Let go of everything."""
        _close(self._files)


def is_held(folder: Path) -> bool:
    """Whether somebody holds a dataset; also where that cannot be found out."""
    try:
        file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(file)
    return False


def _close(files: dict[Path, int]) -> None:
    while files:
        os.close(files.popitem()[1])

"""A folder for one run on a node, or one cluster, removed with it, or by the next if nobody was left to do so."""

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from synapse_sdk.errors import ConfigurationError

__all__ = ["USERS_OWN", "Scratch"]

LOCK = ".lock"
USERS_OWN = f"synapse-ray-{os.getuid()}"
"""The folder below that for temporary files which has those of this user."""


class Scratch:
    """A new folder below one of this user's own; locked as long as a process lives that has `lock` open.

    Raises:
        ConfigurationError: The user's folder belongs to somebody else.
    """

    def __init__(self, base: Path | None = None) -> None:
        base = base or Path(tempfile.gettempdir(), USERS_OWN)
        with _held(base):
            for each in base.iterdir():
                if each.is_dir() and _is_forgotten(each):
                    shutil.rmtree(each, ignore_errors=True)
            self.folder = Path(tempfile.mkdtemp(dir=base))
            self.lock = os.open(self.folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
            """To be handed to the processes that need the folder."""
            fcntl.flock(self.lock, fcntl.LOCK_EX)

    def directory(self) -> Path:
        """Return an empty folder in it."""
        folder = self.folder / "directory"
        folder.mkdir(exist_ok=True)
        return folder

    def remove(self) -> None:
        """Remove it, with all that is in it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        os.close(self.lock)


@contextlib.contextmanager
def _held(base: Path) -> Iterator[None]:
    """Make the user's folder, and keep others from making or removing something in it."""
    base.mkdir(mode=0o700, exist_ok=True)
    status = base.lstat()
    if status.st_uid != os.getuid() or base.is_symlink():
        msg = f"The folder {str(base)!r} on the node belongs to somebody else"
        raise ConfigurationError(msg, fix="Remove it, or set TMPDIR where the node is started")
    held = os.open(base / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)


def _is_forgotten(folder: Path) -> bool:
    try:
        held = os.open(folder / LOCK, os.O_RDWR)
    except FileNotFoundError:  # made by somebody who died at once
        return True
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(held)
    return True

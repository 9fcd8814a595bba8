"""The folder in which an export is put together, out of sight until it is complete."""

import errno
import hashlib
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from synapse_sdk.errors import InvalidKeyError, StorageDeniedError, StorageError, StorageFullError
from synapse_sdk.folders import NO_ROOM
from synapse_sdk.plugins.actions.export.records import SavedFile
from synapse_sdk.storage.durable import Unsynced
from synapse_sdk.storage.syscalls import write_all

__all__ = ["INCOMING", "Staging", "files_below", "output_error"]

INCOMING = ".synapse-incoming"
"""The folder, in the export's own, of files that are not whole yet."""
DENIED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
HERE = "."


class Staging:
    """Writes files whole, under names that the caller has made safe, and remembers what it has written.

    Args:
        folder: The export's own folder, which is there.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.saved: list[SavedFile] = []
        """What was written since the last time that this was emptied."""
        self.broken: StorageError | None = None
        """What went wrong with the folder itself: no item is to blame for it, and no hook can mend it."""
        self._unsynced = Unsynced(folder)
        self._made: set[str] = set()
        # Of this process alone: one that has lost the run, and does not know it yet, must not take files from another.
        self._incoming = f"{INCOMING}/{os.getpid()}-{secrets.token_hex(4)}"

    def write(self, path: str, content: bytes) -> None:
        """Write a file, in place of one that is there.

        Raises:
            InvalidKeyError: The path would leave the export.
            StorageError: It cannot be written.
        """
        _check(path)
        aside = self.aside(f"{len(self.saved)}-{os.getpid()}")
        try:
            with open(aside, "wb", buffering=0) as file:  # noqa: PTH123  # half the price of Path.open
                write_all(file.fileno(), content)
        except OSError as error:
            raise self._failed(path, error) from error
        self.adopt(aside, SavedFile(path, len(content), hashlib.sha256(content).hexdigest()))

    def aside(self, name: str) -> str:
        """Return where a file of this name can be written before it is adopted."""
        self._make(self._incoming)
        return f"{self.folder}/{self._incoming}/{name}"

    def adopt(self, aside: str, file: SavedFile) -> None:
        """Give a file that was written aside its name, in place of one that is there.

        Raises:
            InvalidKeyError: Its path would leave the export.
            StorageError: It cannot be done.
        """
        parts = _check(file.path)
        try:
            self._make("/".join(parts[:-1]))
            now = time.time_ns()  # finer than what the system notes when a hook writes to it, even at once
            os.utime(aside, ns=(now, now))
            os.replace(aside, f"{self.folder}/{file.path}")  # noqa: PTH105  # as above
        except OSError as error:
            raise self._failed(file.path, error) from error
        self._unsynced.add(parts, self._device)
        self.saved.append(replace(file, stamp=self.stamp(file.path)))

    def discard_saved(self) -> None:
        """Remove what was written since `saved` was emptied."""
        for file in self.saved:
            (self.folder / file.path).unlink(missing_ok=True)
        self.saved.clear()

    def measured(self, path: str) -> SavedFile:
        """Return what a file has now."""
        with (self.folder / path).open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            return SavedFile(path, file.tell(), sha256, stamp=self.stamp(path))

    def as_it_is(self, file: SavedFile) -> SavedFile | None:
        """Return a file as it is now: a hook may have changed it, or removed it, which is None."""
        try:
            return file if self.stamp(file.path) == file.stamp else self.measured(file.path)
        except FileNotFoundError:
            return None

    def stamp(self, path: str) -> int:
        """Return when a file was written last: nanoseconds, as the file system tells them."""
        return os.stat(f"{self.folder}/{path}", follow_symlinks=False).st_mtime_ns  # noqa: PTH116  # as above

    def remember(self, path: str) -> None:
        """Have a file that somebody else has written here synced with the others.

        Raises:
            InvalidKeyError: Its name is no text.
        """
        parts = _check(path)
        self._make(HERE)
        self._unsynced.add(parts, self._device)

    def sync(self) -> None:
        """Have everything that was written survive a loss of power.

        Raises:
            StorageError: The system says that it cannot.
        """
        try:
            self._unsynced.sync()
        except OSError as error:
            raise self._failed(HERE, error) from error

    def clear_incoming(self) -> None:
        """Remove what was written aside and never adopted, by this process or by one that died."""
        with suppress(FileNotFoundError):
            shutil.rmtree(self.folder / INCOMING)
        self._made.clear()

    def _make(self, folder: str) -> None:
        if folder in self._made:
            return
        at = self.folder  # is not made: if it is gone, another worker has undone the run
        try:
            for part in Path(folder).parts:
                at /= part
                at.mkdir(exist_ok=True)
            self._device = self.folder.stat().st_dev
        except OSError as error:
            raise self._failed(folder, error) from error
        self._made.add(folder)

    def _failed(self, path: str, error: OSError) -> StorageError:
        self.broken = output_error(self.folder / path, error)
        return self.broken


def _check(path: str) -> list[str]:
    """Return the parts of a path that stays within the export; a hook may have changed it."""
    parts = path.split("/")
    if {"", ".", ".."}.isdisjoint(parts) and "\0" not in path and path == path.encode("utf-8", "replace").decode():
        return parts
    msg = f"An export cannot have a file {path!r}"
    fix = "Name files and folders by text, with slashes in between, and none of them empty, . or .."
    raise InvalidKeyError(msg, fix=fix)


def output_error(path: Path, error: OSError) -> StorageError:
    """Return the error of ours for one of the system about a file of an export."""
    if error.errno in NO_ROOM:
        msg, fix = f"There is no room for {str(path)!r}", "Free some space, or export elsewhere; then export again"
        return StorageFullError(msg, why=error.strerror, fix=fix, path=path)
    kind = StorageDeniedError if error.errno in DENIED else StorageError
    return kind(f"Cannot write {str(path)!r}", why=error.strerror, fix="Export into another folder", path=path)


def files_below(folder: Path) -> Iterator[str]:
    """Yield the path, below a folder, of every regular file in any order; links are not followed."""
    waiting = [""]
    while waiting:
        at = waiting.pop()
        for entry in _entries(folder / at):
            path = f"{at}/{entry.name}" if at else entry.name
            if entry.is_file(follow_symlinks=False):
                yield path
            elif entry.is_dir(follow_symlinks=False) and path != INCOMING:
                waiting.append(path)


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        yield from entries

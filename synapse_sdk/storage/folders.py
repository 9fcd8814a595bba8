"""Folders below a root, entered part by part, so that no symbolic link leads anywhere else."""

import contextlib
import errno
import os
import stat
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

__all__ = [
    "Folder",
    "Folders",
    "by_folder",
    "enter_folder",
    "files_below",
    "names_in",
    "open_file",
    "open_folder",
    "remove_empty_folders",
]

KEPT = 32
"""Folders that stay open."""
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
"""Of a pipe nobody may ever write into; without the last flag opening it would wait for that."""


def enter_folder(root: Path, parts: Sequence[str], *, create: bool = False) -> int:
    """Open the folder below a root that these parts lead to; the caller closes it.

    Raises:
        FileNotFoundError: It is not there, and is not to be made; or it vanished while it was made.
        NotADirectoryError: There is something else on the way, such as a symbolic link.
    """
    handle = _open_root(root, create=create)
    for part in parts:
        try:
            below = _enter(handle, part, create=create)
        finally:
            os.close(handle)
        handle = below
    return handle


CLOSED = -1


class Folder:
    """An open folder, which is closed when nobody uses it any more."""

    __slots__ = ("handle", "identity")

    def __init__(self, handle: int) -> None:
        self.handle = handle
        status = os.fstat(handle)
        self.identity = (status.st_dev, status.st_ino)

    def close(self) -> None:
        """Let go of it; safe to call twice."""
        handle, self.handle = self.handle, CLOSED
        if handle != CLOSED:
            os.close(handle)

    def __del__(self) -> None:
        self.close()


class Folders:
    """Keeps the folders that were used last open: entering one costs several calls, and many files go into the same.

    Args:
        root: The root of all of them.
    """

    def __init__(self, root: Path) -> None:
        self._root, self._start = root, f"{root}/"
        self._lock = threading.Lock()
        self._open: dict[str, Folder] = {}

    def enter(self, parts: Sequence[str]) -> Folder:
        """Return a folder, made if need be. Raises as `enter_folder` does."""
        path = "/".join(parts)
        with self._lock:
            known = self._open.get(path)
        if known is not None and self._is_still(known, path):
            return known
        new = Folder(self._entered(parts))
        with self._lock:
            self._open.pop(path, None)
            if len(self._open) >= KEPT:
                self._open.pop(next(iter(self._open)))
            self._open[path] = new
        return new

    def _entered(self, parts: Sequence[str]) -> int:
        """Open a folder from the one above it, which is likely to be open; the caller closes it."""
        if not parts:
            return enter_folder(self._root, (), create=True)
        above = self.enter(parts[:-1])  # has to stay open until it was entered
        return _enter(above.handle, parts[-1], create=True)

    def close(self) -> None:
        """Let go of all of them, at once: a traceback may know one for much longer."""
        with self._lock:
            for folder in self._open.values():
                folder.close()
            self._open.clear()

    def _is_still(self, folder: Folder, path: str) -> bool:
        """Whether a path still leads to the folder that was entered; on the way there may be links by now."""
        try:
            status = os.stat(self._start + path)  # noqa: PTH116  # this is what costs
        except OSError:
            return False
        return folder.identity == (status.st_dev, status.st_ino)


@contextlib.contextmanager
def open_folder(root: Path, parts: Sequence[str]) -> Iterator[int]:
    """Open a folder for a while. Raises as `enter_folder` does."""
    handle = enter_folder(root, parts)
    try:
        yield handle
    finally:
        os.close(handle)


def _open_root(root: Path, *, create: bool) -> int:
    flags = FOLDER & ~os.O_NOFOLLOW  # the root is what the user says it is
    try:
        return os.open(root, flags)
    except FileNotFoundError:
        if not create:
            raise
    root.mkdir(parents=True, exist_ok=True)
    return os.open(root, flags)


def _enter(folder: int, part: str, *, create: bool) -> int:
    try:
        return os.open(part, FOLDER, dir_fd=folder)
    except FileNotFoundError:
        if not create:
            raise
    except OSError as error:
        if error.errno == errno.ELOOP:  # what some systems say where Linux says that it is no folder
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), part) from error
        raise
    with contextlib.suppress(FileExistsError):
        os.mkdir(part, dir_fd=folder)
    return os.open(part, FOLDER, dir_fd=folder)


def open_file(folder: int, name: str) -> int | None:
    """Open a file of a folder to read it; None if there is none, or something else than a file."""
    try:
        handle = os.open(name, FILE, dir_fd=folder)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno in {errno.ELOOP, errno.ENXIO, errno.ENODEV}:  # a link, a socket, a device
            return None
        raise
    if stat.S_ISREG(os.fstat(handle).st_mode):
        return handle
    os.close(handle)
    return None


def by_folder(paths: Iterable[Sequence[str]]) -> dict[tuple[str, ...], list[str]]:
    """Put the names of files together by the folder they are in.

    Example:
        >>> by_folder([["photos", "cat.jpg"], ["film.mp4"], ["photos", "dog.jpg"]])
        {('photos',): ['cat.jpg', 'dog.jpg'], (): ['film.mp4']}
    """
    found: dict[tuple[str, ...], list[str]] = {}
    for parts in paths:
        found.setdefault(tuple(parts[:-1]), []).append(parts[-1])
    return found


def names_in(root: Path, parts: Sequence[str]) -> list[str]:
    """Return the names of what is in a folder below a root; of one that is not there, none."""
    return [entry.name for entry in _entries(root, parts)]


def files_below(root: Path, parts: Sequence[str]) -> Iterator[tuple[list[str], os.stat_result]]:
    """Yield every file below a folder with the parts of its path and what the system knows of it, in any order.

    What vanishes meanwhile is left out, and so is everything that is neither file nor folder.
    """
    waiting = [list(parts)]
    while waiting:
        at = waiting.pop()
        for entry in _entries(root, at):
            if entry.is_dir(follow_symlinks=False):
                waiting.append([*at, entry.name])
            elif entry.is_file(follow_symlinks=False) and (status := _status(entry)) is not None:
                yield [*at, entry.name], status


def _entries(root: Path, parts: Sequence[str]) -> Iterator[os.DirEntry[str]]:
    try:
        with open_folder(root, parts) as folder, os.scandir(folder) as entries:
            yield from entries
    except (FileNotFoundError, NotADirectoryError):
        return


def _status(entry: os.DirEntry[str]) -> os.stat_result | None:
    try:
        return entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None


def remove_empty_folders(root: Path, parts: Sequence[str]) -> None:
    """Remove a folder below a root if it is empty, then the one above it, and so on; never the root itself."""
    for depth in range(len(parts), 0, -1):
        try:
            with open_folder(root, parts[: depth - 1]) as above:
                os.rmdir(parts[depth - 1], dir_fd=above)
        except OSError:  # it has something in it, or is gone, or must not be removed: it stays as it is
            return

"""A folder of this machine as the source of an upload."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from synapse_sdk.errors import ConfigurationError
from synapse_sdk.plugins.actions.upload.accounting import FileRefusedError, Reason
from synapse_sdk.plugins.actions.upload.sources.base import FoundFile, OpenFile, RefusedFile, Source
from synapse_sdk.plugins.actions.upload.sources.ignored import IGNORED_FILES, IGNORED_FOLDERS
from synapse_sdk.storage.base import CHUNK

__all__ = ["FolderSource"]


class FolderSource(Source):
    """Reads a folder. Links that lead out of it, or in circles, devices and pipes are refused by name."""

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.location = os.fspath(root)
        self._root = os.path.realpath(root)
        self._start = os.path.join(self._root, "")  # noqa: PTH118  # text, for speed

    def walk(self, *, depth: int | None) -> Iterator[FoundFile | RefusedFile]:
        """Yield files folder by folder, each folder in the order of its names."""
        waiting = [""]
        while waiting:
            folder = waiting.pop()
            try:
                with os.scandir(self._start + folder) as entries:
                    found = sorted(entries, key=lambda entry: entry.name)
            except OSError as error:
                if not folder:
                    raise unreadable_root(self.location, error) from error
                yield RefusedFile(f"{folder}/", Reason.UNREADABLE, f"the folder cannot be read: {error.strerror}")
                continue
            prefix = f"{folder}/" if folder else ""
            folders = [entry.name for entry in found if entry.is_dir(follow_symlinks=False)]
            for name in IGNORED_FOLDERS.intersection(folders):
                yield RefusedFile(f"{prefix}{name}/", Reason.IGNORED, "a folder of the system's", is_filtered=True)
            if depth is None or (folder.count("/") + 1 if folder else 0) < depth:
                waiting += [prefix + name for name in reversed(folders) if name not in IGNORED_FOLDERS]
            for entry in found:
                if not entry.is_dir(follow_symlinks=False):
                    yield self._look_at(entry, prefix + entry.name)

    def _look_at(self, entry: "os.DirEntry[str]", path: str) -> FoundFile | RefusedFile:
        if entry.name in IGNORED_FILES:
            return RefusedFile(path, Reason.IGNORED, "a file of the system's", is_filtered=True)
        try:
            return self._examine(entry, path)
        except OSError as error:
            if error.errno == errno.ELOOP:
                return RefusedFile(path, Reason.UNSAFE_LINK, "the link leads in a circle")
            return RefusedFile(path, Reason.UNREADABLE, error.strerror or str(error))

    def _examine(self, entry: "os.DirEntry[str]", path: str) -> FoundFile | RefusedFile:
        if entry.is_symlink() and (refused := self._refused_link(entry, path)) is not None:
            return refused
        status = entry.stat()
        if not stat.S_ISREG(status.st_mode):
            return RefusedFile(path, Reason.NOT_A_FILE, f"it is {kind_of(status.st_mode)}")
        if not os.access(entry.path, os.R_OK):
            return RefusedFile(path, Reason.UNREADABLE, f"its permissions ({stat.filemode(status.st_mode)}) forbid it")
        return FoundFile(path, status.st_size, status.st_mtime_ns)

    def _refused_link(self, entry: "os.DirEntry[str]", path: str) -> RefusedFile | None:
        """Return why a link is not followed; None if it leads to a file of this tree."""
        try:
            target = os.path.realpath(entry.path, strict=True)
        except FileNotFoundError:
            words = f"the link leads to {Path(entry.path).readlink()}, which is not there"
            return RefusedFile(path, Reason.UNSAFE_LINK, words)
        if not target.startswith(self._start):
            return RefusedFile(path, Reason.UNSAFE_LINK, f"the link leads out of {self.location}, to {target}")
        if os.path.isdir(target):  # noqa: PTH112  # text throughout, for speed
            words = "a link to a folder of this tree, whose files are found where they are"
            return RefusedFile(f"{path}/", Reason.LINKED_FOLDER, words, is_filtered=True)
        return None

    @contextmanager
    def open(self, path: str) -> Iterator[OpenFile]:
        """Open a file; a pipe that took its place is noticed and does not block."""
        full = self._start + path
        try:
            descriptor = os.open(full, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError as error:
            raise FileRefusedError(Reason.FILE_CHANGED, "it is gone since it was checked") from error
        except OSError as error:
            is_short = error.errno in {errno.EMFILE, errno.ENFILE, errno.ENOMEM}  # others will be closed
            raise FileRefusedError(Reason.UNREADABLE, error.strerror or str(error), transient=is_short) from error
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise FileRefusedError(Reason.NOT_A_FILE, f"it is {kind_of(status.st_mode)} now")
            yield _OpenLocalFile(descriptor, status, full)
        finally:
            os.close(descriptor)


class _OpenLocalFile(OpenFile):
    def __init__(self, descriptor: int, status: os.stat_result, path: str) -> None:
        self._descriptor, self._path = descriptor, path
        self.size = status.st_size
        self.version = status.st_mtime_ns

    @property
    def local_path(self) -> Path:
        return Path(self._path)

    def pieces(self) -> Iterator[bytes]:
        at = 0
        while piece := self._piece(CHUNK, at):
            at += len(piece)
            yield piece
        self._refuse_changed(at)

    def read(self) -> bytes:
        content = self._piece(self.size + 1, 0)  # one more than there should be: less says that it was all
        if len(content) == self.size:
            self._refuse_changed(self.size)
            return content
        return super().read()

    def _piece(self, size: int, at: int) -> bytes:
        try:
            return os.pread(self._descriptor, size, at)
        except OSError as error:
            raise FileRefusedError(Reason.UNREADABLE, error.strerror or str(error)) from error

    def _refuse_changed(self, read: int) -> None:
        """Refuse a file that is not any more what it was when it was opened, having read so many bytes of it."""
        try:
            now = os.fstat(self._descriptor)
        except OSError as error:
            raise FileRefusedError(Reason.UNREADABLE, error.strerror or str(error)) from error
        if read != self.size or now.st_size != self.size or now.st_mtime_ns != self.version:
            raise FileRefusedError(Reason.FILE_CHANGED, "it changed while it was being read")


def unreadable_root(location: str, error: OSError) -> ConfigurationError:
    """Return the error that says what is wrong with the folder that a user has named."""
    msg = f"Cannot read {location!r}"
    match error:
        case FileNotFoundError():
            msg, fix = f"There is no {location!r}", f"Looked for {os.path.abspath(location)}; correct the path"  # noqa: PTH100
        case NotADirectoryError():
            fix = "Name a folder, a zip or tar archive, or the URL of a storage"
        case _:
            fix = f"Check its permissions: ls -ld {location}"
    return ConfigurationError(msg, why=error.strerror, fix=fix, path=location)


def kind_of(mode: int) -> str:
    """Return what a thing is that is no file, in words."""
    kinds = {
        stat.S_IFIFO: "a pipe",
        stat.S_IFSOCK: "a socket",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a device",
        stat.S_IFDIR: "a folder",
    }
    return kinds.get(stat.S_IFMT(mode), "no regular file")

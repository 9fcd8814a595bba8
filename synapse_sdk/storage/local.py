"""A storage in a folder of this machine."""

import contextlib
import errno
import hashlib
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from synapse_sdk.errors import (
    ObjectExistsError,
    ObjectNotFoundError,
    StorageIntegrityError,
    StorageUnavailableError,
)
from synapse_sdk.storage.base import CHUNK, Content, ObjectInfo, PutResult, Storage
from synapse_sdk.storage.content import Meter, span
from synapse_sdk.storage.durable import Unsynced
from synapse_sdk.storage.folders import (
    Folders,
    by_folder,
    files_below,
    names_in,
    open_file,
    open_folder,
    remove_empty_folders,
)
from synapse_sdk.storage.keys import KeyRules
from synapse_sdk.storage.local_errors import local_errors
from synapse_sdk.storage.steady import SteadyWriter
from synapse_sdk.storage.syscalls import clone, rename_new
from synapse_sdk.storage.undeleted import undeleted
from synapse_sdk.storage.unfinished import TEMPORARY, folder_of, is_unfinished, temporary_name

__all__ = ["Link", "LocalStorage"]

type Link = Literal["copy", "hardlink", "reflink"]
type Parts = list[str]
"""A key at its slashes."""

RULES = KeyRules(part_bytes=255, raw_bytes=True, temporary=True)
ATTEMPTS = 100
"""How often a folder may be removed by somebody else between its making and its first file."""
DELETED_AT_A_TIME = 8
"""Folders whose files are deleted at a time: each file has the disk write something down, which others can wait for."""
NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
CANNOT_LINK = frozenset({errno.EXDEV, errno.EPERM, errno.EACCES, errno.EMLINK, errno.ENOTSUP})


class LocalStorage(Storage):
    """Keeps objects as files below a folder, which is made when the first one is put.

    An object is written under a hidden name beside its own and then renamed, which no other object survives or
    suffers from: of many writers of one key exactly one makes it. The name appears in one go where Linux or macOS can
    do so (nearly everywhere), else by a hard link, and on file systems that have neither by an empty file that is
    replaced at once.

    Symbolic links, pipes, sockets and devices are no objects, and links to folders are never entered. Deleting an
    object removes folders that are empty afterwards, as object storages have no folders; never the root.

    Args:
        root: The folder.
        link: What becomes of a file given as `source`. `copy` writes its bytes anew. `reflink` shares its blocks
            where the file system can. `hardlink` makes the object another name of the file: whoever later writes into
            the file changes the object as well. Both write the bytes where they cannot do it.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder, LocalStorage(folder) as storage:
        ...     storage.put("photos/cat.jpg", b"meow").size
        ...     [info.key for info in storage.list("photos/")]
        4
        ['photos/cat.jpg']
    """

    in_flight = 1  # a disk writes no faster for being asked by many
    keeps_parts_aside = True  # what is being written has a hidden name until it is whole

    def __init__(self, root: str | os.PathLike[str], *, link: Link = "copy") -> None:
        self.root = Path(os.path.abspath(root))  # noqa: PTH100  # Path.resolve() would follow the last link for ever
        self.link = link
        self.links_files = link != "copy"
        self.url = self.root.as_uri() + ("" if link == "copy" else f"?link={link}")
        self._unsynced = Unsynced(self.root)
        self._folders = Folders(self.root)

    def __repr__(self) -> str:
        return f"LocalStorage({str(self.root)!r}, link={self.link!r})"

    def put(
        self,
        key: str,
        content: Content,
        *,
        size: int | None = None,
        sha256: str | None = None,
        overwrite: bool = False,
        source: Path | None = None,
    ) -> PutResult:
        """Store an object; see `Storage.put`. It survives a loss of power after the next `flush`."""
        parts = RULES.check(key)
        meter = Meter(key, content, size=size, sha256=sha256)
        with local_errors(self.url, key, meter):
            try:
                is_new = self._put(parts, meter, overwrite=overwrite, source=source)
            except BaseException:
                remove_empty_folders(self.root, parts[:-1])  # they may have been made, and nothing be in them
                raise
        return PutResult(key=key, size=meter.size, sha256=meter.sha256, is_new=is_new)

    def _put(self, parts: Parts, meter: Meter, *, overwrite: bool, source: Path | None) -> bool:
        temporary = temporary_name(parts[-1])
        why = ""
        for _ in range(ATTEMPTS):
            try:
                folder = self._folders.enter(parts[:-1])
            except FileNotFoundError as error:  # somebody has removed a folder that was just made, empty as it was
                why = str(error)
                continue
            # A link that leads nowhere is not seen here, but when the new object gets its name.
            if not overwrite and os.access(parts[-1], os.F_OK, dir_fd=folder.handle):
                found = open_file(folder.handle, parts[-1])
                if found is not None:
                    return self._compare_announced(parts, found, meter)
            try:
                opened = os.open(temporary, NEW, 0o666, dir_fd=folder.handle)
            except FileNotFoundError as error:  # the same
                why = str(error)
                continue
            return self._write(folder.handle, temporary, opened, parts, meter, overwrite=overwrite, source=source)
        msg = f"{self.url} cannot keep the folder of {'/'.join(parts)!r}: it is not there, however often it is made"
        raise StorageUnavailableError(msg, why=why, fix="Name another folder, or see who removes it")

    def _compare_announced(self, parts: Parts, found: int, meter: Meter) -> bool:
        """Return False if the object that is there is what is about to be put."""
        try:
            if os.fstat(found).st_size != meter.announced:
                raise self._exists(parts)
            meter.drain()
            self._compare(parts, found, meter)
        finally:
            os.close(found)
        return False

    def _compare(self, parts: Parts, found: int, meter: Meter) -> None:
        """Refuse to go on unless an object is equal to what was read; it may yet have to be made durable."""
        status = os.fstat(found)
        if status.st_size != meter.size or _digest(found) != meter.sha256:
            raise self._exists(parts)
        self._unsynced.add(parts, status.st_dev)

    def _write(  # what one unfinished file is
        self,
        folder: int,
        temporary: str,
        opened: int,
        parts: Parts,
        meter: Meter,
        *,
        overwrite: bool,
        source: Path | None,
    ) -> bool:
        """Fill an unfinished file and give it its name; return whether there was no equal object."""
        try:
            try:
                device = self._fill(folder, temporary, opened, meter, source)
            finally:
                os.close(opened)
            is_new = self._publish(folder, temporary, parts, meter, overwrite=overwrite)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary, dir_fd=folder)
            raise
        self._unsynced.add(parts, device)
        return is_new

    def _fill(self, folder: int, temporary: str, opened: int, meter: Meter, source: Path | None) -> int:
        """Write an unfinished file, and return the number of the device it is on."""
        if source is not None and self.link == "hardlink" and _hard_link(folder, temporary, source):
            with os.fdopen(os.open(temporary, os.O_RDONLY | os.O_CLOEXEC, dir_fd=folder), "rb", buffering=0) as file:
                return _check_linked(file.fileno(), meter)
        if source is not None and self.link == "reflink":
            with source.open("rb") as file:
                if clone(file.fileno(), opened):
                    return _check_linked(opened, meter)
        writer = SteadyWriter(opened)
        for piece in meter:
            writer.write(piece)
        status = os.fstat(opened)
        if status.st_size != meter.size:
            msg = f"{self.url} has {status.st_size} of {meter.size} bytes that were written; nothing was stored"
            raise StorageIntegrityError(msg)
        return status.st_dev

    def _publish(self, folder: int, temporary: str, parts: Parts, meter: Meter, *, overwrite: bool) -> bool:
        """Give a finished file its name, unless there is an equal one; return whether there was none."""
        name = parts[-1]
        if overwrite:
            with contextlib.suppress(ObjectExistsError), self._reading(parts) as found:
                if found is not None:
                    self._compare(parts, found, meter)
                    os.unlink(temporary, dir_fd=folder)
                    return False
            os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
            return True
        try:
            rename_new(folder, temporary, name)
        except FileNotFoundError as error:
            msg = f"Somebody has cleared away what {self.url} was about to keep as {'/'.join(parts)!r}"
            raise StorageUnavailableError(msg, fix="Put it again") from error
        except FileExistsError:
            with self._reading(parts) as found:
                if found is None:
                    raise self._exists(parts) from None
                self._compare(parts, found, meter)
            os.unlink(temporary, dir_fd=folder)
            return False
        return True

    def stream(self, key: str, *, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Yield the bytes of an object; see `Storage.stream`."""
        parts = RULES.check(key)
        with local_errors(self.url, key), self._reading(parts) as found:
            if found is None:
                raise self._not_found(key)
            at, last = span(os.fstat(found).st_size, start, end)
            while at < last:
                piece = os.pread(found, min(CHUNK, last - at), at)
                if not piece:
                    msg = f"The object {key!r} of {self.url} ends after {at} bytes; it had more when it was opened"
                    raise StorageIntegrityError(msg, key=key)
                yield piece
                at += len(piece)

    def stat(self, key: str) -> ObjectInfo:
        """Return what is known of an object; see `Storage.stat`."""
        with local_errors(self.url, key), self._reading(RULES.check(key)) as found:
            if found is None:
                raise self._not_found(key)
            return _info(key, os.fstat(found))

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Yield the objects whose keys begin with a prefix, in the order of the file system."""
        with local_errors(self.url, prefix):
            with contextlib.suppress(FileNotFoundError), open_folder(self.root, ()):
                pass  # which fails where something else is in the place of the root
            for parts, status in files_below(self.root, folder_of(prefix)):
                key = "/".join(parts)
                if key.startswith(prefix) and not parts[-1].startswith(TEMPORARY):
                    yield _info(key, status)

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects, and folders that are empty afterwards; see `Storage.delete`."""
        folders = by_folder(map(RULES.check, keys))
        failed: dict[str, OSError] = {}
        with ThreadPoolExecutor(DELETED_AT_A_TIME) as pool:
            for some in pool.map(self._delete_from, folders.keys(), folders.values()):
                failed |= some
        if failed:
            raise undeleted(self.url, failed)

    def _delete_from(self, folder: tuple[str, ...], names: Iterable[str]) -> dict[str, OSError]:
        """Delete files of a folder, and it as well if it is empty then; return what could not be deleted, by key."""
        try:
            with open_folder(self.root, folder) as opened:
                errors = {name: error for name in names if (error := _unlink(opened, name)) is not None}
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except OSError as error:
            errors = dict.fromkeys(names, error)
        else:
            remove_empty_folders(self.root, folder)
        return {"/".join((*folder, name)): error for name, error in errors.items()}

    def copy(self, source: str, target: str, *, overwrite: bool = False) -> None:
        """Copy an object; see `Storage.copy`."""
        RULES.check(target)
        self.put(target, self.stream(source), size=self.stat(source).size, overwrite=overwrite)

    def flush(self) -> None:
        """Make everything that was put survive a loss of power; see `Storage.flush`.

        On Linux many objects cost one call, which also writes what other programs have written to the same disk.
        """
        with local_errors(self.url, ""):
            self._unsynced.sync()

    def close(self) -> None:
        """Let go of folders that were kept open; see `Storage.close`."""
        self._folders.close()

    def abort_unfinished(self, prefix: str = "") -> int:
        """Remove the hidden files of puts that died; see `Storage.abort_unfinished`."""
        count = 0
        with local_errors(self.url, prefix):
            for parts, _ in files_below(self.root, folder_of(prefix)):
                if is_unfinished(parts, prefix):
                    count += self._unlink(parts)
        return count

    def abort_unfinished_of(self, keys: Iterable[str]) -> None:
        """Remove the hidden files of puts to these keys that died, having looked into each folder once."""
        for folder, names in by_folder(map(RULES.check, keys)).items():
            wanted = ["/".join((*folder, name)) for name in names]
            with local_errors(self.url, wanted[0]):
                hidden = [[*folder, name] for name in names_in(self.root, folder) if name.startswith(TEMPORARY)]
                for parts in [each for each in hidden if any(is_unfinished(each, key) for key in wanted)]:
                    self._unlink(parts)

    def _unlink(self, parts: Parts) -> bool:
        """Remove a file, and folders that are empty afterwards; return whether it was there."""
        try:
            with open_folder(self.root, parts[:-1]) as folder:
                os.unlink(parts[-1], dir_fd=folder)
        except (FileNotFoundError, NotADirectoryError):
            return False
        remove_empty_folders(self.root, parts[:-1])
        return True

    @contextlib.contextmanager
    def _reading(self, parts: Parts) -> Iterator[int | None]:
        """Open an object for a while; None if there is none."""
        try:
            with open_folder(self.root, parts[:-1]) as folder:
                handle = open_file(folder, parts[-1])
        except (FileNotFoundError, NotADirectoryError):
            handle = None
        try:
            yield handle
        finally:
            if handle is not None:
                os.close(handle)

    def _exists(self, parts: Parts) -> ObjectExistsError:
        key = "/".join(parts)
        msg = f"{self.url} has another object under {key!r} already"
        return ObjectExistsError(msg, fix="Choose another key, or say overwrite", key=key)

    def _not_found(self, key: str) -> ObjectNotFoundError:
        return ObjectNotFoundError(f"{self.url} has no object {key!r}", key=key)


def _unlink(folder: int, name: str) -> OSError | None:
    """Remove a file of a folder, and return why that failed; that it is not there is no failure."""
    try:
        os.unlink(name, dir_fd=folder)
    except FileNotFoundError:
        pass
    except OSError as error:
        return error
    return None


def _hard_link(folder: int, temporary: str, source: Path) -> bool:
    """Make an unfinished file another name of the source; return whether that could be done."""
    linked = temporary[: len(TEMPORARY) + 8] + "-"
    try:
        os.link(source.resolve(), linked, dst_dir_fd=folder)
    except OSError as error:
        if error.errno in CANNOT_LINK:
            return False
        raise
    os.rename(linked, temporary, src_dir_fd=folder, dst_dir_fd=folder)
    return True


def _check_linked(handle: int, meter: Meter) -> int:
    """Read a file that was linked, and return the number of its device.

    Raises:
        StorageIntegrityError: It is not what was announced, or has changed while it was read.
    """
    before = os.fstat(handle)
    meter.read_instead(iter(lambda: os.read(handle, CHUNK), b""))
    meter.drain()
    after = os.fstat(handle)
    if (before.st_mtime_ns, before.st_size) != (after.st_mtime_ns, meter.size):
        msg = "The file has changed while it was linked; nothing was stored"
        raise StorageIntegrityError(msg)
    return after.st_dev


def _digest(handle: int) -> str:
    with os.fdopen(handle, "rb", buffering=0, closefd=False) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _info(key: str, status: os.stat_result) -> ObjectInfo:
    return ObjectInfo(key=key, size=status.st_size, modified_at=datetime.fromtimestamp(status.st_mtime, UTC))

"""A storage in any file system that fsspec knows, such as SFTP or SMB."""

import contextlib
import hashlib
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from synapse_sdk.errors import (
    ObjectExistsError,
    ObjectNotFoundError,
    StorageError,
    StorageIntegrityError,
)
from synapse_sdk.storage.base import CHUNK, Content, ObjectInfo, PutResult, Storage
from synapse_sdk.storage.content import Meter, span
from synapse_sdk.storage.fsspec_errors import fsspec_errors
from synapse_sdk.storage.keys import KeyRules
from synapse_sdk.storage.undeleted import undeleted
from synapse_sdk.storage.unfinished import TEMPORARY, folder_of, is_unfinished, temporary_name

__all__ = ["FsspecStorage"]

RULES = KeyRules(part_bytes=255, temporary=True)
FREE = 8
"""Connections that are kept for the next one who needs one."""

ATTEMPTS = 20
"""How often a folder may be removed by somebody else between its making and its first file."""
IN_FLIGHT = 64
"""Requests of 32 KiB that are asked for ahead."""

type FileSystem = Any
"""fsspec has no types."""
type Rename = Callable[[FileSystem, str, str], None]
"""Gives a file another name, or raises FileExistsError."""


class FsspecStorage(Storage):
    """Keeps objects in a file system that fsspec knows.

    An object is written under a hidden name beside its own, its size is asked for, objects of up to 1 MiB are read
    back, and then it is renamed. Over SFTP the server refuses to rename to a name that is taken. Other protocols have
    no such promise: there the name is looked at just before, and of two processes that put different content at the
    same instant the later one wins.

    How long it takes until an object survives a loss of power at the other end is up to the server: `flush` can do
    nothing.

    Args:
        url: Without anything secret.
        connect: Makes a file system of its own; it is used by one thread at a time.
        root: The folder in it.
        rename: How a file is renamed without replacing another one, where the protocol can do that.
        secrets: What no message may show.
    """

    keeps_parts_aside = True  # as a storage in a folder does

    def __init__(
        self,
        url: str,
        connect: Callable[[], FileSystem],
        root: str,
        *,
        rename: Rename | None = None,
        secrets: tuple[str, ...] = (),
    ) -> None:
        self.url = url
        self._connect, self._root, self._secrets = connect, root.rstrip("/"), secrets
        self._rename = rename or self._rename_checked
        self._lock, self._renaming = threading.Lock(), threading.Lock()
        self._free: list[FileSystem] = []

    def __repr__(self) -> str:
        return f"FsspecStorage({self.url!r})"

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
        """Store an object; see `Storage.put`."""
        parts = RULES.check(key)
        meter = Meter(key, content, size=size, sha256=sha256)
        with self._borrow(key, meter) as files:
            found = None if overwrite else _info(files, self._path(key))
            if found is not None:
                if found["size"] == meter.announced:
                    meter.drain()
                is_new = self._compare(files, key, found["size"], meter)
            else:
                is_new = self._write(files, parts, meter, overwrite=overwrite)
        return PutResult(key=key, size=meter.size, sha256=meter.sha256, is_new=is_new)

    def _write(self, files: FileSystem, parts: "Parts", meter: Meter, *, overwrite: bool) -> bool:
        key, folder = "/".join(parts), self._path("/".join(parts[:-1]))
        temporary = f"{folder}/{temporary_name(parts[-1])}"
        try:
            with _create(files, folder, temporary) as file:
                for piece in meter:
                    file.write(piece)
            self._verify(files, temporary, key, meter)
            if overwrite:
                found = _info(files, self._path(key))
                if found is not None and _digest(files, self._path(key)) == meter.sha256:
                    files.rm_file(temporary)
                    return False
                files.mv(temporary, self._path(key))
                return True
            try:
                self._rename(files, temporary, self._path(key))
            except FileExistsError:
                files.rm_file(temporary)
                found = _info(files, self._path(key)) or {"size": None}
                return self._compare(files, key, found["size"], meter)
        except BaseException:
            with contextlib.suppress(Exception):
                files.rm_file(temporary)
            self._remove_empty_folders(files, parts[:-1])
            raise
        return True

    def _rename_checked(self, files: FileSystem, old: str, new: str) -> None:
        """Do it for protocols that only know how to replace; of the writers of this process, one after the other."""
        with self._renaming:
            files.invalidate_cache()
            if files.exists(new):
                raise FileExistsError(new)
            files.mv(old, new)

    def _verify(self, files: FileSystem, path: str, key: str, meter: Meter) -> None:
        files.invalidate_cache()
        size = files.info(path)["size"]
        if size != meter.size or (size <= CHUNK and _digest(files, path) != meter.sha256):
            msg = f"{self.url} has received something else than was sent for {key!r}; nothing was stored"
            raise StorageIntegrityError(msg, fix="Send it again", key=key)

    def _compare(self, files: FileSystem, key: str, size: int | None, meter: Meter) -> bool:
        """Return False if the object that is there is equal to what was read."""
        if size == meter.size and _digest(files, self._path(key)) == meter.sha256:
            return False
        msg = f"{self.url} has another object under {key!r} already"
        raise ObjectExistsError(msg, fix="Choose another key, or say overwrite", key=key)

    def stream(self, key: str, *, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Yield the bytes of an object; see `Storage.stream`."""
        RULES.check(key)
        with self._borrow(key) as files:
            at, last = span(self._stat(files, key).size, start, end)
            yield from self._pieces(files, key, at, last)

    def _pieces(self, files: FileSystem, key: str, at: int, last: int) -> Iterator[bytes]:
        with files.open(self._path(key), "rb") as file:
            file.seek(at)
            _read_ahead(file, last)
            while at < last:
                piece = file.read(min(CHUNK, last - at))
                if not piece:
                    msg = f"{self.url} has sent {at} of {last} bytes of {key!r}"
                    raise StorageIntegrityError(msg, fix="Read it again", key=key)
                yield piece
                at += len(piece)

    def stat(self, key: str) -> ObjectInfo:
        """Return what is known of an object; see `Storage.stat`."""
        RULES.check(key)
        with self._borrow(key) as files:
            return self._stat(files, key)

    def _stat(self, files: FileSystem, key: str) -> ObjectInfo:
        files.invalidate_cache()
        found = _info(files, self._path(key))
        if found is None:
            msg = f"{self.url} has no object {key!r}"
            raise ObjectNotFoundError(msg, key=key)
        return _object(key, found)

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Yield the objects whose keys begin with a prefix, folder by folder."""
        for parts, found in self._files(prefix):
            key = "/".join(parts)
            if key.startswith(prefix) and not parts[-1].startswith(TEMPORARY):
                yield _object(key, found)

    def _files(self, prefix: str) -> Iterator[tuple["Parts", Mapping[str, Any]]]:
        with self._borrow(prefix) as files:
            files.invalidate_cache()
            yield from self._walk(files, folder_of(prefix))

    def _walk(self, files: FileSystem, folder: "Parts") -> Iterator[tuple["Parts", Mapping[str, Any]]]:
        waiting = [folder]
        while waiting:
            at = waiting.pop()
            for found in _entries(files, self._path("/".join(at))):
                parts = [*at, found["name"].rstrip("/").rpartition("/")[2]]
                if found["type"] == "directory":
                    waiting.append(parts)
                elif found["type"] == "file":
                    yield parts, found

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects, and folders that are empty afterwards; see `Storage.delete`."""
        failed: dict[str, StorageError] = {}
        for key, parts in [(key, RULES.check(key)) for key in keys]:
            try:
                with self._borrow(key) as files, contextlib.suppress(FileNotFoundError):
                    files.rm_file(self._path(key))
                    self._remove_empty_folders(files, parts[:-1])
            except StorageError as error:
                failed[key] = error
        if failed:
            raise undeleted(self.url, failed)

    def copy(self, source: str, target: str, *, overwrite: bool = False) -> None:
        """Copy an object, by reading and writing it; see `Storage.copy`."""
        RULES.check(target)
        self.put(target, self.stream(source), size=self.stat(source).size, overwrite=overwrite)

    def abort_unfinished(self, prefix: str = "") -> int:
        """Remove the hidden files of puts that died; see `Storage.abort_unfinished`."""
        left = [parts for parts, _ in self._files(prefix) if is_unfinished(parts, prefix)]
        for parts in left:
            with self._borrow(prefix) as files, contextlib.suppress(FileNotFoundError):
                files.rm_file(self._path("/".join(parts)))
                self._remove_empty_folders(files, parts[:-1])
        return len(left)

    def close(self) -> None:
        """Close the connections that nobody is using."""
        with self._lock:
            free, self._free = self._free, []
        for files in free:
            _disconnect(files)

    @contextlib.contextmanager
    def _borrow(self, key: str, meter: Meter | None = None) -> Iterator[FileSystem]:
        """Have a file system for oneself for a while; one that failed is not used again."""
        with fsspec_errors(self.url, key, self._secrets, meter):
            with self._lock:
                files = self._free.pop() if self._free else None
            files = files or self._connect()
            try:
                yield files
            except (GeneratorExit, StorageError, FileNotFoundError):
                self._give_back(files)
                raise
            except BaseException:
                _disconnect(files)
                raise
            self._give_back(files)

    def _give_back(self, files: FileSystem) -> None:
        with self._lock:
            if len(self._free) < FREE:
                self._free.append(files)
                return
        _disconnect(files)

    def _remove_empty_folders(self, files: FileSystem, parts: "Parts") -> None:
        for depth in range(len(parts), 0, -1):
            try:
                files.rmdir(self._path("/".join(parts[:depth])))
            except Exception:  # noqa: BLE001  # each protocol says in its own way that there is something in it
                return

    def _path(self, key: str) -> str:
        return f"{self._root}/{key}".rstrip("/") if key else self._root or "/"


type Parts = list[str]
"""A key at its slashes."""


def _info(files: FileSystem, path: str) -> Mapping[str, Any] | None:
    """Return what a file system knows of a file; None if there is none."""
    try:
        found: Mapping[str, Any] = files.info(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found if found["type"] == "file" else None


def _entries(files: FileSystem, folder: str) -> Iterable[Mapping[str, Any]]:
    try:
        found: list[Mapping[str, Any]] = files.ls(folder, detail=True)
    except (FileNotFoundError, NotADirectoryError):
        return ()
    return (each for each in found if each["name"].rstrip("/") != folder)  # a file is listed as itself


def _create(files: FileSystem, folder: str, path: str) -> Any:  # noqa: ANN401  # as above
    """Open a new file, in a folder that others may be making or removing at the same time."""
    for attempt in range(ATTEMPTS):
        making: OSError | None = None
        try:
            files.makedirs(folder, exist_ok=True)
        except OSError as error:  # perhaps somebody else was faster: whether it is there shows next
            making = error
        try:
            file = files.open(path, "wb")
        except FileNotFoundError as error:
            if isinstance(making, PermissionError) or attempt == ATTEMPTS - 1:
                raise making or error from error
            continue
        if hasattr(file, "set_pipelined"):  # paramiko: does not wait for an answer to each 32 KiB
            file.set_pipelined(True)  # its way
        return file
    raise AssertionError  # the last attempt has returned or raised


def _read_ahead(file: Any, last: int) -> None:  # noqa: ANN401  # as above
    if hasattr(file, "prefetch"):  # paramiko, again
        file.prefetch(last, max_concurrent_requests=IN_FLIGHT)


def _digest(files: FileSystem, path: str) -> str:
    digest = hashlib.sha256()
    with files.open(path, "rb") as file:
        _read_ahead(file, files.info(path)["size"])
        while piece := file.read(CHUNK):
            digest.update(piece)
    return digest.hexdigest()


def _object(key: str, found: Mapping[str, Any]) -> ObjectInfo:
    """Return what a file system says of a file, in our words; each protocol has its own."""
    at = next(
        (found[name] for name in ("mtime", "modified", "last_modified", "LastModified", "created") if name in found), 0
    )
    if isinstance(at, (int, float)):
        at = datetime.fromtimestamp(at, UTC)
    return ObjectInfo(key=key, size=found["size"], modified_at=at if at.tzinfo else at.replace(tzinfo=UTC))


def _disconnect(files: FileSystem) -> None:
    with contextlib.suppress(Exception):
        client = getattr(files, "client", None)
        if client is not None:
            client.close()

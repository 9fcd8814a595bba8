"""A storage as the source of an upload."""

from collections.abc import Iterator
from contextlib import contextmanager

from synapse_sdk.errors import ConfigurationError, StorageError
from synapse_sdk.plugins.actions.upload.accounting import FileRefusedError, Reason
from synapse_sdk.plugins.actions.upload.sources.base import FoundFile, OpenFile, RefusedFile, Source
from synapse_sdk.plugins.actions.upload.sources.ignored import worth_taking
from synapse_sdk.storage import ObjectInfo, Storage, open_storage

__all__ = ["StorageSource"]


class StorageSource(Source):
    """Reads the objects of a storage; their keys are their paths."""

    def __init__(self, url: str) -> None:
        self._storage = open_storage(url)
        self.location = self._storage.url

    def walk(self, *, depth: int | None) -> Iterator[FoundFile | RefusedFile]:
        """Yield objects in the order of the listing."""
        files = (FoundFile(info.key, info.size, _version(info)) for info in self._listed())
        return worth_taking(files, depth=depth)

    def _listed(self) -> Iterator[ObjectInfo]:
        try:
            yield from self._storage.list()
        except StorageError as error:
            msg = f"Cannot list {self.location}"
            raise ConfigurationError(msg, why=str(error), fix="Correct the URL or the credentials") from error

    @contextmanager
    def open(self, path: str) -> Iterator[OpenFile]:
        """Open an object."""
        try:
            info = self._storage.stat(path)
        except FileNotFoundError as error:
            raise FileRefusedError(Reason.FILE_CHANGED, "it is gone since it was checked") from error
        except StorageError as error:
            raise _refused(error) from error
        yield _OpenObject(self._storage, info)

    def close(self) -> None:
        """Release connections."""
        self._storage.close()


class _OpenObject(OpenFile):
    def __init__(self, storage: Storage, info: ObjectInfo) -> None:
        self._storage = storage
        self._info = info
        self.size = info.size
        self.version = _version(info)

    def pieces(self) -> Iterator[bytes]:
        received = 0
        try:
            for piece in self._storage.stream(self._info.key):
                received += len(piece)
                yield piece
        except StorageError as error:
            raise _refused(error) from error
        if received != self.size:
            raise FileRefusedError(Reason.FILE_CHANGED, f"{received:,} bytes came instead of {self.size:,}")


def _refused(error: StorageError) -> FileRefusedError:
    """Return what an error of the source means: it must not be taken for one of the storage that files are sent to."""
    return FileRefusedError(Reason.UNREADABLE, str(error), transient=error.transient)


def _version(info: ObjectInfo) -> int:
    return int(info.modified_at.timestamp() * 1e9)

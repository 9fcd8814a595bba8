"""The ports of storages, collections, and the files and units in them."""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Protocol

from synapse_sdk.backend.records import (
    CollectionId,
    DataCollection,
    DataFile,
    DataFileId,
    DataUnit,
    DataUnitId,
    DataUnitState,
    FileSpecification,
    StorageId,
    StorageRecord,
    Usage,
)

__all__ = ["Collections", "DataFiles", "DataUnits", "Storages"]


class Storages(Protocol):
    """The storages that the backend knows."""

    def create(
        self, name: str, url: str, *, credentials: Mapping[str, str] | None = None, is_default: bool = False
    ) -> StorageRecord:
        """Make a storage known; the first one, and one that is made the default, becomes the default.

        Raises:
            ConflictError: There is one of this name or URL.
            ConfigurationError: Nobody could write or read the name, or it would be taken for a path.
        """
        ...

    def get(self, reference: StorageId | int | str) -> StorageRecord:
        """Return a storage by id or name.

        Raises:
            RecordNotFoundError: There is none; the message names the nearest.
        """
        ...

    def ensure(self, url: str) -> StorageRecord:
        """Return the storage of this URL; one that is not known yet becomes known, under its URL as name."""
        ...

    def default(self) -> StorageRecord:
        """Return the storage that is used when none is named.

        Raises:
            RecordNotFoundError: There is no storage.
        """
        ...

    def list(self, *, after: int = 0, limit: int = 100) -> Sequence[StorageRecord]:
        """Return storages in order of their ids, those behind `after`."""
        ...

    def remove(self, storage_id: StorageId) -> None:
        """Forget a storage; the objects in it stay.

        Raises:
            RecordNotFoundError: There is none.
            ConflictError: Data files or models lie in it.
        """
        ...


class Collections(Protocol):
    """Data collections and their file specifications."""

    def create(
        self, name: str, *, description: str = "", specifications: Iterable[FileSpecification] = ()
    ) -> DataCollection:
        """Make a collection.

        Raises:
            ConflictError: There is one of this name.
            ConfigurationError: Nobody could write or read the name; two specifications have one name or claim to be
                primary; or the name of one cannot be a folder's.
        """
        ...

    def get(self, reference: CollectionId | int | str) -> DataCollection:
        """Return a collection by id or name.

        Raises:
            RecordNotFoundError: There is none; the message names the nearest.
        """
        ...

    def list(self, *, after: int = 0, limit: int = 100) -> Sequence[DataCollection]:
        """Return collections in order of their ids, those behind `after`."""
        ...

    def remove(self, collection_id: CollectionId) -> None:
        """Remove a collection without units.

        Raises:
            RecordNotFoundError: There is none.
            ConflictError: It has units, or a project works on it.
        """
        ...


class DataFiles(Protocol):
    """Objects in storages, by their content."""

    def get(self, file_id: DataFileId) -> DataFile:
        """Return a data file; raises RecordNotFoundError."""
        ...

    def list(self, collection_id: CollectionId, *, after: int = 0, limit: int = 1000) -> Sequence[DataFile]:
        """Return the data files of a collection in order of their ids, those behind `after`."""
        ...

    def stored(self, collection_id: CollectionId, storage_id: StorageId, contents: Sequence[str]) -> AbstractSet[str]:
        """Return which of these contents, by SHA-256, a collection has in a storage."""
        ...

    def usage(self, collection_id: CollectionId) -> Usage:
        """Return how many stored files a collection has, and how many bytes they have."""
        ...


class DataUnits(Protocol):
    """Data units of collections."""

    def get(self, unit_id: DataUnitId) -> DataUnit:
        """Return a unit; raises RecordNotFoundError."""
        ...

    def with_keys(
        self, collection_id: CollectionId, keys: Iterable[str], *, state: DataUnitState | None = DataUnitState.LIVE
    ) -> Sequence[DataUnit]:
        """Return the units of a collection that have one of these keys, in order of their ids; of any state for None.

        Keys of no unit are passed over.
        """
        ...

    def many(self, unit_ids: Iterable[DataUnitId]) -> Sequence[DataUnit]:
        """Return units of any state in order of their ids, each once; ids of no unit are passed over."""
        ...

    def list(
        self,
        collection_id: CollectionId,
        *,
        state: DataUnitState | None = DataUnitState.LIVE,
        after: int = 0,
        limit: int = 1000,
    ) -> Sequence[DataUnit]:
        """Return units in order of their ids, those behind `after`; of any state for None."""
        ...

    def count(self, collection_id: CollectionId, *, state: DataUnitState | None = DataUnitState.LIVE) -> int:
        """Return how many units a collection has."""
        ...

    def remove(self, unit_ids: Iterable[DataUnitId]) -> Sequence[DataFile]:
        """Remove live units, and return the data files that no unit and no run needs any more; they are `deleting` now.

        Ids of no live unit are passed over. The caller deletes the objects, then calls `Ingestion.finish_removal`; what
        a caller that was cut short has left is found by `Ingestion.to_delete(None)`.

        Raises:
            ConflictError: There are tasks or ground truths of one of the units.
        """
        ...

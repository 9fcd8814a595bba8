"""The ports of the backend: one for each family of records."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol, Self

from synapse_sdk.backend.records import (
    CollectionId,
    DataCollection,
    DataFile,
    DataFileId,
    DataUnit,
    DataUnitId,
    DataUnitState,
    FileSpecification,
    NewUnit,
    Project,
    ProjectId,
    RegisteredUnit,
    ReservedFile,
    StorageId,
    StorageRecord,
)
from synapse_sdk.types import JsonObject

__all__ = ["Backend", "Collections", "DataFiles", "DataUnits", "Ingestion", "Projects", "Storages"]


class Storages(Protocol):
    """The storages that the backend knows."""

    def create(
        self, name: str, url: str, *, credentials: Mapping[str, str] | None = None, is_default: bool = False
    ) -> StorageRecord:
        """Make a storage known; the first one, and one that is made the default, becomes the default.

        Raises:
            ConflictError: There is one of this name.
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
            ConflictError: Data files lie in it.
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
            ConfigurationError: Two specifications have one name or claim to be primary, or a name cannot be a folder's.
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


class DataUnits(Protocol):
    """Data units of collections."""

    def get(self, unit_id: DataUnitId) -> DataUnit:
        """Return a unit; raises RecordNotFoundError."""
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

        The caller deletes their objects, then calls `Ingestion.finish_removal`.
        """
        ...


class Ingestion(Protocol):
    """What one run brings into a collection: files reserved, units registered, and in the end published or withdrawn.

    The order of an upload is reserve, put, register, publish; each call is one transaction, durable on return, and safe
    to repeat. Reserving comes before the first byte, so that whatever may have been put is known here.

    A run that was withdrawn is closed: a worker that wakes up late and goes on with it gets ConflictError.
    """

    def reserve(
        self, run: str, collection_id: CollectionId, storage_id: StorageId, files: Sequence[tuple[str, int, str]]
    ) -> Sequence[ReservedFile]:
        """Announce contents, as `(sha256, size, key)`, and learn for each of them, in order, what is to be done.

        The run claims each of them: as long as it does, nobody else's rollback deletes the object. Equal contents get
        one and the same file.

        Raises:
            ConflictError: The run was withdrawn.
            BackendUnavailableError: The rollback of another run is about to delete one of the objects; try again. The
                message names the run.
        """
        ...

    def register(
        self, run: str, collection_id: CollectionId, units: Sequence[NewUnit], *, stored: Iterable[DataFileId] = ()
    ) -> Sequence[RegisteredUnit]:
        """Note that objects are in the storage, verified, and register units, hidden until they are published.

        Raises:
            ConflictError: The run was withdrawn, or a unit has a file that is not stored.
        """
        ...

    def registered_keys(self, run: str) -> Iterator[str]:
        """Yield the keys of the units that a run has registered so far."""
        ...

    def update_meta(self, run: str, collection_id: CollectionId, metas: Mapping[str, JsonObject]) -> int:
        """Add metadata, by unit key, to units that this run has registered, and return how many there are of them.

        Raises:
            ConflictError: The run was withdrawn.
        """
        ...

    def publish(self, run: str) -> int:
        """Make all units of the run live, in one transaction, and return how many units of the run are live now.

        Raises:
            ConflictError: The run was withdrawn.
        """
        ...

    def withdraw(self, run: str) -> None:
        """Remove the units of a run, published or not, and its claims, and close the run.

        Files that the run is answerable for, and that no unit and no other run needs, are `deleting` from now on;
        answerable for the others is somebody who needs them.
        """
        ...

    def to_delete(self, run: str, *, limit: int = 1000) -> Sequence[DataFile]:
        """Return some of the files that the withdrawal of a run has left to be deleted."""
        ...

    def finish_removal(self, file_ids: Iterable[DataFileId]) -> None:
        """Forget files that are `deleting`, because their objects are gone; others are left alone."""
        ...


class Projects(Protocol):
    """Work on the units of collections."""

    def create(self, name: str, collection_id: CollectionId, *, configuration: JsonObject | None = None) -> Project:
        """Make a project.

        Raises:
            ConflictError: There is one of this name.
            RecordNotFoundError: There is no such collection.
        """
        ...

    def get(self, reference: ProjectId | int | str) -> Project:
        """Return a project by id or name.

        Raises:
            RecordNotFoundError: There is none; the message names the nearest.
        """
        ...

    def list(self, *, after: int = 0, limit: int = 100) -> Sequence[Project]:
        """Return projects in order of their ids, those behind `after`."""
        ...

    def remove(self, project_id: ProjectId) -> None:
        """Remove a project.

        Raises:
            RecordNotFoundError: There is none.
            ConflictError: It has tasks.
        """
        ...


class Backend(Protocol):
    """Everything the backend keeps; open one with `open_backend`."""

    url: str
    """Where it is, without anything secret."""

    @property
    def storages(self) -> Storages:
        """The storages it knows."""
        ...

    @property
    def collections(self) -> Collections:
        """Data collections."""
        ...

    @property
    def data_files(self) -> DataFiles:
        """Objects in storages."""
        ...

    @property
    def data_units(self) -> DataUnits:
        """Data units."""
        ...

    @property
    def ingestion(self) -> Ingestion:
        """What runs bring in."""
        ...

    @property
    def projects(self) -> Projects:
        """Projects."""
        ...

    def close(self) -> None:
        """Release connections; safe to call twice."""
        ...

    def __enter__(self) -> Self:
        """Use it for a while."""
        ...

    def __exit__(self, *exc_info: object) -> None:
        """Close it."""
        ...

"""The port through which runs bring files and units into collections."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from synapse_sdk.backend.records import (
    CollectionId,
    DataFile,
    DataFileId,
    DataFileState,
    NewUnit,
    RegisteredUnit,
    ReservedFile,
    StorageId,
)
from synapse_sdk.types import JsonObject

__all__ = ["Ingestion"]


class Ingestion(Protocol):
    """What one run brings into a collection: files reserved, units registered, and in the end published or withdrawn.

    The order of an upload is reserve, put, register, publish, and in the end deleting what `to_delete` returns; each
    call is one transaction, durable on return, and safe to repeat. Reserving comes before the first byte, so that
    whatever may have been put is known here.

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

        The outcome is that of registering the units one after the other.

        Raises:
            ConflictError: The run was withdrawn; it notes a file that it has not reserved; or a unit has a file that is
                not stored, or belongs to another collection.
        """
        ...

    def unused(
        self, run: str, *, state: DataFileState | None = None, after: int = 0, limit: int = 1000
    ) -> Sequence[DataFile]:
        """Return files that a run has reserved and that no unit of it has, in order of their ids, those behind `after`.

        Of those that are still `reserved`, the objects may be there, whole or in part, or not.
        """
        ...

    def disown(self, run: str, file_ids: Iterable[DataFileId]) -> None:
        """End a run's claims of files that are `reserved`, because their objects turned out to be somebody else's.

        The run is not answerable for them any more, so that nobody deletes the objects; what no other run claims is
        forgotten. Files in another state are left alone.
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

        The run's claims end. Files that it claimed and that no unit and no other run needs, because sending or
        registering failed, are `deleting` from now on; `to_delete` returns them.

        Raises:
            ConflictError: The run was withdrawn.
        """
        ...

    def withdraw(self, run: str) -> None:
        """Remove the units of a run, published or not, and its claims, and close the run.

        Files that the run is answerable for, and that no unit and no other run needs, are `deleting` from now on;
        answerable for the others is somebody who needs them.

        Raises:
            ConflictError: There are tasks or ground truths of the run's units; nothing was changed.
        """
        ...

    def to_delete(self, run: str | None, *, limit: int = 1000) -> Sequence[DataFile]:
        """Return some of the files that a run has left to be deleted; for None, those left by removed units."""
        ...

    def finish_removal(self, file_ids: Iterable[DataFileId]) -> None:
        """Forget files that are `deleting`, because their objects are gone; others are left alone."""
        ...

"""Comparing what a storage holds with what the backend knows of it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import batched

from synapse_sdk.backend import Backend, DataCollection, DataFile, DataFileState, StorageId, StorageRecord
from synapse_sdk.backend.paging import every
from synapse_sdk.clock import SYSTEM_CLOCK, Clock
from synapse_sdk.storage import Storage, open_storage, place_of

__all__ = ["StorageCheck", "check_storage"]

GRACE = timedelta(hours=1)
"""How old an object has to be to count as an orphan: what was put just now may have been taken back just now."""
PAGE = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageCheck:
    """How a storage and the backend agree. Keys are sorted."""

    objects: int
    """Objects that the backend knows and the storage has."""
    size: int
    """Their bytes."""
    missing: tuple[str, ...] = ()
    """Known to be stored, and not there."""
    damaged: tuple[str, ...] = ()
    """There, with another size than they should have, or, if contents were read, with another content."""
    orphans: tuple[str, ...] = ()
    """In the storage, and nothing that the backend knows of: a worker that had been given up put them later."""
    orphan_size: int = 0
    """Bytes of the orphans."""
    removed: int = 0
    """Orphans that were deleted."""

    @property
    def is_whole(self) -> bool:
        """Whether everything is there, as it was put."""
        return not self.missing and not self.damaged


def check_storage(
    backend: Backend,
    record: StorageRecord,
    *,
    reads_contents: bool = False,
    deletes_orphans: bool = False,
    clock: Clock = SYSTEM_CLOCK,
) -> StorageCheck:
    """Compare a storage with what the backend knows of it.

    Only objects below the prefixes of collections are looked at: a bucket may have other users.

    Args:
        backend: What should be there.
        record: The storage.
        reads_contents: Read every object and compare its SHA-256, instead of its size only.
        deletes_orphans: Delete what nobody knows of and is older than an hour.
        clock: Tells how old objects are.

    Raises:
        StorageError: The storage cannot be listed or read.
    """
    findings = _Findings(reads_contents=reads_contents, oldest_spared=clock.now() - GRACE)
    with open_storage(record.url, credentials=record.credentials) as storage:
        places = _records_at(backend, place_of(record.url))
        for collection in every(lambda after, size: backend.collections.list(after=after, limit=size), page=PAGE):
            files = (file for file in _files(backend, collection) if file.storage_id in places)
            findings.look_at(storage, collection, files, record.id)
        if deletes_orphans:
            for keys in batched(sorted(findings.orphans), PAGE):
                storage.delete(keys)
    return StorageCheck(
        objects=findings.objects,
        size=findings.size,
        missing=tuple(sorted(findings.missing)),
        damaged=tuple(sorted(findings.damaged)),
        orphans=tuple(sorted(findings.orphans)),
        orphan_size=sum(findings.orphans.values()),
        removed=len(findings.orphans) if deletes_orphans else 0,
    )


class _Findings:
    """What has been found so far."""

    def __init__(self, *, reads_contents: bool, oldest_spared: datetime) -> None:
        self.objects = self.size = 0
        self.missing: list[str] = []
        self.damaged: list[str] = []
        self.orphans: dict[str, int] = {}
        self._reads_contents = reads_contents
        self._oldest_spared = oldest_spared

    def look_at(
        self, storage: Storage, collection: DataCollection, files: Iterable[DataFile], storage_id: StorageId
    ) -> None:
        """Compare the objects of one collection with its files; those of other storages at this place are spared."""
        there = {info.key: info for info in storage.list(f"{collection.uid}/")}
        for file in files:
            info = there.pop(file.key, None)
            if file.storage_id != storage_id or file.state is not DataFileState.STORED:
                continue  # somebody is at work on it
            if info is None:
                self.missing.append(file.key)
            elif info.size != file.size or (self._reads_contents and storage.checksum(file.key) != file.sha256):
                self.damaged.append(file.key)
            else:
                self.objects, self.size = self.objects + 1, self.size + info.size
        old = (info for info in there.values() if info.modified_at < self._oldest_spared)
        self.orphans |= {info.key: info.size for info in old}


def _records_at(backend: Backend, place: str) -> frozenset[StorageId]:
    """Return all storages that have their objects at a place: older backends may know one twice."""
    known = every(lambda after, size: backend.storages.list(after=after, limit=size))
    return frozenset(each.id for each in known if place_of(each.url) == place)


def _files(backend: Backend, collection: DataCollection) -> Iterator[DataFile]:
    return every(lambda after, size: backend.data_files.list(collection.id, after=after, limit=size), page=PAGE)

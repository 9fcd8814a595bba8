"""What runs bring into collections: files reserved, units registered, and in the end published or withdrawn."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, select, update

from synapse_sdk.backend.embedded.claims import collections_of, give_up, let_go, unused_files
from synapse_sdk.backend.embedded.data_files import data_file
from synapse_sdk.backend.embedded.database import Database
from synapse_sdk.backend.embedded.prepared import (
    WITHDRAWN,
    files_added,
    files_by_content,
    files_by_id,
    files_claimed,
    files_removed,
    files_stored,
)
from synapse_sdk.backend.embedded.registration import register_units
from synapse_sdk.backend.embedded.statements import chunks, insert_new, lock_collections, packed, packed_rows
from synapse_sdk.backend.embedded.tables import data_files, data_units, ingestions
from synapse_sdk.backend.embedded.units_in_use import refuse_units_in_use
from synapse_sdk.backend.records import (
    CollectionId,
    DataFile,
    DataFileId,
    DataFileState,
    DataUnitState,
    NewUnit,
    RegisteredUnit,
    ReservedFile,
    StorageId,
)
from synapse_sdk.clock import Clock
from synapse_sdk.errors import BackendUnavailableError, ConflictError
from synapse_sdk.types import JsonObject

__all__ = ["EmbeddedIngestion"]

PAGE = 1000
"""Keys that are read at a time."""


class EmbeddedIngestion:
    """Implements the port `Ingestion`.

    Every change locks the run, then the collections it is about, in the order of their ids: what it finds out about
    claims and units stays true until it is done.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    def reserve(
        self, run: str, collection_id: CollectionId, storage_id: StorageId, files: Sequence[tuple[str, int, str]]
    ) -> Sequence[ReservedFile]:
        """Announce contents, as `(sha256, size, key)`, and learn for each of them, in order, what is to be done."""
        place = {"collection_id": collection_id, "storage_id": storage_id}
        by_content = {sha256: (size, key) for sha256, size, key in reversed(files)}
        found: dict[str, ReservedFile] = {}
        with self._database.write() as connection:
            _lock_open(connection, run)
            lock_collections(connection, [collection_id])
            for chunk in chunks(by_content):
                known = _known(connection, run, place, chunk)
                new = {sha256: by_content[sha256] for sha256 in chunk if sha256 not in known}
                found |= known | _add(connection, run, collection_id, storage_id, new)
                _claim(connection, run, [each.file.id for each in known.values() if not each.is_claimed_before])
        return [found[sha256] for sha256, _, _ in files]

    def register(
        self, run: str, collection_id: CollectionId, units: Sequence[NewUnit], *, stored: Iterable[DataFileId] = ()
    ) -> Sequence[RegisteredUnit]:
        """Note that objects are in the storage, verified, and register units, hidden until they are published."""
        with self._database.write() as connection:
            _lock_open(connection, run)
            lock_collections(connection, [collection_id])
            noted = sorted(set(stored))
            used = {file_id for unit in units for file_id, _ in unit.files.values()}
            files = _files_by_id(connection, run, used.union(noted))
            contents = {
                row.id: row.sha256
                for row in files.values()
                if row.collection_id == collection_id and row.state is DataFileState.STORED
            }
            missing = [each for each in noted if each not in contents]
            contents |= _note_stored(connection, run, collection_id, missing, files)
            return register_units(connection, run, collection_id, units, contents=contents, now=self._clock.now())

    def unused(
        self, run: str, *, state: DataFileState | None = None, after: int = 0, limit: int = 1000
    ) -> Sequence[DataFile]:
        """Return files that a run has reserved and that no unit of it has, in order of their ids."""
        statement = unused_files(run).where(data_files.c.id > after)
        if state is not None:
            statement = statement.where(data_files.c.state == state)
        with self._database.read() as connection:
            return [data_file(row) for row in connection.execute(statement.order_by(data_files.c.id).limit(limit))]

    def disown(self, run: str, file_ids: Iterable[DataFileId]) -> None:
        """End a run's claims of files that are `reserved`, because their objects turned out to be somebody else's."""
        with self._database.write() as connection:
            _lock(connection, run)
            lock_collections(connection, collections_of(connection, run))
            for chunk in chunks(sorted(set(file_ids))):
                give_up(connection, run, chunk)

    def registered_keys(self, run: str) -> Iterator[str]:
        """Yield the keys of the units that a run has registered so far."""
        after = 0
        while True:
            statement = select(data_units.c.id, data_units.c.key).where(data_units.c.run == run)
            with self._database.read() as connection:
                page = connection.execute(
                    statement.where(data_units.c.id > after).order_by(data_units.c.id).limit(PAGE)
                ).all()
            if not page:
                return
            yield from (row.key for row in page)
            after = page[-1].id

    def update_meta(self, run: str, collection_id: CollectionId, metas: Mapping[str, JsonObject]) -> int:
        """Add metadata, by unit key, to units that this run has registered, and return how many there are of them."""
        with self._database.write() as connection:
            _lock_open(connection, run)
            lock_collections(connection, [collection_id])
            return sum(_merge_meta(connection, run, collection_id, chunk, metas) for chunk in chunks(metas))

    def publish(self, run: str) -> int:
        """Make all units of the run live, in one transaction, and return how many units of the run are live now."""
        with self._database.write() as connection:
            _lock_open(connection, run)
            lock_collections(connection, collections_of(connection, run))
            staged = (data_units.c.run == run) & (data_units.c.state == DataUnitState.STAGED)
            connection.execute(update(data_units).where(staged).values(state=DataUnitState.LIVE))
            let_go(connection, run)
            return int(connection.scalar(select(func.count()).where(data_units.c.run == run)) or 0)

    def withdraw(self, run: str) -> None:
        """Remove the units of a run, published or not, and its claims, and close the run."""
        with self._database.write() as connection:
            _lock(connection, run)
            connection.execute(update(ingestions).where(ingestions.c.run == run).values(is_withdrawn=True))
            lock_collections(connection, collections_of(connection, run))
            refuse_units_in_use(connection, data_units.c.run == run)
            let_go(connection, run, removes_units=True)

    def to_delete(self, run: str | None, *, limit: int = 1000) -> Sequence[DataFile]:
        """Return some of the files that a run has left to be deleted; for None, those left by removed units."""
        statement = select(data_files).where(
            data_files.c.owner == run, data_files.c.state == DataFileState.DELETING
        )  # a comparison with None becomes IS NULL
        with self._database.read() as connection:
            return [data_file(row) for row in connection.execute(statement.order_by(data_files.c.id).limit(limit))]

    def finish_removal(self, file_ids: Iterable[DataFileId]) -> None:
        """Forget files that are `deleting`, because their objects are gone; others are left alone."""
        with self._database.write() as connection:
            for chunk in chunks(sorted(set(file_ids))):
                connection.execute(files_removed(connection.dialect.name), {"files": packed(connection, chunk)})


def _lock(connection: Connection, run: str) -> bool:
    """Keep others from changing what a run is, until the transaction ends; whether the run was withdrawn."""
    found = connection.scalar(WITHDRAWN, {"by": run})
    if found is None:  # another process may be about to insert it as well
        insert_new(connection, ingestions, [{"run": run}])
        found = connection.scalar(WITHDRAWN, {"by": run})
    return bool(found)


def _lock_open(connection: Connection, run: str) -> None:
    """Lock a run that may bring things in.

    Raises:
        ConflictError: It was withdrawn.
    """
    if _lock(connection, run):
        msg = f"The run {run!r} was rolled back: nothing more can be brought in by it"
        raise ConflictError(msg, fix="Start another run", run=run)


def _merge_meta(
    connection: Connection, run: str, collection_id: int, keys: Sequence[str], metas: Mapping[str, JsonObject]
) -> int:
    """Add metadata to units of a run, and return how many of the keys are such units'."""
    statement = select(data_units.c.id, data_units.c.key, data_units.c.meta).where(
        data_units.c.collection_id == collection_id, data_units.c.run == run, data_units.c.key.in_(keys)
    )
    rows = connection.execute(statement).all()
    changed = [
        {"unit": row.id, "new": merged} for row in rows if (merged := {**row.meta, **metas[row.key]}) != row.meta
    ]
    if changed:
        by_id = update(data_units).where(data_units.c.id == bindparam("unit"))
        connection.execute(by_id.values(meta=bindparam("new", type_=data_units.c.meta.type)), changed)
    return len(rows)


def _known(
    connection: Connection, run: str, place: Mapping[str, int], contents: Sequence[str]
) -> dict[str, ReservedFile]:
    """Return the files that are known already, by content."""
    asked = {"collection": place["collection_id"], "storage": place["storage_id"], "by": run}
    statement = files_by_content(connection.dialect.name)
    rows = connection.execute(statement, {**asked, "contents": packed(connection, contents)}).all()
    for row in rows:
        if row.state is DataFileState.DELETING:
            raise _about_to_be_deleted(row)
    return {
        row.sha256: ReservedFile(
            file=data_file(row),
            must_send=row.state is not DataFileState.STORED,
            is_claimed_before=row.claimant is not None,
        )
        for row in rows
    }


def _add(
    connection: Connection,
    run: str,
    collection_id: CollectionId,
    storage_id: StorageId,
    files: Mapping[str, tuple[int, str]],
) -> dict[str, ReservedFile]:
    """Insert files, given as size and key by content, claimed by the run, and return them by content."""
    if not files:
        return {}
    state = DataFileState.RESERVED
    rows = packed_rows([(sha256, size, key) for sha256, (size, key) in files.items()])
    place = {"collection": collection_id, "storage": storage_id}
    added = connection.execute(
        files_added(connection.dialect.name), {**place, "state": state, "by": run, "files": rows}
    ).all()
    _claim(connection, run, [identity for identity, _ in added])
    return {
        sha256: ReservedFile(
            file=DataFile(
                id=DataFileId(identity),
                collection_id=collection_id,
                storage_id=storage_id,
                key=files[sha256][1],
                sha256=sha256,
                size=files[sha256][0],
                state=state,
                owner=run,
            ),
            must_send=True,
        )
        for identity, sha256 in added
    }


def _claim(connection: Connection, run: str, file_ids: Sequence[int]) -> None:
    if file_ids:
        connection.execute(files_claimed(connection.dialect.name), {"by": run, "files": packed(connection, file_ids)})


def _about_to_be_deleted(row: Row[Any]) -> BackendUnavailableError:
    who = "removed data units" if row.owner is None else f"run {row.owner!r}"
    msg = f"The object {row.key!r} is about to be deleted: it was left by {who}"
    where = {} if row.owner is None else {"run": row.owner}
    return BackendUnavailableError(msg, fix="Finish that rollback or clean-up, then try again", key=row.key, **where)


def _files_by_id(connection: Connection, run: str, file_ids: Iterable[int]) -> dict[int, Row[Any]]:
    found: dict[int, Row[Any]] = {}
    for chunk in chunks(sorted(file_ids)):
        statement = files_by_id(connection.dialect.name)
        rows = connection.execute(statement, {"by": run, "files": packed(connection, chunk)}).all()
        found |= {row.id: row for row in rows}
    return found


def _note_stored(
    connection: Connection, run: str, collection_id: int, file_ids: Sequence[int], files: Mapping[int, Row[Any]]
) -> dict[int, str]:
    """Note that the objects of reserved files are there, and return the contents of the files by id.

    Raises:
        ConflictError: The run has not reserved one of them for the collection.
    """
    for chunk in chunks(file_ids):
        known = [files[each] for each in chunk if each in files]
        ids = [row.id for row in known if row.collection_id == collection_id and row.state is DataFileState.RESERVED]
        if len(ids) < len(chunk) or any(files[each].claimant is None for each in ids):
            msg = f"The run {run!r} says that it has stored files which it has not reserved"
            raise ConflictError(msg, fix="Reserve every file before it is sent", run=run)
        connection.execute(files_stored(connection.dialect.name), {"files": packed(connection, ids)})
    return {each: files[each].sha256 for each in file_ids}

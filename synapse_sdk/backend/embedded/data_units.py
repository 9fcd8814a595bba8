"""Data units of collections."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, func, select, update

from synapse_sdk.backend.embedded.data_files import data_file, is_needed
from synapse_sdk.backend.embedded.database import Database
from synapse_sdk.backend.embedded.statements import among, chunks, lock_collections, not_found
from synapse_sdk.backend.embedded.tables import data_files, data_unit_files, data_units
from synapse_sdk.backend.embedded.units_in_use import refuse_units_in_use
from synapse_sdk.backend.records import (
    CollectionId,
    DataFile,
    DataFileState,
    DataUnit,
    DataUnitId,
    DataUnitState,
    UnitFile,
)

__all__ = ["EmbeddedDataUnits"]


class EmbeddedDataUnits:
    """Implements the port `DataUnits`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, unit_id: DataUnitId) -> DataUnit:
        """Return a unit."""
        with self._database.read() as connection:
            rows = connection.execute(select(data_units).where(data_units.c.id == unit_id)).all()
            if not rows:
                raise not_found(unit_id, "data unit")
            return _units(connection, rows)[0]

    def with_keys(
        self, collection_id: CollectionId, keys: Iterable[str], *, state: DataUnitState | None = DataUnitState.LIVE
    ) -> Sequence[DataUnit]:
        """Return the units of a collection with one of these keys, in order of their ids; of any state for None."""
        statement = _of_state(select(data_units), collection_id, state)
        with self._database.read() as connection:
            asked = sorted({key for key in keys if "\0" not in key})  # no unit's key has it
            statement = statement.where(among(connection, data_units.c.key, asked))
            return _units(connection, connection.execute(statement.order_by(data_units.c.id)).all())

    def many(self, unit_ids: Iterable[DataUnitId]) -> Sequence[DataUnit]:
        """Return units of any state in order of their ids, each once."""
        with self._database.read() as connection:
            statement = select(data_units).where(among(connection, data_units.c.id, unit_ids))
            return _units(connection, connection.execute(statement.order_by(data_units.c.id)).all())

    def list(
        self,
        collection_id: CollectionId,
        *,
        state: DataUnitState | None = DataUnitState.LIVE,
        after: int = 0,
        limit: int = 1000,
    ) -> Sequence[DataUnit]:
        """Return units in order of their ids, those behind `after`; of any state for None."""
        statement = _of_state(select(data_units), collection_id, state).where(data_units.c.id > after)
        with self._database.read() as connection:
            return _units(connection, connection.execute(statement.order_by(data_units.c.id).limit(limit)).all())

    def count(self, collection_id: CollectionId, *, state: DataUnitState | None = DataUnitState.LIVE) -> int:
        """Return how many units a collection has."""
        statement = _of_state(select(func.count()).select_from(data_units), collection_id, state)
        with self._database.read() as connection:
            return int(connection.scalar(statement) or 0)

    def remove(self, unit_ids: Iterable[DataUnitId]) -> Sequence[DataFile]:
        """Remove live units, and return the data files that nobody needs any more; they are `deleting` now."""
        ids = sorted(set(unit_ids))
        with self._database.write() as connection:
            lock_collections(connection, _collections_of(connection, ids))
            files = set[int]()
            for chunk in chunks(ids):
                live = select(data_units.c.id).where(
                    data_units.c.id.in_(chunk), data_units.c.state == DataUnitState.LIVE
                )
                found = connection.scalars(live).all()
                refuse_units_in_use(connection, data_units.c.id.in_(found))
                links = select(data_unit_files.c.file_id).where(data_unit_files.c.unit_id.in_(found))
                files.update(connection.scalars(links))
                connection.execute(delete(data_units).where(data_units.c.id.in_(found)))
            return [data_file(row) for chunk in chunks(sorted(files)) for row in _let_go(connection, chunk)]


def _of_state[S: Select[Any]](statement: S, collection_id: CollectionId, state: DataUnitState | None) -> S:
    statement = statement.where(data_units.c.collection_id == collection_id)
    return statement if state is None else statement.where(data_units.c.state == state)


def _collections_of(connection: Connection, unit_ids: Sequence[int]) -> set[int]:
    return {
        found
        for chunk in chunks(unit_ids)
        for found in connection.scalars(select(data_units.c.collection_id).where(data_units.c.id.in_(chunk)).distinct())
    }


def _let_go(connection: Connection, file_ids: Sequence[int]) -> Sequence[Row[Any]]:
    """Mark those files that nobody needs, as nobody's to delete but the caller's."""
    return connection.execute(
        update(data_files)
        .where(data_files.c.id.in_(file_ids), ~is_needed())
        .values(state=DataFileState.DELETING, owner=None)
        .returning(data_files)
    ).all()


def _units(connection: Connection, rows: Sequence[Row[Any]]) -> Sequence[DataUnit]:
    if not rows:
        return []
    files: Mapping[int, dict[str, UnitFile]] = {row.id: {} for row in rows}
    statement = (
        select(data_unit_files, data_files)
        .join(data_files, data_files.c.id == data_unit_files.c.file_id)
        .where(among(connection, data_unit_files.c.unit_id, files))
    )
    for row in connection.execute(statement):
        files[row.unit_id][row.specification] = UnitFile(
            file_id=row.file_id,
            name=row.name,
            key=row.key,
            storage_id=row.storage_id,
            sha256=row.sha256,
            size=row.size,
        )
    return [
        DataUnit(
            id=row.id,
            collection_id=row.collection_id,
            key=row.key,
            files=files[row.id],
            meta=row.meta,
            state=row.state,
            run=row.run,
            created_at=row.created_at,
        )
        for row in rows
    ]

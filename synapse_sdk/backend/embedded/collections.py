"""Data collections and their file specifications."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Row, delete, exists, insert, select, true

from synapse_sdk.backend.embedded.database import Database
from synapse_sdk.backend.embedded.statements import check_name, create, find, lock_collections, refuse_taken
from synapse_sdk.backend.embedded.tables import collections, data_files, data_units, file_specifications, projects
from synapse_sdk.backend.records import CollectionId, DataCollection, DataUnitState, FileSpecification
from synapse_sdk.clock import Clock
from synapse_sdk.errors import ConfigurationError, ConflictError

__all__ = ["EmbeddedCollections"]

END = "Let it end, or roll it back: synapse runs list"


class EmbeddedCollections:
    """Implements the port `Collections`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    def create(
        self, name: str, *, description: str = "", specifications: Iterable[FileSpecification] = ()
    ) -> DataCollection:
        """Make a collection."""
        wanted = tuple(specifications)
        check_name(name, "collection")
        _check(wanted)
        uid, now = uuid4().hex, self._clock.now()
        with self._database.write() as connection:
            refuse_taken(connection, collections, name, "collection")
            identity = create(connection, collections, uid=uid, name=name, description=description, created_at=now)
            rows = [_specification_row(identity, position, each) for position, each in enumerate(wanted)]
            if rows:
                connection.execute(insert(file_specifications), rows)
        return DataCollection(
            id=CollectionId(identity),
            uid=uid,
            name=name,
            description=description,
            specifications=wanted,
            created_at=now,
        )

    def get(self, reference: CollectionId | int | str) -> DataCollection:
        """Return a collection by id or name."""
        with self._database.read() as connection:
            return _collections(connection, [find(connection, collections, reference, "collection")])[0]

    def list(self, *, after: int = 0, limit: int = 100) -> Sequence[DataCollection]:
        """Return collections in order of their ids, those behind `after`."""
        statement = select(collections).where(collections.c.id > after).order_by(collections.c.id).limit(limit)
        with self._database.read() as connection:
            return _collections(connection, connection.execute(statement).all())

    def remove(self, collection_id: CollectionId) -> None:
        """Remove a collection without units."""
        with self._database.write() as connection:
            lock_collections(connection, [collection_id])
            hidden = data_units.c.state == DataUnitState.STAGED
            for table, which, what, fix in (
                (data_units, ~hidden, "it has data units", "Remove them first, with Backend.data_units.remove"),
                (data_units, hidden, "a run is bringing data units in", END),
                (data_files, true(), "a run is bringing files in, or has files to delete", END),
                (projects, true(), "a project works on it", "Remove the project first"),
            ):
                if connection.scalar(select(exists().where(table.c.collection_id == collection_id, which))):
                    msg = f"The collection {collection_id} cannot be removed: {what}"
                    raise ConflictError(msg, fix=fix, collection=collection_id)
            connection.execute(delete(collections).where(collections.c.id == collection_id))


def _check(specifications: Sequence[FileSpecification]) -> None:
    """Refuse specifications that contradict each other, or cannot be folders.

    Raises:
        ConfigurationError: One of them does.
    """
    seen = dict[str, str]()
    for each in specifications:
        if not each.name or each.name in {".", ".."} or any(char in each.name for char in '/\\:"\0'):
            msg = f"A file specification cannot be named {each.name!r}: that cannot be the name of a folder"
            raise ConfigurationError(msg, fix="Use letters, digits, - and _")
        twin = seen.setdefault(each.name.casefold(), each.name)
        if twin is not each.name:
            msg = f"Two file specifications are named {each.name!r}"
            why = None if twin == each.name else f"the other is {twin!r}, which some disks take for the same"
            raise ConfigurationError(msg, why=why, fix="Give each a name of its own")
        for extension in each.extensions:
            if not extension.startswith(".") or extension != extension.lower():
                msg = f"File specification {each.name!r} has an extension {extension!r}"
                raise ConfigurationError(
                    msg, fix=f"Write it with its dot, in small letters: .{extension.lower().lstrip('.')}"
                )
    primary = [each.name for each in specifications if each.is_primary]
    if len(primary) > 1:
        msg = f"More than one file specification is primary: {', '.join(primary)}"
        raise ConfigurationError(msg, fix="Let a unit be shown by one of them")


def _specification_row(collection_id: int, position: int, each: FileSpecification) -> dict[str, Any]:
    return {
        "collection_id": collection_id,
        "position": position,
        "name": each.name,
        "file_type": each.file_type,
        "is_required": each.is_required,
        "is_primary": each.is_primary,
        "extensions": each.extensions,
    }


def _collections(connection: Connection, rows: Sequence[Row[Any]]) -> "list[DataCollection]":
    statement = (
        select(file_specifications)
        .where(file_specifications.c.collection_id.in_([row.id for row in rows]))
        .order_by(file_specifications.c.collection_id, file_specifications.c.position)
    )
    found: Mapping[int, list[FileSpecification]] = {row.id: [] for row in rows}
    for row in connection.execute(statement):
        found[row.collection_id].append(
            FileSpecification(
                name=row.name,
                file_type=row.file_type,
                is_required=row.is_required,
                is_primary=row.is_primary,
                extensions=tuple(row.extensions),
            )
        )
    return [
        DataCollection(
            id=row.id,
            uid=row.uid,
            name=row.name,
            description=row.description,
            specifications=tuple(found[row.id]),
            created_at=row.created_at,
        )
        for row in rows
    ]

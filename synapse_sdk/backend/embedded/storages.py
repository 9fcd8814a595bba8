"""The storages that a backend knows."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, delete, exists, or_, select, update

from synapse_sdk.backend.embedded.database import Database
from synapse_sdk.backend.embedded.statements import check_name, create, find, not_found
from synapse_sdk.backend.embedded.tables import data_files, models, storages
from synapse_sdk.backend.records import StorageId, StorageRecord
from synapse_sdk.clock import Clock
from synapse_sdk.errors import ConfigurationError, ConflictError, RecordNotFoundError

__all__ = ["EmbeddedStorages"]


class EmbeddedStorages:
    """Implements the port `Storages`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    def create(
        self, name: str, url: str, *, credentials: Mapping[str, str] | None = None, is_default: bool = False
    ) -> StorageRecord:
        """Make a storage known; the first one, and one that is made the default, becomes the default."""
        check_name(name, "storage")
        if "/" in name or name in {".", ".."}:
            msg = f"A storage cannot be named {name!r}"
            raise ConfigurationError(msg, why="It would be taken for a path", fix="Choose a name without /")
        with self._database.write() as connection:
            taken = select(storages).where(or_(storages.c.name == name, storages.c.url == url))
            for row in connection.execute(taken):
                what = f"named {name!r}" if row.name == name else f"of this URL: {row.name!r}"
                msg = f"There is a storage {what} already"
                raise ConflictError(msg, fix="Use that one, or choose another name and URL", storage=row.name)
            return self._create(connection, name, url, credentials or {}, is_default=is_default)

    def get(self, reference: StorageId | int | str) -> StorageRecord:
        """Return a storage by id or name."""
        with self._database.read() as connection:
            return _storage(find(connection, storages, reference, "storage"))

    def ensure(self, url: str) -> StorageRecord:
        """Return the storage of this URL; one that is not known yet becomes known, under its URL as name."""
        statement = select(storages).where(storages.c.url == url)
        with self._database.read() as connection:
            row = connection.execute(statement).one_or_none()
        if row is not None:
            return _storage(row)
        with self._database.write() as connection:
            row = connection.execute(statement).one_or_none()  # another may have been faster
            if row is not None:
                return _storage(row)
            return self._create(connection, url, url, {}, is_default=False)

    def default(self) -> StorageRecord:
        """Return the storage that is used when none is named."""
        with self._database.read() as connection:
            row = connection.execute(select(storages).where(storages.c.is_default)).one_or_none()
        if row is None:
            msg = "There is no storage yet"
            raise RecordNotFoundError(msg, fix="Make one known: synapse storages create NAME URL")
        return _storage(row)

    def list(self, *, after: int = 0, limit: int = 100) -> Sequence[StorageRecord]:
        """Return storages in order of their ids, those behind `after`."""
        statement = select(storages).where(storages.c.id > after).order_by(storages.c.id).limit(limit)
        with self._database.read() as connection:
            return [_storage(row) for row in connection.execute(statement)]

    def remove(self, storage_id: StorageId) -> None:
        """Forget a storage; the objects in it stay."""
        with self._database.write() as connection:
            if connection.scalar(select(exists().where(data_files.c.storage_id == storage_id))):
                msg = f"The storage {storage_id} cannot be forgotten: data files lie in it"
                raise ConflictError(msg, fix="Remove the data units that have them first", storage=storage_id)
            if connection.scalar(select(exists().where(models.c.storage_id == storage_id))):
                msg = f"The storage {storage_id} cannot be forgotten: models lie in it"
                raise ConflictError(msg, fix="Remove the models first", storage=storage_id)
            was_default = connection.scalar(
                delete(storages).where(storages.c.id == storage_id).returning(storages.c.is_default)
            )
            if was_default is None:
                raise not_found(storage_id, "storage")
            if was_default:
                oldest = select(storages.c.id).order_by(storages.c.id).limit(1).scalar_subquery()
                connection.execute(update(storages).where(storages.c.id == oldest).values(is_default=True))

    def _create(
        self, connection: Connection, name: str, url: str, credentials: Mapping[str, str], *, is_default: bool
    ) -> StorageRecord:
        is_default = is_default or not connection.scalar(select(exists(select(storages.c.id))))
        if is_default:
            connection.execute(update(storages).where(storages.c.is_default).values(is_default=False))
        now = self._clock.now()
        values: dict[str, Any] = {"name": name, "url": url, "credentials": dict(credentials), "created_at": now}
        identity = create(connection, storages, is_default=is_default, **values)
        return StorageRecord(id=StorageId(identity), is_default=is_default, **values)


def _storage(row: Row[Any]) -> StorageRecord:
    return StorageRecord(
        id=row.id,
        name=row.name,
        url=row.url,
        credentials=row.credentials,
        is_default=row.is_default,
        created_at=row.created_at,
    )

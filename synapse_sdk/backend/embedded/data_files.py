"""Objects in storages, by their content."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from sqlalchemy import ColumnElement, Row, func, select

from synapse_sdk.backend.embedded.database import Database
from synapse_sdk.backend.embedded.statements import chunks, one
from synapse_sdk.backend.embedded.tables import data_file_claims, data_files, data_unit_files
from synapse_sdk.backend.records import CollectionId, DataFile, DataFileId, DataFileState, StorageId, Usage

__all__ = ["EmbeddedDataFiles", "data_file", "is_needed"]


class EmbeddedDataFiles:
    """Implements the port `DataFiles`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, file_id: DataFileId) -> DataFile:
        """Return a data file."""
        statement = select(data_files).where(data_files.c.id == file_id)
        with self._database.read() as connection:
            return data_file(one(connection, statement, file_id, "data file"))

    def list(self, collection_id: CollectionId, *, after: int = 0, limit: int = 1000) -> Sequence[DataFile]:
        """Return the data files of a collection in order of their ids, those behind `after`."""
        statement = (
            select(data_files)
            .where(data_files.c.collection_id == collection_id, data_files.c.id > after)
            .order_by(data_files.c.id)
            .limit(limit)
        )
        with self._database.read() as connection:
            return [data_file(row) for row in connection.execute(statement)]

    def stored(self, collection_id: CollectionId, storage_id: StorageId, contents: Sequence[str]) -> AbstractSet[str]:
        """Return which of these contents, by SHA-256, a collection has in a storage."""
        found = set[str]()
        with self._database.read() as connection:
            for chunk in chunks(contents):
                statement = select(data_files.c.sha256).where(
                    data_files.c.collection_id == collection_id,
                    data_files.c.storage_id == storage_id,
                    data_files.c.state == DataFileState.STORED,
                    data_files.c.sha256.in_(chunk),
                )
                found.update(connection.scalars(statement))
        return found

    def usage(self, collection_id: CollectionId) -> Usage:
        """Return how many stored files a collection has, and how many bytes they have."""
        statement = select(func.count(), func.coalesce(func.sum(data_files.c.size), 0)).where(
            data_files.c.collection_id == collection_id, data_files.c.state == DataFileState.STORED
        )
        with self._database.read() as connection:
            files, size = connection.execute(statement).one()
        return Usage(files=int(files), size=int(size))


def is_needed() -> ColumnElement[bool]:
    """Return the condition that a unit has a data file, or that a run claims it."""
    links = select(data_unit_files.c.file_id).where(data_unit_files.c.file_id == data_files.c.id)
    claims = select(data_file_claims.c.file_id).where(data_file_claims.c.file_id == data_files.c.id)
    return links.exists() | claims.exists()


def data_file(row: Row[Any]) -> DataFile:
    """Return the record of a row of `data_files`."""
    return DataFile(
        id=row.id,
        collection_id=row.collection_id,
        storage_id=row.storage_id,
        key=row.key,
        sha256=row.sha256,
        size=row.size,
        state=row.state,
        owner=row.owner,
    )

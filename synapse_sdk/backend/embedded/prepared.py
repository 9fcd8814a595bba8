"""The statements that an upload runs for every batch of files, put together once.

To put a statement together takes SQLAlchemy several times as long as to run it: it is done once for each kind of
database, and what differs from batch to batch is a parameter. Lists, and rows to be inserted, travel as one parameter
each, `packed`: hundreds of parameters cost Python more than the database.
"""

from collections.abc import Iterable
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Column,
    Delete,
    Insert,
    Select,
    Text,
    Update,
    and_,
    bindparam,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.sql.dml import ReturningInsert

from synapse_sdk.backend.embedded.statements import is_among, values_of
from synapse_sdk.backend.embedded.tables import data_file_claims, data_files, data_unit_files, data_units, ingestions
from synapse_sdk.backend.records import DataFileState

__all__ = [
    "WITHDRAWN",
    "files_added",
    "files_by_content",
    "files_by_id",
    "files_claimed",
    "files_removed",
    "files_stored",
    "unit_contents",
    "unit_files_added",
    "units_added",
    "units_by_key",
]

WITHDRAWN = select(ingestions.c.is_withdrawn).where(ingestions.c.run == bindparam("by")).with_for_update()
"""Selects whether a run was withdrawn, and locks it; needs `by`."""
CLAIMED = and_(data_file_claims.c.file_id == data_files.c.id, data_file_claims.c.run == bindparam("by"))
CLAIMANT = data_file_claims.c.run.label("claimant")
"""The run, if it claims the file, else None."""


@cache
def files_by_content(kind: str) -> Select[Any]:
    """Return what selects files, and whether a run claims them; needs `collection`, `storage`, `contents`, `by`."""
    return (
        select(data_files, CLAIMANT)
        .outerjoin(data_file_claims, CLAIMED)
        .where(
            data_files.c.collection_id == bindparam("collection"),
            data_files.c.storage_id == bindparam("storage"),
            is_among(kind, data_files.c.sha256, "contents"),
        )
    )


@cache
def files_by_id(kind: str) -> Select[Any]:
    """Return what selects files, and whether a run claims them; needs `files` and `by`."""
    columns = data_files.c
    return (
        select(columns.id, columns.collection_id, columns.sha256, columns.state, CLAIMANT)
        .outerjoin(data_file_claims, CLAIMED)
        .where(is_among(kind, columns.id, "files"))
    )


@cache
def files_added(kind: str) -> ReturningInsert[Any]:
    """Return what inserts files, and returns id and content of each.

    Needs `collection`, `storage`, `state`, `by` and, as `packed_rows`, `files` of content, size and key.
    """
    columns = data_files.c
    same = (columns.collection_id, columns.storage_id, columns.state, columns.owner)
    shared = _parameters(same, ("collection", "storage", "state", "by"))
    values = select(*shared, *values_of(kind, "files", Text(), BigInteger(), Text()))
    added = insert(data_files).from_select([*same, columns.sha256, columns.size, columns.key], values)
    return added.returning(columns.id, columns.sha256)


@cache
def files_claimed(kind: str) -> Insert:
    """Return what lets a run claim files; needs `files` and `by`."""
    claims = select(bindparam("by", type_=Text), data_files.c.id).where(is_among(kind, data_files.c.id, "files"))
    return insert(data_file_claims).from_select(["run", "file_id"], claims)


@cache
def files_stored(kind: str) -> Update:
    """Return what notes that the objects of files are there; needs `files`."""
    return update(data_files).where(is_among(kind, data_files.c.id, "files")).values(state=DataFileState.STORED)


@cache
def files_removed(kind: str) -> Delete:
    """Return what forgets files that are to be deleted; needs `files`."""
    is_deleting = data_files.c.state == DataFileState.DELETING
    return delete(data_files).where(is_among(kind, data_files.c.id, "files"), is_deleting)


@cache
def units_added(kind: str) -> ReturningInsert[Any]:
    """Return what inserts units, and returns id and key of each.

    Needs `collection`, `state`, `by`, `at` and, as `packed_rows`, `units` of key and written metadata.
    """
    columns = data_units.c
    same = (columns.collection_id, columns.state, columns.run, columns.created_at)
    shared = _parameters(same, ("collection", "state", "by", "at"))
    values = select(*shared, *values_of(kind, "units", Text(), Text()))
    added = insert(data_units).from_select([*same, columns.key, columns.meta], values)
    return added.returning(columns.id, columns.key)


@cache
def unit_files_added(kind: str) -> Insert:
    """Return what inserts which files units have.

    Needs, as `packed_rows`, `links` of unit, specification, file and name.
    """
    columns = data_unit_files.c
    values = select(*values_of(kind, "links", BigInteger(), Text(), BigInteger(), Text()))
    return insert(data_unit_files).from_select(
        [columns.unit_id, columns.specification, columns.file_id, columns.name], values
    )


@cache
def units_by_key(kind: str) -> Select[Any]:
    """Return what selects units of a collection; needs `collection` and `keys`."""
    columns = data_units.c
    return select(columns.id, columns.key, columns.run, columns.state).where(
        columns.collection_id == bindparam("collection"), is_among(kind, columns.key, "keys")
    )


@cache
def unit_contents(kind: str) -> Select[Any]:
    """Return what selects the contents of units by specification; needs `units`."""
    return (
        select(data_unit_files.c.unit_id, data_unit_files.c.specification, data_files.c.sha256)
        .join(data_files, data_files.c.id == data_unit_files.c.file_id)
        .where(is_among(kind, data_unit_files.c.unit_id, "units"))
    )


def _parameters(columns: Iterable[Column[Any]], names: Iterable[str]) -> list[BindParameter[Any]]:
    """Return a parameter of each name, which is written as values of its column are."""
    return [bindparam(name, type_=column.type) for column, name in zip(columns, names, strict=True)]

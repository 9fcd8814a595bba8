"""What statements about records of all families have in common."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import batched
from typing import Any

from sqlalchemy import (
    ARRAY,
    BindParameter,
    ColumnElement,
    Connection,
    Executable,
    Insert,
    Row,
    Select,
    Table,
    Text,
    any_,
    bindparam,
    exists,
    func,
    insert,
    select,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.types import TypeEngine

from synapse_sdk.backend.embedded.tables import collections
from synapse_sdk.errors import ConfigurationError, ConflictError, RecordNotFoundError
from synapse_sdk.extensions import one_of

__all__ = [
    "among",
    "check_name",
    "chunks",
    "create",
    "find",
    "insert_new",
    "is_among",
    "lock_collections",
    "not_found",
    "one",
    "packed",
    "packed_rows",
    "page_of",
    "refuse_taken",
    "values_of",
]

UNWRITABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""Controls, and what stands for bytes that are no text."""
CHUNK = 500
"""Values that one statement takes: databases limit them, and equal numbers share a compiled statement."""
LOCKED_COLLECTION = (
    select(collections.c.id).where(collections.c.id == bindparam("collection")).with_for_update(key_share=True)
)
MOST_NAMES = 1000
"""Names among which the nearest is sought."""
BIGGEST = 2**63 - 1
LARGE_PAGE = 4 * 1024 * 1024
"""Characters of documents with which a page is full, however few records it has."""


def chunks[T](items: Iterable[T]) -> Iterator[tuple[T, ...]]:
    """Yield items in groups that fit into one statement."""
    return batched(items, CHUNK)


def page_of[R](
    connection: Connection, statement: Select[Any], document: ColumnElement[Any], record: Callable[[Row[Any]], R]
) -> list[R]:
    """Return the records that a statement finds, in its order: the first ones only, if their documents are large.

    There is at least one if any is found.
    """
    found, size = list[R](), 0
    with connection.execute(statement.add_columns(func.length(document).label("size"))) as rows:
        for row in rows:
            found.append(record(row))
            size += row.size or 0
            if size >= LARGE_PAGE:
                break
    return found


def packed(connection: Connection, values: Iterable[Any]) -> object:
    """Return values as the one parameter that `is_among` takes: hundreds cost Python more than the database.

    Raises:
        ConfigurationError: A text among them has NUL.
    """
    listed = [*values]
    if connection.dialect.name == "postgresql":
        _refuse_nul(listed)
        return listed
    return _json([listed])[1:-1]


def is_among(kind: str, column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """Return the condition that a column has one of many values.

    Args:
        kind: Of the database.
        column: The column.
        name: Of the parameter that has them, `packed`.
    """
    return _in_list(kind, column, bindparam(name, type_=_list_type(kind, column)))


def among(connection: Connection, column: ColumnElement[Any], values: Iterable[Any]) -> ColumnElement[bool]:
    """Return the condition that a column has one of these values, of which there may be any number."""
    kind = connection.dialect.name
    return _in_list(kind, column, bindparam(None, packed(connection, values), _list_type(kind, column)))


def _list_type(kind: str, column: ColumnElement[Any]) -> TypeEngine[Any]:
    return ARRAY(column.type) if kind == "postgresql" else Text()


def _in_list(kind: str, column: ColumnElement[Any], packed_values: BindParameter[Any]) -> ColumnElement[bool]:
    if kind == "postgresql":
        return column == any_(packed_values)
    rows = func.json_each(packed_values).table_valued("value")
    return column.in_(select(rows.c.value))


def packed_rows(rows: Sequence[Sequence[Any]]) -> str:
    """Return rows as the one parameter that `values_of` takes.

    Raises:
        ConfigurationError: A text in them has NUL.
    """
    return _json(rows)


def _json(rows: Sequence[Sequence[Any]]) -> str:
    text = json.dumps(rows, ensure_ascii=False, separators=(",", ":"))
    if r"\u0000" in text:
        _refuse_nul(value for row in rows for value in row)
    return text


def _refuse_nul(values: Iterable[Any]) -> None:
    """Refuse text with NUL: SQLite would take it for the end of the text, and PostgreSQL has no such character."""
    if any("\0" in value for value in values if isinstance(value, str)):
        msg = "A text with the character NUL cannot be kept in a backend"
        raise ConfigurationError(msg, fix="Leave the character out")


def values_of(kind: str, name: str, *types: TypeEngine[Any]) -> list[ColumnElement[Any]]:
    """Return the values of rows that travel as one parameter, to be selected; there is a row for each of theirs.

    Args:
        kind: Of the database.
        name: Of the parameter that has the rows, `packed_rows`.
        types: Of the values of each row, in order.
    """
    if kind == "postgresql":
        from sqlalchemy.dialects.postgresql import JSONB  # noqa: PLC0415  # slow to import, and few need it

        row = func.jsonb_array_elements(bindparam(name, type_=Text).cast(JSONB)).table_valued("value").c.value
        return [row.op("->>")(at).cast(each) for at, each in enumerate(types)]
    row = func.json_each(bindparam(name, type_=Text)).table_valued("value").c.value
    return [func.json_extract(row, f"$[{at}]") for at in range(len(types))]


def insert_new(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows, and pass over those that are there already."""
    if not rows:
        return
    statement: Insert = sqlite.insert(table).on_conflict_do_nothing()
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects import postgresql  # noqa: PLC0415  # slow to import, and few need it

        statement = postgresql.insert(table).on_conflict_do_nothing()
    connection.execute(statement, rows)


def create(connection: Connection, table: Table, **values: object) -> int:
    """Insert one row and return its id."""
    statement = insert(table).values(**values).returning(table.c.id)
    return int(connection.execute(statement).scalar_one())


def find(connection: Connection, table: Table, reference: int | str, kind: str) -> Row[Any]:
    """Return the row that an id or a name means; digits are a name, if there is one like them, and else an id.

    Args:
        connection: To the database.
        table: Has the columns `id` and `name`.
        reference: Id or name.
        kind: What errors call a record.

    Raises:
        RecordNotFoundError: There is none; the message names the nearest.
    """
    row = None
    if isinstance(reference, str):
        row = connection.execute(select(table).where(table.c.name == reference)).one_or_none()
    if row is None and str(reference).isascii() and str(reference).isdecimal() and int(reference) <= BIGGEST:
        row = connection.execute(select(table).where(table.c.id == int(reference))).one_or_none()
    if row is not None:
        return row
    names = connection.scalars(select(table.c.name).order_by(table.c.id.desc()).limit(MOST_NAMES)).all()
    raise not_found(reference, kind, one_of(str(reference), sorted(names)))


def one(connection: Connection, statement: Executable, reference: object, kind: str) -> Row[Any]:
    """Return the row of a statement that selects or changes one record.

    Raises:
        RecordNotFoundError: There is none; the message calls it by `kind` and `reference`.
    """
    row = connection.execute(statement).one_or_none()
    if row is None:
        raise not_found(reference, kind)
    return row


def check_name(name: str, kind: str) -> None:
    """Refuse a name that nobody could write or read.

    Raises:
        ConfigurationError: It is blank, or has control characters, bytes that are no text, or spaces around it.
    """
    if not name.strip():
        why = "It says nothing"
    elif name != name.strip():
        why = "It has spaces around it"
    elif UNWRITABLE.search(name):
        why = "It has characters that cannot be written"
    else:
        return
    msg = f"A {kind} cannot be named {name!r}"
    raise ConfigurationError(msg, why=why, fix="Choose another name")


def refuse_taken(connection: Connection, table: Table, name: str, kind: str) -> None:
    """Refuse a name that a record has already.

    Raises:
        ConflictError: One has; its `where` calls the name by the last word of `kind`.
    """
    if connection.scalar(select(exists().where(table.c.name == name))):
        msg = f"There is a {kind} named {name!r} already"
        raise ConflictError(msg, fix="Use that one, or choose another name", **{kind.rpartition(" ")[2]: name})


def not_found(reference: object, kind: str, fix: str | None = None) -> RecordNotFoundError:
    """Return the error that says that there is no such record."""
    where: dict[str, Any] = {kind.replace(" ", "_").replace("-", "_"): reference}
    return RecordNotFoundError(f"There is no {kind} {reference!r}", fix=fix, **where)


def lock_collections(connection: Connection, ids: Iterable[int]) -> None:
    """Keep others from changing files and units of collections until the transaction ends.

    SQLite has one writer at a time anyway. Always taken in the order of their ids: nobody waits in a circle.

    Raises:
        RecordNotFoundError: There is no such collection.
    """
    for each in sorted(set(ids)):
        if connection.scalar(LOCKED_COLLECTION, {"collection": each}) is None:
            raise not_found(each, "collection")

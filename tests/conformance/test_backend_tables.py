"""The tables of a backend, on every database: the same whether they were made at once or by all migrations in turn."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Inspector, inspect, select, text

from synapse_sdk.backend.embedded.database import Place
from synapse_sdk.backend.embedded.migrations import migrate
from synapse_sdk.backend.embedded.postgres_server import PostgresServer
from synapse_sdk.backend.embedded.sqlite_file import SqliteFile
from synapse_sdk.backend.embedded.tables import METADATA
from synapse_sdk.backend.embedded.version import HEAD, VERSION, VERSION_TABLE, bring_up_to_date
from tests.conformance.backends import SCHEMAS

if TYPE_CHECKING:
    from tests.conformance.postgres_server import PostgresServer as RunningServer

type Prepare = Callable[[Connection], object]


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.full)])
def new_place(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Place]:
    """Returns a database without tables, another one each time."""
    if request.param == "sqlite":
        names = itertools.count()
        return lambda: SqliteFile(tmp_path / f"{next(names)}.db")
    server: RunningServer = request.getfixturevalue("postgres")
    return lambda: PostgresServer(f"{server.url}?schema=b{next(SCHEMAS)}")


def test_a_new_backend_has_the_tables_that_the_migrations_make(new_place: Callable[[], Place]) -> None:
    """Columns, keys, indexes and defaults; nobody adds a column without a migration."""
    at_once = _seen(new_place(), lambda connection: bring_up_to_date(connection, "new"), _shape)
    migrated = _seen(new_place(), migrate, _shape)

    assert at_once == migrated
    assert at_once.keys() == {*METADATA.tables, VERSION_TABLE}


def test_the_migrations_leave_nothing_to_be_done(new_place: Callable[[], Place]) -> None:
    """As Alembic sees it, which knows the types of ours."""

    def differences(connection: Connection) -> object:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        return compare_metadata(context, METADATA)

    assert _seen(new_place(), migrate, differences) == []


def test_a_new_backend_says_that_it_has_had_all_migrations(new_place: Callable[[], Place]) -> None:
    """Else the next one to open it would migrate it."""
    found = _seen(
        new_place(),
        lambda connection: bring_up_to_date(connection, "new"),
        lambda connection: connection.scalars(select(VERSION.c.version_num)).all(),
    )

    assert found == [HEAD]


def _seen[T](place: Place, prepare: Prepare, look: Callable[[Connection], T]) -> T:
    """Return what there is to see in a database after something was done to it."""
    engine = place.engine()
    try:
        with engine.execution_options(is_writing=True).begin() as connection:
            place.prepare(connection)
            prepare(connection)
            return look(connection)
    finally:
        engine.dispose()


def _shape(connection: Connection) -> dict[str, Any]:
    inspector = inspect(connection)
    return {name: _shape_of(inspector, name) | _kind_of(connection, name) for name in inspector.get_table_names()}


def _shape_of(inspector: Inspector, table: str) -> dict[str, Any]:
    """Return what a table consists of, whatever the order of its keys and indexes."""
    columns = [{**column, "type": repr(column["type"])} for column in inspector.get_columns(table)]
    return {
        "columns": columns,
        "primary key": inspector.get_pk_constraint(table),
        "references": _sorted(inspector.get_foreign_keys(table)),
        "unique": _sorted(inspector.get_unique_constraints(table)),
        "indexes": _sorted(inspector.get_indexes(table)),
    }


def _kind_of(connection: Connection, table: str) -> dict[str, bool]:
    """Return what SQLAlchemy does not tell of tables of SQLite."""
    if connection.dialect.name != "sqlite":
        return {}
    made = str(connection.scalar(text("SELECT sql FROM sqlite_master WHERE name = :table"), {"table": table}))
    return {each: each in made for each in ("AUTOINCREMENT", "WITHOUT ROWID")}


def _sorted(found: Any) -> list[str]:  # noqa: ANN401  # SQLAlchemy has a type for each
    return sorted(map(repr, found))

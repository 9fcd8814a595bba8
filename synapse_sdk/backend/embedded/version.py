"""Which migrations a database has had, and how it gets the others; known without loading what makes them."""

from sqlalchemy import Column, Connection, MetaData, PrimaryKeyConstraint, String, Table, insert, inspect, select

from synapse_sdk.backend.embedded.tables import METADATA
from synapse_sdk.errors import BackendVersionError

__all__ = ["HEAD", "VERSION_TABLE", "bring_up_to_date", "is_up_to_date"]

HEAD = "0003"
"""The newest migration; they are numbered in order."""
VERSION_TABLE = "backend_version"

VERSION = Table(
    VERSION_TABLE,
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name=f"{VERSION_TABLE}_pkc"),
)
"""As Alembic makes it."""


def is_up_to_date(connection: Connection, name: str) -> bool:
    """Whether a database has had all migrations.

    Args:
        connection: To the database.
        name: What errors call it.

    Raises:
        BackendVersionError: It has had one that this version of the package does not know.
    """
    if not inspect(connection).has_table(VERSION_TABLE):
        return False
    found = connection.scalar(select(VERSION.c.version_num))
    if found is not None and found > HEAD:
        msg = f"The backend {name} was made by a newer version of synapse_sdk"
        why = f"its tables are of version {found}, and this version knows {HEAD}"
        raise BackendVersionError(msg, why=why, fix="Upgrade synapse_sdk, or name another backend")
    return bool(found == HEAD)


def bring_up_to_date(connection: Connection, name: str) -> None:
    """Make the tables, or migrate those that are there, in the transaction that the caller has begun.

    A new database gets the tables at once, as the newest migration leaves them, and never needs Alembic, which takes
    long to import.

    Args:
        connection: To the database.
        name: What errors call it.

    Raises:
        BackendVersionError: As `is_up_to_date`.
    """
    if is_up_to_date(connection, name):  # another process may have been faster
        return
    if not inspect(connection).has_table(VERSION_TABLE):
        METADATA.create_all(connection, checkfirst=False)
        VERSION.create(connection)
        connection.execute(insert(VERSION).values(version_num=HEAD))
        return
    from synapse_sdk.backend.embedded.migrations import migrate  # noqa: PLC0415  # Alembic takes 0.4 s to import

    migrate(connection)

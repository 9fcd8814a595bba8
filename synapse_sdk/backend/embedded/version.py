"""Which migrations a database has had; known without loading what makes them."""

from sqlalchemy import Column, Connection, MetaData, Table, Text, inspect, select

from synapse_sdk.errors import BackendVersionError

__all__ = ["HEAD", "VERSION_TABLE", "is_up_to_date"]

HEAD = "0003"
"""The newest migration; they are numbered in order."""
VERSION_TABLE = "backend_version"

VERSION = Table(VERSION_TABLE, MetaData(), Column("version_num", Text))


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

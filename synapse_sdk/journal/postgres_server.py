"""Reaching the PostgreSQL server of a journal: its address, the session, the schema, and what its errors mean."""

from typing import TYPE_CHECKING, Any

from synapse_sdk.database_servers import DatabaseServer
from synapse_sdk.errors import JournalBusyError, JournalError, JournalFullError, JournalVersionError
from synapse_sdk.journal.sql import migrations

if TYPE_CHECKING:
    import psycopg

__all__ = ["Server"]

LOST = ("08", "57P")
"""What SQLSTATEs begin with that mean the connection is gone, or the server is going or coming."""


class Server(DatabaseServer):
    """The database in which a journal is.

    Args:
        url: `postgresql://user:password@host:port/database?schema=synapse`; other options go to libpq.
        read_only: Whether sessions only may read.

    Raises:
        ConfigurationError: The URL cannot be understood, or psycopg is missing.
    """

    def __init__(self, url: str, *, read_only: bool = False) -> None:
        super().__init__(url, use="journal")
        self._read_only = read_only

    def connect(self) -> "psycopg.Connection[Any]":
        """Open a session in which each statement is a transaction of its own, unless it says otherwise."""
        mode = "on" if self._read_only else "off"
        return self.session(f"default_transaction_read_only = {mode}", idle_seconds=10)

    def migrate(self, connection: "psycopg.Connection[Any]") -> None:
        """Make the schema, or bring it up to date; one process at a time.

        Raises:
            JournalError: There is none, and it may not be made.
            JournalVersionError: It was made by a newer version of this package.
        """
        scripts = migrations("postgres")
        if self._version(connection) == len(scripts):
            return
        if self._read_only:
            msg = f"There is no journal in {self.name}"
            raise JournalError(msg, fix="Name the database that is meant")
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"synapse journal {self.schema}"])
            connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{self.schema}"')
            connection.execute("CREATE TABLE IF NOT EXISTS version (number int NOT NULL)")
            connection.execute("INSERT INTO version SELECT 0 WHERE NOT EXISTS (SELECT FROM version)")
            for script in scripts[self._number(connection) :]:  # another process may have been faster
                connection.execute(script)
            connection.execute("UPDATE version SET number = %s", [len(scripts)])

    def is_lost(self, error: Exception, connection: "psycopg.Connection[Any] | None") -> bool:
        """Whether an error means that the connection is gone, rather than that a statement was refused."""
        state = getattr(error, "sqlstate", None) or ""
        return connection is None or connection.closed or connection.broken or state.startswith(LOST)

    def explained(self, error: Exception) -> JournalError:
        """Return the error of ours that says what an error of the driver means for a journal."""
        why = " ".join(str(error).split())
        state = getattr(error, "sqlstate", None) or ""
        if state == "55P03":
            fix = "Wait for the other to finish, or end it (pg_stat_activity shows it)"
            return JournalBusyError(f"The journal in {self.name} is locked", why=why, fix=fix)
        if state in {"42501", "25006"}:
            fix = f"GRANT CREATE ON DATABASE, or USAGE on the schema {self.schema} and all rights on its tables"
            return JournalError(f"The journal in {self.name} cannot be written", why=why, fix=fix)
        if state.startswith("53"):
            fix = "Free space on the server's disk, or connections, then try again"
            kind = JournalFullError if state == "53100" else JournalError
            return kind(f"The server of the journal in {self.name} is full", why=why, fix=fix)
        fix = "See that the server is there and lets this user in, then try again"
        return JournalError(f"The journal in {self.name} cannot be used", why=why, fix=fix)

    def _version(self, connection: "psycopg.Connection[Any]") -> int:
        query = "SELECT to_regclass(%s)"
        is_new = connection.execute(query, [f'"{self.schema}".version']).fetchone() == (None,)
        return 0 if is_new else self._number(connection)

    def _number(self, connection: "psycopg.Connection[Any]") -> int:
        row = connection.execute("SELECT number FROM version").fetchone()
        version, known = row[0] if row else 0, len(migrations("postgres"))
        if version > known:
            msg = f"The journal in {self.name} was written by a newer version of synapse_sdk"
            why = f"its schema is {version}, and this version knows {known}"
            raise JournalVersionError(msg, why=why, fix="Upgrade synapse_sdk, or name another journal")
        return int(version)

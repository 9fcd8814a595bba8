"""A backend in PostgreSQL: its address, its sessions, and what its errors mean."""

from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, create_engine, text

from synapse_sdk.database_servers import DatabaseServer
from synapse_sdk.errors import BackendError, BackendUnavailableError

if TYPE_CHECKING:
    import psycopg

__all__ = ["PostgresServer"]

PASSING = ("08", "57P", "40", "53", "55P03", "25P03")
"""What SQLSTATEs begin with that mean that the same may succeed later: no connection, a restart, locks, no room."""


class PostgresServer(DatabaseServer):
    """The database in which a backend is.

    Args:
        url: `postgresql://user:password@host:port/database?schema=synapse`; other options go to libpq.

    Raises:
        ConfigurationError: The URL cannot be understood, or psycopg is missing.
    """

    def __init__(self, url: str) -> None:
        super().__init__(url, use="backend")
        self.name = f"in {self.name}"

    def engine(self) -> Engine:
        """Return an engine that opens sessions on use, and replaces those that were lost meanwhile."""
        return create_engine("postgresql+psycopg://", creator=self._connect, pool_pre_ping=True)

    def prepare(self, connection: Connection) -> None:
        """Wait for other processes that make or migrate the tables, then make the schema."""
        lock = text("SELECT pg_advisory_xact_lock(hashtext(:name))")
        connection.execute(lock, {"name": f"synapse backend {self.schema}"})
        connection.exec_driver_sql(f'CREATE SCHEMA IF NOT EXISTS "{self.schema}"')

    def check(self, connection: Connection) -> None:
        """Refuse nothing: the schema is ours."""

    def explained(self, error: Exception) -> BackendError:
        """Return the error of ours that says what an error of the driver means for a backend."""
        why, state = " ".join(str(error).split()), getattr(error, "sqlstate", None) or ""
        if state in {"42501", "25006"}:
            fix = f"GRANT CREATE ON DATABASE, or USAGE on the schema {self.schema} and all rights on its tables"
            return BackendError(f"The backend {self.name} cannot be written", why=why, fix=fix)
        is_lost = not state and isinstance(error, self.psycopg.OperationalError)
        if is_lost or state.startswith(PASSING):
            fix = "See that the server is there, has room and lets this user in; then try again"
            return BackendUnavailableError(f"The backend {self.name} cannot be reached, or is busy", why=why, fix=fix)
        fix = "See that the server is there and lets this user in"
        return BackendError(f"The backend {self.name} cannot be used", why=why, fix=fix)

    def _connect(self) -> "psycopg.Connection[Any]":
        connection = self.session(idle_seconds=60)
        connection.autocommit = False
        return connection

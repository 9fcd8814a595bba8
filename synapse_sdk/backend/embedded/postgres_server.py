"""A backend in PostgreSQL: its address, its sessions, and what its errors mean."""

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from sqlalchemy import Connection, Engine, create_engine, text

from synapse_sdk.errors import BackendError, BackendUnavailableError, ConfigurationError

if TYPE_CHECKING:
    import psycopg

__all__ = ["PostgresServer"]

SCHEMA = "synapse"
"""The schema of the database in which the tables are, unless the URL names another."""
SECRETS = frozenset({"password", "sslpassword"})
SESSION = {"connect_timeout": "5", "tcp_user_timeout": "10000", "keepalives_idle": "10", "keepalives_interval": "5"}
"""What bounds the wait for a server that has fallen silent, where the URL does not say it (libpq's names)."""
PASSING = ("08", "57P", "40", "53", "55P03", "25P03")
"""What SQLSTATEs begin with that mean that the same may succeed later: no connection, a restart, locks, no room."""


class PostgresServer:
    """One database on a server, as a URL names it.

    Args:
        url: `postgresql://user:password@host:port/database?schema=synapse`; other options go to libpq.

    Raises:
        ConfigurationError: The URL cannot be understood, or psycopg is missing.
    """

    def __init__(self, url: str) -> None:
        self._psycopg = _driver()
        try:
            parts = urlsplit(url)
            options = dict(parse_qsl(parts.query, keep_blank_values=True))
            self.schema = options.pop("schema", SCHEMA)
            self.url = _without_secrets(url)
            self._address = urlunsplit(parts._replace(query=urlencode(options, quote_via=quote)))
            known = self._psycopg.conninfo.conninfo_to_dict(self._address)
            [int(port) for port in str(known.get("port", 5432)).split(",") if port]
        except (ValueError, self._psycopg.Error):
            msg = "The URL of the backend in PostgreSQL cannot be understood"
            fix = "Write postgresql://USER@HOST:PORT/DATABASE, with %40 for @ and %2F for / inside of a password"
            raise ConfigurationError(msg, fix=fix) from None  # what the driver says may show a part of the password
        if not re.fullmatch(r"[a-z_][a-z0-9_]{0,62}", self.schema):
            msg = f"The schema {self.schema!r} of the backend is not a plain name"
            raise ConfigurationError(msg, fix="Use small letters, digits and _, such as ?schema=synapse")
        self._options = {name: value for name, value in SESSION.items() if name not in known}
        place = f"{known.get('host', 'localhost')}:{known.get('port', 5432)}"
        self.name = f"in database {known.get('dbname', '')!r} at {place}"

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
        is_lost = not state and isinstance(error, self._psycopg.OperationalError)
        if is_lost or state.startswith(PASSING):
            fix = "See that the server is there, has room and lets this user in; then try again"
            return BackendUnavailableError(f"The backend {self.name} cannot be reached, or is busy", why=why, fix=fix)
        fix = "See that the server is there and lets this user in"
        return BackendError(f"The backend {self.name} cannot be used", why=why, fix=fix)

    def _connect(self) -> "psycopg.Connection[Any]":
        connection = self._psycopg.connect(self._address, autocommit=True, application_name="synapse", **self._options)
        try:
            # Commits wait for the server's disk, and nothing waits for ever: a worker may freeze in a transaction.
            settings = (
                "synchronous_commit = on",
                "lock_timeout = '10s'",
                "idle_in_transaction_session_timeout = '60s'",
                f'search_path = "{self.schema}"',
            )
            connection.execute("; ".join(f"SET {setting}" for setting in settings))
            connection.autocommit = False
        except BaseException:
            connection.close()
            raise
        return connection  # type: ignore[no-any-return]  # the driver may not be there


def _driver() -> Any:  # noqa: ANN401  # a module
    try:
        import psycopg  # noqa: PLC0415  # only this backend needs it
    except ImportError as error:
        msg = "A backend in PostgreSQL needs the package psycopg"
        fix = "Install it: pip install 'synapse-sdk[postgres]'"
        raise ConfigurationError(msg, why=str(error), fix=fix) from error
    return psycopg


def _without_secrets(url: str) -> str:
    parts = urlsplit(url)
    user, at, place = parts.netloc.rpartition("@")
    options = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name not in SECRETS]
    netloc = f"{user.partition(':')[0]}{at}{place}"
    return urlunsplit(parts._replace(netloc=netloc, query=urlencode(options, quote_via=quote)))

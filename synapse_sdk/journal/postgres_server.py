"""Reaching the PostgreSQL server of a journal: its address, the session, the schema, and what its errors mean."""

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from synapse_sdk.errors import ConfigurationError, JournalBusyError, JournalError, JournalVersionError
from synapse_sdk.journal.sql import migrations

if TYPE_CHECKING:
    import psycopg

__all__ = ["Server", "driver"]

SCHEMA = "synapse"
"""The schema of the database in which the tables are, unless the URL names another."""
SECRETS = frozenset({"password", "sslpassword"})
SESSION = {"connect_timeout": "5", "tcp_user_timeout": "10000", "keepalives_idle": "10", "keepalives_interval": "5"}
"""What bounds the wait for a server that has fallen silent, where the URL does not say it (libpq's names)."""
LOST = ("08", "57P")
"""What SQLSTATEs begin with that mean the connection is gone, or the server is going or coming."""


def driver() -> Any:  # noqa: ANN401  # a module
    """Return psycopg.

    Raises:
        ConfigurationError: It is not installed.
    """
    try:
        import psycopg  # noqa: PLC0415  # only this journal needs it
    except ImportError as error:
        msg = "A journal in PostgreSQL needs the package psycopg"
        fix = "Install it: pip install 'synapse-sdk[postgres]'"
        raise ConfigurationError(msg, why=str(error), fix=fix) from error
    return psycopg


class Server:
    """One database on a server, as a URL names it.

    Args:
        url: `postgresql://user:password@host:port/database?schema=synapse`; other options go to libpq.
        read_only: Whether sessions only may read.

    Raises:
        ConfigurationError: The URL cannot be understood, or psycopg is missing.
    """

    def __init__(self, url: str, *, read_only: bool = False) -> None:
        self.psycopg = driver()
        try:
            parts = urlsplit(url)
            options = dict(parse_qsl(parts.query, keep_blank_values=True))
            self.schema = options.pop("schema", SCHEMA)
            self.url = _without_secrets(url)
            self._address = urlunsplit(parts._replace(query=urlencode(options, quote_via=quote)))
            known = self.psycopg.conninfo.conninfo_to_dict(self._address)
            [int(port) for port in str(known.get("port", 5432)).split(",") if port]
        except (ValueError, self.psycopg.Error):
            msg = "The URL of the journal in PostgreSQL cannot be understood"
            fix = "Write postgresql://USER@HOST:PORT/DATABASE, with %40 for @ and %2F for / inside of a password"
            raise ConfigurationError(msg, fix=fix) from None  # what the driver says may show a part of the password
        if not re.fullmatch(r"[a-z_][a-z0-9_]{0,62}", self.schema):
            msg = f"The schema {self.schema!r} of the journal is not a plain name"
            raise ConfigurationError(msg, fix="Use small letters, digits and _, such as ?schema=synapse")
        self._options = {name: value for name, value in SESSION.items() if name not in known}
        self._read_only = read_only
        self.name = (
            f"database {known.get('dbname', '')!r} at {known.get('host', 'localhost')}:{known.get('port', 5432)}"
        )

    def connect(self) -> "psycopg.Connection[Any]":
        """Open a session in which each statement is a transaction of its own, unless it says otherwise."""
        connection = self.psycopg.connect(self._address, autocommit=True, application_name="synapse", **self._options)
        try:
            self._settle(connection)
        except BaseException:
            connection.close()
            raise
        return connection  # type: ignore[no-any-return]  # the driver may not be there

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
            return JournalError(f"The server of the journal in {self.name} is full", why=why, fix=fix)
        fix = "See that the server is there and lets this user in, then try again"
        return JournalError(f"The journal in {self.name} cannot be used", why=why, fix=fix)

    def _settle(self, connection: "psycopg.Connection[Any]") -> None:
        """Have commits wait for the server's disk, and nothing wait for ever: a worker may freeze in a transaction."""
        mode = "on" if self._read_only else "off"
        settings = (
            "synchronous_commit = on",
            "lock_timeout = '10s'",
            "idle_in_transaction_session_timeout = '10s'",
            f'search_path = "{self.schema}"',
            f"default_transaction_read_only = {mode}",
        )
        connection.execute("; ".join(f"SET {setting}" for setting in settings))

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


def _without_secrets(url: str) -> str:
    parts = urlsplit(url)
    user, at, place = parts.netloc.rpartition("@")
    options = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name not in SECRETS]
    netloc = f"{user.partition(':')[0]}{at}{place}"
    return urlunsplit(parts._replace(netloc=netloc, query=urlencode(options, quote_via=quote)))

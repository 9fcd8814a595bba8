"""Reaching a database on a PostgreSQL server: its address, what may be shown of it, and a session."""

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from synapse_sdk.errors import ConfigurationError

if TYPE_CHECKING:
    import psycopg

__all__ = ["DatabaseServer"]

SCHEMA = "synapse"
"""The schema of the database in which the tables are, unless the URL names another."""
SECRETS = frozenset({"password", "sslpassword"})
SESSION = {"connect_timeout": "5", "tcp_user_timeout": "10000", "keepalives_idle": "10", "keepalives_interval": "5"}
"""What bounds the wait for a server that has fallen silent, where the URL does not say it (libpq's names)."""


class DatabaseServer:
    """One database on a server, as a URL names it.

    Args:
        url: `postgresql://user:password@host:port/database?schema=synapse`; other options go to libpq.
        use: What is kept there, as errors name it: "journal" or "backend".

    Raises:
        ConfigurationError: The URL cannot be understood, or psycopg is missing.
    """

    def __init__(self, url: str, *, use: str) -> None:
        self.psycopg = _driver(use)
        try:
            parts = urlsplit(url)
            options = dict(parse_qsl(parts.query, keep_blank_values=True))
            self.schema = options.pop("schema", SCHEMA)
            self.url = _without_secrets(url)
            self._address = urlunsplit(parts._replace(query=urlencode(options, quote_via=quote)))
            known = self.psycopg.conninfo.conninfo_to_dict(self._address)
            [int(port) for port in str(known.get("port", 5432)).split(",") if port]
        except (ValueError, self.psycopg.Error):
            msg = f"The URL of the {use} in PostgreSQL cannot be understood"
            fix = "Write postgresql://USER@HOST:PORT/DATABASE, with %40 for @ and %2F for / inside of a password"
            raise ConfigurationError(msg, fix=fix) from None  # what the driver says may show a part of the password
        if not re.fullmatch(r"[a-z_][a-z0-9_]{0,62}", self.schema):
            msg = f"The schema {self.schema!r} of the {use} is not a plain name"
            raise ConfigurationError(msg, fix="Use small letters, digits and _, such as ?schema=synapse")
        self._options = {name: value for name, value in SESSION.items() if name not in known}
        self.name = (
            f"database {known.get('dbname', '')!r} at {known.get('host', 'localhost')}:{known.get('port', 5432)}"
        )

    def session(self, *settings: str, idle_seconds: int) -> "psycopg.Connection[Any]":
        """Open a session in which each statement is a transaction of its own, unless it says otherwise.

        Commits wait for the server's disk, and nothing waits for ever: a worker may freeze in a transaction.

        Args:
            settings: What else the session is told, such as "default_transaction_read_only = on".
            idle_seconds: How long a transaction may rest before the server ends the session.
        """
        connection = self.psycopg.connect(self._address, autocommit=True, application_name="synapse", **self._options)
        settings = (
            *settings,
            "synchronous_commit = on",
            "lock_timeout = '10s'",
            f"idle_in_transaction_session_timeout = '{idle_seconds}s'",
            f'search_path = "{self.schema}"',
        )
        try:
            connection.execute("; ".join(f"SET {setting}" for setting in settings))
        except BaseException:
            connection.close()
            raise
        return connection  # type: ignore[no-any-return]  # the driver may not be there


def _driver(use: str) -> Any:  # noqa: ANN401  # a module
    try:
        import psycopg  # noqa: PLC0415  # only PostgreSQL needs it
    except ImportError as error:
        msg = f"A {use} in PostgreSQL needs the package psycopg"
        fix = "Install it: pip install 'synapse-sdk[postgres]'"
        raise ConfigurationError(msg, why=str(error), fix=fix) from error
    return psycopg


def _without_secrets(url: str) -> str:
    parts = urlsplit(url)
    user, at, place = parts.netloc.rpartition("@")
    options = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name not in SECRETS]
    netloc = f"{user.partition(':')[0]}{at}{place}"
    return urlunsplit(parts._replace(netloc=netloc, query=urlencode(options, quote_via=quote)))

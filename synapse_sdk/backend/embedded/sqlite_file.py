"""A backend in an SQLite file, or in memory: which files are fit for it, and what SQLite's errors mean."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import QueuePool, StaticPool

from synapse_sdk.backend.embedded.compiled import COMPILED_FOR_SQLITE
from synapse_sdk.database_files import (
    IDENTITY,
    file_system,
    is_shared_between_machines,
    lock_holder,
    other_than_file,
    use_wal,
)
from synapse_sdk.errors import BackendError, BackendUnavailableError

__all__ = ["SqliteFile", "SqliteMemory"]

APPLICATION_ID = 0x53594E42
"""Marks a database file as a backend of ours (`SYNB`; SQLite keeps it in the file's header)."""
BUSY_SECONDS = 10.0
"""How long to wait for others that write."""
ANOTHER = "Name another file (--backend FILE, SYNAPSE_BACKEND)"


class SqliteFile:
    """The file of a backend.

    Args:
        path: Where it is; it is made, with its folder, if it is not there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.url = f"sqlite:///{path.absolute()}"
        self.name = repr(str(path))

    def engine(self) -> Engine:
        """Return an engine that opens connections on use.

        Raises:
            BackendError: The file cannot be one.
        """
        if found := other_than_file(self.path):
            fix = f"Name a file, such as {self.path / 'backend.db'}" if self.path.is_dir() else "Name a file"
            msg = f"The backend {self.name} is {found}"
            raise BackendError(msg, fix=fix, path=self.path)
        kind = file_system(self.path)
        if is_shared_between_machines(kind):
            msg = f"The backend {self.name} lies on a network file system ({kind})"
            why = "locks do not hold there, and two writers would destroy it"
            raise BackendError(msg, why=why, fix="Put it on a local disk, or use postgresql://", path=self.path)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self.explained(error) from error
        return _engine(self._connect, poolclass=QueuePool, max_overflow=-1)

    def check(self, connection: Connection) -> None:
        """Refuse a database of somebody else, and see that ours is in WAL mode.

        Raises:
            BackendError: It is another's, or lies where SQLite cannot have it in WAL mode.
        """
        tables, version, mark = connection.exec_driver_sql(IDENTITY).one()
        if mark != APPLICATION_ID and (mark or version or tables):
            msg = f"{self.name} is a database, and not a backend"
            raise BackendError(msg, fix=ANOTHER, path=self.path)
        if not connection.get_execution_options().get("is_writing"):
            connection.rollback()  # the mode cannot be changed in a transaction
            self._keep_in_wal(connection)

    def prepare(self, connection: Connection) -> None:
        """Mark the file as a backend; that the transaction writes keeps other processes away."""
        connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")

    def explained(self, error: Exception) -> BackendError:
        """Return the error of ours that says what an error of SQLite or the system means for a backend."""
        name, why = getattr(error, "sqlite_errorname", "") or "", str(error)
        if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            holder = lock_holder(self.path)
            who = f"process {holder}" if holder is not None else "another process"
            msg, fix = f"The backend {self.name} is locked by {who}", f"Wait for {who} to finish, or end it"
            return BackendUnavailableError(msg, why=why, fix=fix, path=self.path)
        if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
            msg = f"The backend {self.name} is damaged, or no database at all"
            return BackendError(msg, why=why, fix=f"Restore it from a copy. {ANOTHER}", path=self.path)
        if name == "SQLITE_FULL" or getattr(error, "errno", None) == 28:  # noqa: PLR2004  # ENOSPC
            fix = f"Free space on the disk of {self.path.parent}"
            return BackendError(f"The disk of the backend {self.name} is full", why=why, fix=fix, path=self.path)
        if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")) or isinstance(error, OSError):
            return BackendError(f"The backend {self.name} cannot be written", why=why, fix=ANOTHER, path=self.path)
        return BackendError(f"The backend {self.name} cannot be used", why=why, fix=ANOTHER, path=self.path)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, timeout=BUSY_SECONDS)
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = FULL")
        return connection

    def _keep_in_wal(self, connection: Connection) -> None:
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)  # noqa: S101  # for the type checker
        try:
            mode = use_wal(driver, BUSY_SECONDS)
        except sqlite3.OperationalError as error:
            raise self.explained(error) from error
        if mode != "wal":
            msg = f"The backend {self.name} cannot be kept in WAL mode; SQLite says {mode!r}"
            raise BackendError(msg, fix="Put it on a local disk (ext4, xfs, APFS)", path=self.path)


class SqliteMemory(SqliteFile):
    """A backend in the memory of this process, for as long as it is open."""

    def __init__(self) -> None:
        super().__init__(Path(":memory:"))
        self.url, self.name = "memory:", "in memory"

    def engine(self) -> Engine:
        """Return an engine with one connection, which all threads share."""
        return _engine(self._connect, poolclass=StaticPool)

    def check(self, connection: Connection) -> None:
        """Refuse nothing."""


def _engine(connect: Callable[[], sqlite3.Connection], **pool: Any) -> Engine:  # noqa: ANN401  # options of SQLAlchemy
    kept = {"compiled_cache": COMPILED_FOR_SQLITE}
    engine = create_engine("sqlite://", creator=connect, execution_options=kept, **pool)
    event.listen(engine, "begin", _begin)
    return engine


def _begin(connection: Connection) -> None:
    """Begin as the transaction needs it: one that writes waits for its turn here, and never half-way."""
    is_writing = connection.get_execution_options().get("is_writing")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writing else "BEGIN")

"""A ledger: what became of each of many things, in a file of the run's own, so that memory does not grow."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

from synapse_sdk.errors import StorageError, StorageFullError

__all__ = ["LedgerFile", "Row"]

type Row = tuple[Any, ...]

PAGE = 500
LARGE_PAGE = 4 * 1024 * 1024
"""Bytes of documents with which a page is full."""


class LedgerFile:
    """The file of a ledger, its tables and its transactions; used by one thread. What is committed survives power loss.

    Args:
        path: The file, which is made if it is not there.

    Raises:
        StorageFullError, StorageError: From every method: the file cannot be written or read.
    """

    what: ClassVar[str]
    """Of what it is the ledger, for errors: `the export`."""
    schema: ClassVar[str]
    """The statements that make its tables."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with self.explained():
            path.parent.mkdir(parents=True, exist_ok=True)
            self.connection = sqlite3.connect(path, isolation_level=None)
            self.connection.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;")
        with self.writing() as connection:
            is_new = connection.execute("PRAGMA user_version").fetchone()[0] == 0
            for statement in filter(str.strip, f"{self.schema}; PRAGMA user_version = 1".split(";") if is_new else ()):
                connection.execute(statement)

    def close(self) -> None:
        """Let go of the file; safe to call twice."""
        self.connection.close()

    def one(self, statement: str, *values: object) -> Row | None:
        """Return the first row; None if there is none."""
        with self.explained():
            row: Row | None = self.connection.execute(statement, values).fetchone()
            return row

    def pages(self, statement: str, *values: object, after: int | str = 0) -> Iterator[Row]:
        """Yield rows page by page.

        The first column tells where to go on; the last two values of the statement are that place and how many to read.
        """
        while True:
            with self.explained():
                rows = _page(self.connection.execute(statement, (*values, after, PAGE)))
            if not rows:
                return
            yield from rows
            after = rows[-1][0]

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Make what is done in the block one transaction, or part of the one that is open."""
        connection = self.connection
        with self.explained():
            if connection.in_transaction:
                yield connection
                return
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:  # some errors have ended it
                    connection.execute("ROLLBACK")
                raise

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Say of what the file is the ledger, when it cannot be used."""
        try:
            yield
        except sqlite3.Error as error:
            name = getattr(error, "sqlite_errorname", "")
            kind = StorageFullError if name in {"SQLITE_FULL", "SQLITE_IOERR_WRITE"} else StorageError
            msg = f"The ledger of {self.what}, {str(self.path)!r}, cannot be used"
            raise kind(msg, why=str(error), fix=f"Free some space there, and run {self.what} again") from error


def _page(cursor: sqlite3.Cursor) -> list[Row]:
    """Return the rows of a page: the first ones only, if what they hold is large."""
    rows, size = list[Row](), 0
    for row in cursor:
        rows.append(row)
        size += sum(len(value) for value in row if isinstance(value, bytes))
        if size >= LARGE_PAGE:
            break
    cursor.close()
    return rows

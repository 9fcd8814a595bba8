"""The ledger of an export: what became of every item, in a file of the run's own, so that memory does not grow.

An item is written down when it was converted, and settled when its files are there. A process that dies in between
finds what it has to do again: items behind the last that was converted, and those that are not settled.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from synapse_sdk.plugins.actions.export.records import (
    DOCUMENTS,
    Entry,
    Failure,
    ItemState,
    Problem,
    Rename,
    SavedFile,
    Settlement,
)
from synapse_sdk.plugins.actions.ledger_file import LedgerFile

__all__ = ["Ledger"]

SCHEMA = """
CREATE TABLE items (
    number INTEGER PRIMARY KEY, id INTEGER NOT NULL, category TEXT NOT NULL, state TEXT NOT NULL, content BLOB,
    name TEXT NOT NULL,
    reason TEXT NOT NULL DEFAULT '', words TEXT NOT NULL DEFAULT '', trace TEXT NOT NULL DEFAULT ''
);
CREATE INDEX items_by_state ON items (state, number);
CREATE TABLE names (folder TEXT, folded TEXT, PRIMARY KEY (folder, folded)) WITHOUT ROWID;
CREATE TABLE renames (number INTEGER, wanted TEXT, given TEXT);
CREATE TABLE problems (kind TEXT, number INTEGER, name TEXT, words TEXT);
CREATE TABLE files (path TEXT PRIMARY KEY, number INTEGER, size INTEGER, sha256 TEXT, stamp INTEGER) WITHOUT ROWID;
CREATE TABLE chosen (number INTEGER PRIMARY KEY, id INTEGER NOT NULL, content BLOB NOT NULL);
"""
ADDED = "INSERT INTO items VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
SETTLED = "UPDATE items SET state = ?, content = NULL, reason = ?, words = ?, trace = ? WHERE number = ? AND state = ?"
LEFT_OUT = ("LEFT_OUT", "a step has left it out")


class Ledger(LedgerFile):
    """Keeps account of an export; used by one thread.

    Args:
        path: The file, which is made if it is not there.

    Raises:
        StorageFullError, StorageError: From every method: the file cannot be written or read.
    """

    what = "the export"
    schema = SCHEMA

    # Converting

    def add(self, entries: Iterable[Entry], renames: Iterable[Rename] = ()) -> None:
        """Write items down, with the files that are renamed because of them; all or none."""
        with self.writing() as connection:
            rows = ((e.number, e.id, e.category, e.state, e.content, e.name, *_told(e.failure)) for e in entries)
            connection.executemany(ADDED, rows)
            connection.executemany(
                "INSERT INTO renames VALUES (?, ?, ?)", ((each.number, each.wanted, each.given) for each in renames)
            )

    @contextmanager
    def claiming(self) -> Iterator["Ledger"]:
        """Make what is done in the block one transaction: names that were claimed go with the items they are for."""
        with self.writing():
            yield self

    def claim(self, folder: str, folded: str) -> bool:
        """Take a name, in the form in which names are compared; return whether it was free."""
        with self.explained():
            claimed = self.connection.execute("INSERT OR IGNORE INTO names VALUES (?, ?)", (folder, folded))
            return claimed.rowcount == 1

    def last(self) -> tuple[int, int]:
        """Return number and id of the item that was converted last; zeros before the first."""
        row = self.one("SELECT number, id FROM items ORDER BY number DESC LIMIT 1")
        return (0, 0) if row is None else (row[0], row[1])

    # Saving

    def settle(self, settlements: Sequence[Settlement]) -> None:
        """Note what became of items; all or none. What was settled before, by whatever process, stays as it is."""
        with self.writing() as connection:
            settlements = [each for each in settlements if self._settled(connection, each)]
            self._add_files(connection, (file for each in settlements for file in each.files))
            connection.executemany(
                "INSERT INTO problems VALUES (?, ?, ?, ?)",
                [
                    (problem.kind, each.number, problem.name, problem.words)
                    for each in settlements
                    for problem in each.problems
                ],
            )

    def add_files(self, files: Iterable[SavedFile]) -> None:
        """Note files that belong to no item."""
        with self.writing() as connection:
            self._add_files(connection, files)

    def name_of(self, number: int) -> str | None:
        """Return what the document of a converted item is called; None if there is no such item, or it is settled."""
        row = self.one("SELECT name FROM items WHERE number = ? AND state = ?", number, ItemState.CONVERTED)
        return None if row is None else str(row[0])

    def forget_files(self, paths: Iterable[str]) -> None:
        """Forget files that are not there any more."""
        with self.writing() as connection:
            connection.executemany("DELETE FROM files WHERE path = ?", [(path,) for path in paths])

    def replace_converted(self, items: Iterable[tuple[int, str, bytes]]) -> None:
        """Give converted items, by number, another name and content; those that are not given are skipped."""
        with self.writing() as connection:
            connection.execute("CREATE TEMP TABLE IF NOT EXISTS given (number INTEGER PRIMARY KEY, name, content)")
            connection.execute("DELETE FROM given")
            connection.executemany("INSERT INTO given VALUES (?, ?, ?)", items)
            connection.execute(
                "UPDATE items SET state = ?, content = NULL, reason = ?, words = ?"
                " WHERE state = ? AND number NOT IN (SELECT number FROM given)",
                (ItemState.SKIPPED, *LEFT_OUT, ItemState.CONVERTED),
            )
            connection.execute(
                "UPDATE items SET name = given.name, content = given.content FROM given"
                " WHERE items.number = given.number AND state = ?",
                (ItemState.CONVERTED,),
            )

    # Items that a step has chosen instead of those that were found

    def choose(self, items: Iterable[tuple[int, bytes]]) -> int:
        """Write down which items are to be exported, by id and as JSON; return how many."""
        with self.writing() as connection:
            # First beside those that were chosen before, which the new ones may be read from.
            connection.execute("CREATE TEMP TABLE IF NOT EXISTS choosing (number INTEGER PRIMARY KEY, id, content)")
            connection.execute("DELETE FROM choosing")
            connection.executemany("INSERT INTO choosing (id, content) VALUES (?, ?)", items)
            connection.execute("DELETE FROM chosen")
            connection.execute("INSERT INTO chosen SELECT number, id, content FROM choosing")
            connection.execute("DELETE FROM choosing")
            return int(connection.execute("SELECT count(*) FROM chosen").fetchone()[0])

    def chosen(self, after: int = 0) -> Iterator[tuple[int, bytes]]:
        """Yield number and JSON of the chosen items behind a number."""
        statement = "SELECT number, content FROM chosen WHERE number > ? ORDER BY number LIMIT ?"
        return ((row[0], row[1]) for row in self.pages(statement, after=after))

    # Reading

    def count(self, *states: ItemState) -> int:
        """Return how many items there are, of these states, or of all if none is given."""
        row = self.one("SELECT count(*) FROM items WHERE state IN (SELECT value FROM json_each(?))", _listed(states))
        return 0 if row is None else int(row[0])

    def entries(self, *states: ItemState, after: int = 0) -> Iterator[Entry]:
        """Yield items in order, those behind `after`; of these states, or of all if none is given.

        Items may be settled meanwhile.
        """
        for number, identity, state, content, name, reason, words, trace in self.pages(
            "SELECT number, id, state, content, name, reason, words, trace FROM items"
            " WHERE state IN (SELECT value FROM json_each(?)) AND number > ? ORDER BY number LIMIT ?",
            _listed(states),
            after=after,
        ):
            failure = Failure(reason=reason, words=words, trace=trace)
            state_now = ItemState(state)
            yield Entry(number=number, id=identity, state=state_now, content=content, name=name, failure=failure)

    def files(self) -> Iterator[SavedFile]:
        """Yield the files of the export, sorted by path."""
        statement = (
            "SELECT path, size, sha256, number, stamp, id, coalesce(category, '')"
            " FROM files LEFT JOIN items USING (number) WHERE path > ? ORDER BY path LIMIT ?"
        )
        return (SavedFile(*row) for row in self.pages(statement, after=""))

    def original_bytes(self) -> int:
        """Return the bytes of all files of items that are no documents."""
        row = self.one("SELECT total(size) FROM files WHERE number NOTNULL AND path NOT GLOB ?", f"{DOCUMENTS}/*")
        return 0 if row is None else int(row[0])

    def owners(self, paths: Sequence[str]) -> dict[str, int | None]:
        """Return, by path, of which items the files among these are."""
        statement = "SELECT path, number FROM files WHERE path IN (SELECT value FROM json_each(?))"
        with self.explained():
            return dict(self.connection.execute(statement, (json.dumps(paths),)))

    def stamps(self, paths: Sequence[str]) -> dict[str, int]:
        """Return, by path, when the files among these were written last."""
        statement = "SELECT path, stamp FROM files WHERE path IN (SELECT value FROM json_each(?))"
        with self.explained():
            return dict(self.connection.execute(statement, (json.dumps(paths),)))

    def renames(self) -> Iterator[tuple[Rename, bool]]:
        """Yield the files that could not keep their names, in order, and whether each was saved."""
        statement = (
            "SELECT rowid, number, wanted, given, EXISTS (SELECT 1 FROM files WHERE path = given)"
            " FROM renames WHERE rowid > ? ORDER BY rowid LIMIT ?"
        )
        return ((Rename(*row[1:4]), bool(row[4])) for row in self.pages(statement))

    def problems(self, kind: str) -> Iterator[Problem]:
        """Yield the files of one kind that could not be saved, in order."""
        statement = "SELECT rowid, kind, name, words FROM problems WHERE kind = ? AND rowid > ? ORDER BY rowid LIMIT ?"
        return (Problem(*row[1:]) for row in self.pages(statement, kind))

    # How

    @staticmethod
    def _settled(connection: sqlite3.Connection, each: Settlement) -> bool:
        values = (each.state, *_told(each.failure), each.number, ItemState.CONVERTED)
        return connection.execute(SETTLED, values).rowcount == 1

    @staticmethod
    def _add_files(connection: sqlite3.Connection, files: Iterable[SavedFile]) -> None:
        rows = ((each.path, each.number, each.size, each.sha256, each.stamp) for each in files)
        connection.executemany("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?)", rows)


def _told(failure: Failure) -> tuple[str, str, str]:
    return failure.reason, failure.words, failure.trace


def _listed(states: tuple[ItemState, ...]) -> str:
    return json.dumps([str(state) for state in states or ItemState])

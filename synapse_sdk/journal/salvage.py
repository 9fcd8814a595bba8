"""Reading what is left of a damaged SQLite journal, without changing it."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synapse_sdk.errors import JournalCorruptedError
from synapse_sdk.journal.model import ENDED, Frame, first_digest
from synapse_sdk.journal.sql import queries
from synapse_sdk.journal.sqlite_file import APPLICATION_ID
from synapse_sdk.journal.state import RunState
from synapse_sdk.reporting.events import RunStatus

__all__ = ["SavedRun", "open_damaged", "saved_runs"]

GAP = 1000
"""How many numbers without a run mean that there is none behind them, where the last number cannot be read."""
UNREADABLE = (ValueError, TypeError, KeyError, AttributeError, LookupError)


@dataclass(frozen=True, slots=True)
class SavedRun:
    """What is left of one run."""

    number: int
    row: dict[str, Any] | None
    """Its columns, with the status that follows from its frames; None if they are lost."""
    frames: tuple[Frame, ...]
    """Those from the first up to where the chain breaks."""
    problem: str | None
    """What is not as it was."""


@contextmanager
def open_damaged(path: Path) -> Iterator[sqlite3.Connection]:
    """Yield a connection that reads whatever can be read.

    Raises:
        JournalCorruptedError: It cannot be told apart from a file of any other kind.
    """
    wal = path.with_name(path.name + "-wal")
    has_more = wal.is_file() and wal.stat().st_size > 0  # commits that are not yet in the file itself
    mode = "mode=ro" if has_more else "mode=ro&immutable=1"
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?{mode}", uri=True, isolation_level=None)) as connection:
        connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
        mark, why = None, "it is not marked as one"
        try:
            connection.execute("PRAGMA writable_schema = ON")  # lets it read a file that is shorter than it says it is
            mark = connection.execute("PRAGMA application_id").fetchone()[0]
            connection.execute("SELECT number FROM run LIMIT 0")
            connection.execute("SELECT id FROM frame LIMIT 0")
        except sqlite3.Error as error:
            mark, why = None, str(error)
        if mark != APPLICATION_ID:
            msg = f"Nothing can be saved from {str(path)!r}: it cannot be read as a journal"
            raise JournalCorruptedError(msg, why=why, fix="Restore it from a copy", path=path)
        yield connection


def saved_runs(connection: sqlite3.Connection) -> Iterator[SavedRun]:
    """Yield what is left of each run, the oldest first."""
    last, misses, number = _last_number(connection), 0, 0
    while (number < last) if last is not None else (misses < GAP):
        number += 1
        run = _saved_run(connection, number)
        misses = misses + 1 if run is None else 0
        if run is not None:
            yield run


def _last_number(connection: sqlite3.Connection) -> int | None:
    """Return the highest number that a run has had; None if that is lost."""
    for query in ("SELECT seq FROM sqlite_sequence WHERE name = 'run'", "SELECT max(number) FROM run"):
        with suppress(sqlite3.Error):
            row = connection.execute(query).fetchone()
            if row is not None and isinstance(row[0], int):
                return row[0]
    return None


def _saved_run(connection: sqlite3.Connection, number: int) -> SavedRun | None:
    row, problem = None, "what it is about cannot be read"
    try:
        found = connection.execute(queries("sqlite")["saved_run"], {"number": number}).fetchone()
        if found is None:
            return None
        row = dict(
            zip(
                ("id", "source", "status", "created_at", "ended_at", "token", "cancel_at", "cancel_by"),
                found,
                strict=True,
            )
        )
        json.loads(row["source"])["action"].encode("utf-8")
        row["id"].encode("utf-8")
    except (sqlite3.Error, *UNREADABLE) as error:
        return SavedRun(number, None, (), f"{problem}: {error}")
    frames, broken = _valid_frames(connection, number, first_digest(row["id"], row["source"]))
    mended = _mended(row, frames)
    if broken is None and mended["status"] != row["status"]:
        broken = f"it was {row['status']!r}, and its frames only say {mended['status']!r}"
    return SavedRun(number, mended, frames, broken)


def _valid_frames(connection: sqlite3.Connection, number: int, digest: bytes) -> tuple[tuple[Frame, ...], str | None]:
    """Return a run's frames up to where the chain breaks, and why it does; None if it is whole."""
    frames: list[Frame] = []
    last = 0
    try:
        for row in connection.execute(queries("sqlite")["saved_frames"], {"number": number}):
            frame = Frame(*row)
            if not isinstance(frame.text, str) or not frame.follows(last, digest):
                return tuple(frames), f"frame {last + 1} is missing or was changed; {last} before it are whole"
            frames.append(frame)
            last, digest = frame.number, frame.digest
    except (sqlite3.Error, *UNREADABLE) as error:
        return tuple(frames), f"frame {last + 1} cannot be read: {error}; {last} before it are whole"
    return tuple(frames), None


def _mended(row: dict[str, Any], frames: tuple[Frame, ...]) -> dict[str, Any]:
    """Return the columns of a run as its frames bear them out: an end that they do not tell of is not believed."""
    status = _status(row, frames)
    whole = {name: row[name] if isinstance(row[name], int) else None for name in ("ended_at", "token", "cancel_at")}
    return {
        **row,
        **whole,
        "status": str(status),
        "created_at": row["created_at"] if isinstance(row["created_at"], int) else 0,
        "ended_at": whole["ended_at"] if status in ENDED else None,
        "token": whole["token"] or 0,
        "cancel_by": row["cancel_by"] if whole["cancel_at"] is not None else None,
    }


def _status(row: dict[str, Any], frames: tuple[Frame, ...]) -> RunStatus:
    state = RunState(digest=first_digest(row["id"], row["source"]))
    try:
        for frame in frames:
            state.add(frame)
    except UNREADABLE:  # events of a newer version
        return RunStatus.RUNNING
    known = row["status"] in set(RunStatus)
    return state.status if not known or RunStatus(row["status"]) in ENDED else RunStatus(row["status"])

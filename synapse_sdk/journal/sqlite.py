"""A journal in an SQLite file: no server, and safe against the death of the process and of the machine's power."""

import json
import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import quote

from synapse_sdk.clock import Clock, SystemClock
from synapse_sdk.errors import JournalError
from synapse_sdk.journal import refusals
from synapse_sdk.journal.base import LEASE_SECONDS
from synapse_sdk.journal.model import ENDED, Frame, Lease, RunId, RunRecord, RunSource, first_digest
from synapse_sdk.journal.owner import Owner
from synapse_sdk.journal.rows import as_microseconds, as_record
from synapse_sdk.journal.sql import queries
from synapse_sdk.journal.sqlite_file import connect, explained, release_ballast
from synapse_sdk.reporting.events import RunStatus

__all__ = ["BootClock", "Level", "SqliteJournal"]

type Level = Literal["power", "group", "kill"]
"""What a committed frame survives: the loss of power, the same within a moment, or the death of the process."""

GROUP_COMMITS = 64
"""Commits after which the level `group` waits for the disk."""
GROUP_SECONDS = 0.1
"""Seconds after which it does, with the next commit."""
MOST_FRAMES = (1 << 32) - 1
"""The part of a frame's id that is its number; the rest is that of its run."""
FRAMES_AT_ONCE = 500
"""Frames that are read in one go."""
NO_RUN = 1 << 31
"""More than any run's number."""


class BootClock(SystemClock):
    """The clock of this machine; its seconds mean the same in every process until the machine is started anew."""

    def monotonic(self) -> float:
        """Return seconds since the boot, where the system counts them, the time asleep included."""
        return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class SqliteJournal:
    """Runs in a file.

    Args:
        path: The file; it and its folder are made if need be.
        level: What a frame has survived when `append` returns. `power`: the loss of power (each commit waits for the
            disk). `group`: the death of the process, and the loss of power after 64 commits or 0.1 s. `kill`: the
            death of the process; a power cut may take the last seconds, and never leaves half a frame.
        read_only: Only look, also where nothing can be written.
        clock: Where instants and the time of leases come from.
        network_is_fine: Do not refuse a network file system; only for one machine at a time.

    Raises:
        JournalError: The file cannot be used; the message says why and what to do.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        level: Level = "power",
        read_only: bool = False,
        clock: Clock | None = None,
        network_is_fine: bool = False,
    ) -> None:
        self.path = Path(path).absolute()
        self.url = f"sqlite://{quote(os.fsencode(self.path))}"
        self.level = level
        self._clock = clock or BootClock()
        self._read_only = read_only
        self._network_is_fine = network_is_fine
        self._lock = threading.RLock()
        self._sql = queries("sqlite")
        self._append_sql = self._sql["append"]
        self._numbers: dict[str, int] = {}  # of runs that are written here; a run keeps its number for ever
        self._commits, self._synced_at = 0, 0.0
        self._is_closed = False
        self._repair = f"Save what can be saved: synapse journal repair {self.path}"
        self._connection = self._connect()

    def _connect(self) -> sqlite3.Connection:
        synchronous = "FULL" if self.level == "power" else "NORMAL"
        return connect(
            self.path, synchronous=synchronous, read_only=self._read_only, network_is_fine=self._network_is_fine
        )

    def create_run(self, run_id: RunId, source: RunSource) -> RunRecord:
        """Note that a run is about to begin."""
        with self._writing() as execute:
            values = {"id": run_id, "source": source.to_text(), "now": as_microseconds(self._clock.now())}
            if not execute(self._sql["create_run"], values).rowcount:
                raise refusals.already_there(run_id, self.url)
        return self.run(run_id)

    def run(self, run_id: str) -> RunRecord:
        """Return a run."""
        return as_record(self._row(run_id), self._repair)

    def runs(
        self, *, statuses: Sequence[RunStatus] = (), limit: int | None = None, before: str | None = None
    ) -> list[RunRecord]:
        """Return runs, the newest first."""
        values = {
            "before": NO_RUN if before is None else self._row(before)[0],
            "statuses": json.dumps([str(status) for status in statuses]),
            "limit": -1 if limit is None else limit,
            "clock": self._clock.monotonic(),
        }
        return [as_record(row, self._repair) for row in self._read("runs", values)]

    def acquire_lease(self, run_id: str, owner: Owner, duration: float = LEASE_SECONDS) -> Lease:
        """Make a run this worker's own."""
        with self._writing() as execute:
            run = self.run(run_id)
            if run.is_owned:
                raise refusals.held(run)
            values = {"id": run_id, "owner": owner.to_text(), "clock": self._clock.monotonic(), "duration": duration}
            token = execute(self._sql["acquire_lease"], values).fetchone()[0]
        return Lease(run_id=run.id, owner=owner, token=token)

    def renew_lease(self, lease: Lease, duration: float = LEASE_SECONDS) -> None:
        """Keep a run for so many seconds from now."""
        with self._writing() as execute:
            clock = self._clock.monotonic()
            values = {"id": lease.run_id, "token": lease.token, "clock": clock, "duration": duration}
            if not execute(self._sql["renew_lease"], values).rowcount:
                raise refusals.lost(self.run(lease.run_id))

    def release_lease(self, lease: Lease) -> None:
        """Hand a run back."""
        with self._writing() as execute:
            execute(self._sql["release_lease"], {"id": lease.run_id, "token": lease.token})

    def append(self, lease: Lease, frame: Frame, status: RunStatus | None = None) -> None:
        """Add a frame to a run, and give it a status."""
        with self._lock:
            number = self._numbers.get(lease.run_id)
            if number is None:
                number = self._numbers[lease.run_id] = self._row(lease.run_id)[0]
            values = ((number << 32) + frame.number, frame.text, frame.digest, number, lease.token)
            appended = (
                self._append(values, lease) if status is None else self._append_with_status(values, lease, status)
            )
            if not appended:
                self._refuse(lease)

    def _append(self, values: tuple[Any, ...], lease: Lease) -> int:
        try:
            if self._connection.in_transaction or self.level == "group":
                self._begin_afresh()
            # One statement is a transaction of its own, and takes the write lock at once.
            return self._connection.execute(self._append_sql, values).rowcount
        except sqlite3.IntegrityError as error:
            raise refusals.frame_there(lease.run_id, values[0] & MOST_FRAMES) from error
        except sqlite3.Error as error:
            raise self._failed(error) from error

    def _append_with_status(self, values: tuple[Any, ...], lease: Lease, status: RunStatus) -> int:
        with self._writing() as execute:
            try:
                appended: int = execute(self._append_sql, values).rowcount
            except sqlite3.IntegrityError as error:
                raise refusals.frame_there(lease.run_id, values[0] & MOST_FRAMES) from error
            if appended:
                ended_at = as_microseconds(self._clock.now()) if status in ENDED else None
                execute(self._sql["set_status"], {"id": lease.run_id, "status": status, "ended_at": ended_at})
            return appended

    def head(self, run_id: str) -> tuple[int, bytes]:
        """Return number and digest of a run's last frame."""
        row = self._row(run_id)
        last = self._read("head", {"number": row[0]})
        return (last[0][0], last[0][1]) if last else (0, first_digest(row[1], row[2]))

    def frames(self, run_id: str, after: int = 0) -> Iterator[Frame]:
        """Yield a run's frames in order."""
        number = self._row(run_id)[0]
        while rows := self._read("frames", {"number": number, "after": after, "limit": FRAMES_AT_ONCE}):
            for row in rows:
                yield Frame(*row)
            after = rows[-1][0]

    def request_cancel(self, run_id: str, by: str) -> RunRecord:
        """Ask for a run to be stopped and undone."""
        with self._writing() as execute:
            run = self.run(run_id)
            if run.has_ended:
                raise refusals.ended(run)
            execute(self._sql["request_cancel"], {"id": run_id, "now": as_microseconds(self._clock.now()), "by": by})
        return self.run(run_id)

    def delete_run(self, run_id: str) -> None:
        """Forget a run and its frames."""
        with self._writing() as execute:
            row = self._row(run_id)
            run = as_record(row, self._repair)
            if run.is_owned:
                raise refusals.held(run)
            execute(self._sql["delete_frames"], {"number": row[0]})
            execute(self._sql["delete_run"], {"number": row[0]})
            self._numbers.pop(run_id, None)

    def problems(self) -> list[str]:
        """Return what SQLite finds wrong with the structure of the file."""
        with self._lock:
            try:
                rows = self._connection.execute("PRAGMA quick_check").fetchall()
            except sqlite3.Error as error:
                return [str(error)]
        return [row[0] for row in rows if row[0] != "ok"]

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._is_closed = True
            self._connection.close()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self.close()

    @contextmanager
    def _writing(self) -> Iterator[Any]:
        """Yield what executes statements in one transaction, which takes the write lock before it reads anything."""
        with self._lock:
            try:
                self._begin_afresh()
                self._connection.execute("BEGIN IMMEDIATE")
                yield self._connection.execute
                self._connection.execute("COMMIT")
            except sqlite3.Error as error:
                raise self._failed(error) from error
            finally:
                with suppress(sqlite3.Error):  # then it was closed, or the next transaction says so
                    self._roll_back()

    def _begin_afresh(self) -> None:
        """Leave behind what an interrupt left open; within it nothing would be committed.

        Raises:
            sqlite3.Error: It cannot be left.
        """
        self._roll_back()
        if self.level == "group":
            self._choose_sync()

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def _read(self, query: str, values: dict[str, Any]) -> list[Any]:
        with self._lock:
            try:
                return self._connection.execute(self._sql[query], values).fetchall()
            except sqlite3.Error as error:
                raise self._failed(error) from error

    def _row(self, run_id: str) -> Any:  # noqa: ANN401  # a row as the driver gives it
        # What cannot be printed, such as half a character of a command line, cannot be looked for either.
        rows = self._read("run", {"id": run_id, "clock": self._clock.monotonic()}) if run_id.isprintable() else []
        if not rows:
            raise refusals.not_found(run_id, self.url, (row[0] for row in self._read("run_ids", {})))
        return rows[0]

    def _refuse(self, lease: Lease) -> None:
        run = self.run(lease.run_id)
        raise refusals.lost(run) if run.token != lease.token else refusals.ended(run)

    def _failed(self, error: sqlite3.Error) -> JournalError:
        """Return the error that says what went wrong, and leave a connection that can be trusted.

        After an error of input or output it cannot be known what has reached the disk: SQLite is asked anew, from the
        file. A full disk gets back the space that was kept for this moment.
        """
        name = getattr(error, "sqlite_errorname", "")
        failure = explained(error, self.path)
        if name == "SQLITE_FULL":
            release_ballast(self.path)
        elif name.startswith("SQLITE_IOERR") or (isinstance(error, sqlite3.ProgrammingError) and not self._is_closed):
            self._reopen()
        return failure

    def _reopen(self) -> None:
        self._connection.close()
        with suppress(JournalError):  # what comes next finds it closed, and tries again
            self._connection = self._connect()

    def _choose_sync(self) -> None:
        """Have every so-manieth commit wait for the disk, which takes all before it along."""
        now = time.monotonic()
        is_due = self._commits >= GROUP_COMMITS or now - self._synced_at >= GROUP_SECONDS
        self._connection.execute(f"PRAGMA synchronous = {'FULL' if is_due else 'NORMAL'}")
        self._commits = 1 if is_due else self._commits + 1
        if is_due:
            self._synced_at = now

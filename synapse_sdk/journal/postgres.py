"""A journal in PostgreSQL: for runs whose workers are on several machines."""

import threading
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from synapse_sdk.clock import SYSTEM_CLOCK, Clock
from synapse_sdk.errors import JournalError
from synapse_sdk.journal import refusals
from synapse_sdk.journal.base import LEASE_SECONDS
from synapse_sdk.journal.model import ENDED, Frame, Lease, RunId, RunRecord, RunSource, first_digest
from synapse_sdk.journal.owner import Owner
from synapse_sdk.journal.postgres_server import Server
from synapse_sdk.journal.rows import as_microseconds, as_record
from synapse_sdk.journal.sql import queries
from synapse_sdk.reporting.events import RunStatus
from synapse_sdk.retry import RetryPolicy

if TYPE_CHECKING:
    import psycopg

__all__ = ["PostgresJournal"]

PATIENCE = RetryPolicy(max_attempts=8, delay=0.05, max_delay=2.0)
"""How to come back after a connection was lost: for some five seconds, the time a server takes to start anew."""
FRAMES_AT_ONCE = 500
"""Frames that are read in one go."""
REPAIR = "Restore the database from a copy"

type Values = dict[str, Any]


class PostgresJournal:
    """Runs in a database.

    A frame has survived the loss of the server's power when `append` returns. After a lost connection everything is
    tried again; what may already have happened is looked for first, so that nothing is written twice.

    Args:
        url: `postgresql://user:password@host:port/database`; `?schema=` names another schema than `synapse`.
        read_only: Only look, and make nothing.
        clock: Where instants come from; and the time of leases, which else is that of the server.
        patience: How to come back after a lost connection.

    Raises:
        ConfigurationError: The URL cannot be understood, or psycopg is missing.
        JournalError: The database cannot be used; the message says why and what to do.
    """

    def __init__(
        self, url: str, *, read_only: bool = False, clock: Clock | None = None, patience: RetryPolicy = PATIENCE
    ) -> None:
        self._server = Server(url, read_only=read_only)
        self.url = self._server.url
        self._clock = clock or SYSTEM_CLOCK
        self._is_clock_given = clock is not None
        self._patience = patience
        self._sql = queries("postgres")
        self._lock = threading.RLock()
        self._is_closed = False
        self._connection: psycopg.Connection[Any] | None = None
        try:
            self._server.migrate(self._connected())
        except BaseException as error:
            self._disconnect()
            if isinstance(error, self._server.psycopg.Error):
                raise self._server.explained(error) from error
            raise

    def create_run(self, run_id: RunId, source: RunSource) -> RunRecord:
        """Note that a run is about to begin."""
        now = as_microseconds(self._clock.now())

        def create(connection: "psycopg.Connection[Any]", *, again: bool) -> None:
            values = {"id": run_id, "source": source.to_text(), "now": now}
            if connection.execute(self._sql["create_run"], values).rowcount:
                return
            row = self._find(connection, run_id)
            if not again or (row[2], row[4], row[6]) != (values["source"], now, 0):
                raise refusals.already_there(run_id, self.url)

        self._do(create)
        return self.run(run_id)

    def run(self, run_id: str) -> RunRecord:
        """Return a run."""
        return as_record(self._row(run_id), REPAIR)

    def runs(
        self, *, statuses: Sequence[RunStatus] = (), limit: int | None = None, before: str | None = None
    ) -> list[RunRecord]:
        """Return runs, the newest first."""
        values = {
            "before": None if before is None else self._row(before)[0],
            "statuses": [str(status) for status in statuses],
            "limit": limit,
            "clock": self._lease_clock(),
        }
        return [as_record(row, REPAIR) for row in self._read("runs", values)]

    def acquire_lease(self, run_id: str, owner: Owner, duration: float = LEASE_SECONDS) -> Lease:
        """Make a run this worker's own."""

        def acquire(connection: "psycopg.Connection[Any]", *, again: bool) -> Lease:
            with connection.transaction():
                run = as_record(self._find(connection, run_id, "run_to_change"), REPAIR)
                # After a lost answer it may be ours already; to take it once more shuts out whoever else it was.
                if run.is_owned and not (again and run.owner == owner):
                    raise refusals.held(run)
                values = {"id": run_id, "owner": owner.to_text(), "clock": self._lease_clock(), "duration": duration}
                row = connection.execute(self._sql["acquire_lease"], values).fetchone()
            return Lease(run_id=run.id, owner=owner, token=row[0] if row else 0)

        return self._do(acquire)

    def renew_lease(self, lease: Lease, duration: float = LEASE_SECONDS) -> None:
        """Keep a run for so many seconds from now."""
        clock = self._lease_clock()
        values = {"id": lease.run_id, "token": lease.token, "clock": clock, "duration": duration}
        if not self._write("renew_lease", values):
            raise refusals.lost(self.run(lease.run_id))

    def release_lease(self, lease: Lease) -> None:
        """Hand a run back."""
        self._write("release_lease", {"id": lease.run_id, "token": lease.token})

    def append(self, lease: Lease, frame: Frame, status: RunStatus | None = None) -> None:
        """Add a frame to a run, and give it a status."""
        query = "append" if status is None else "append_with_status"
        values = {
            "id": lease.run_id,
            "token": lease.token,
            "number": frame.number,
            "text": frame.text,
            "digest": frame.digest,
            "status": status,
            "ended_at": as_microseconds(self._clock.now()) if status in ENDED else None,
        }

        def append(connection: "psycopg.Connection[Any]", *, again: bool) -> bool:
            if again and self._is_there(connection, values):
                return True
            try:
                return connection.execute(self._sql[query], values).rowcount > 0
            except self._server.psycopg.errors.UniqueViolation as error:
                if again and self._is_there(connection, values):
                    return True
                raise refusals.frame_there(lease.run_id, frame.number) from error

        if not self._do(append):
            run = self.run(lease.run_id)
            raise refusals.lost(run) if run.token != lease.token else refusals.ended(run)

    def _is_there(self, connection: "psycopg.Connection[Any]", values: Values) -> bool:
        """Whether a frame was written before the connection was lost; the lock waits for what is still going on."""
        with connection.transaction():
            run = self._find(connection, values["id"], "run_to_change")
            return connection.execute(self._sql["is_there"], {**values, "run": run[0]}).fetchone() is not None

    def head(self, run_id: str) -> tuple[int, bytes]:
        """Return number and digest of a run's last frame."""
        row = self._row(run_id)
        last = self._read("head", {"run": row[0]})
        return (last[0][0], last[0][1]) if last else (0, first_digest(row[1], row[2]))

    def frames(self, run_id: str, after: int = 0) -> Iterator[Frame]:
        """Yield a run's frames in order."""
        run = self._row(run_id)[0]
        while rows := self._read("frames", {"run": run, "after": after, "limit": FRAMES_AT_ONCE}):
            for row in rows:
                yield Frame(*row)
            after = rows[-1][0]

    def request_cancel(self, run_id: str, by: str) -> RunRecord:
        """Ask for a run to be stopped and undone."""
        values = {"id": run_id, "now": as_microseconds(self._clock.now()), "by": by}

        def request(connection: "psycopg.Connection[Any]", *, again: bool) -> None:
            with connection.transaction():
                run = as_record(self._find(connection, run_id, "run_to_change"), REPAIR)
                if run.has_ended and not again:
                    raise refusals.ended(run)
                connection.execute(self._sql["request_cancel"], values)

        self._do(request)
        return self.run(run_id)

    def delete_run(self, run_id: str) -> None:
        """Forget a run and its frames."""
        number = self._row(run_id)[0]

        def delete(connection: "psycopg.Connection[Any]", *, again: bool) -> None:
            with connection.transaction():
                if again and not self._rows(connection, "run", {"id": run_id, "clock": None}):
                    return
                run = as_record(self._find(connection, run_id, "run_to_change"), REPAIR)
                if run.is_owned:
                    raise refusals.held(run)
                for query in ("delete_frames", "delete_run"):
                    connection.execute(self._sql[query], {"run": number})

        self._do(delete)

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._is_closed = True
            self._disconnect()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connection."""
        self.close()

    def _do[T](self, work: Callable[..., T]) -> T:
        """Call `work(connection, again=...)` until no connection is lost during it.

        Raises:
            JournalError: It was refused, or the server cannot be reached.
        """
        with self._lock:
            return self._try(work)

    def _try[T](self, work: Callable[..., T]) -> T:
        again = False
        for delay in self._patience.delays():
            try:
                return work(self._connected(), again=again)
            except self._server.psycopg.Error as error:
                if delay is None or not self._server.is_lost(error, self._connection):
                    raise self._server.explained(error) from error
            again = True
            self._disconnect()
            SYSTEM_CLOCK.sleep(delay)
        raise AssertionError

    def _connected(self) -> "psycopg.Connection[Any]":
        if self._is_closed:
            msg = f"The journal in {self._server.name} was closed"
            raise JournalError(msg, fix="Open it anew")
        idle = self._server.psycopg.pq.TransactionStatus.IDLE
        if self._connection is not None and self._connection.info.transaction_status != idle:
            self._disconnect()  # lost, or an interrupt left a transaction open
        if self._connection is None:
            self._connection = self._server.connect()
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _find(self, connection: "psycopg.Connection[Any]", run_id: str, query: str = "run") -> Any:  # noqa: ANN401  # a row as the driver gives it
        # What cannot be printed, such as half a character of a command line, cannot be looked for either.
        values = {"id": run_id, "clock": self._lease_clock()}
        rows = self._rows(connection, query, values) if run_id.isprintable() else []
        if not rows:
            raise refusals.not_found(run_id, self.url, (row[0] for row in self._rows(connection, "run_ids", {})))
        return rows[0]

    def _row(self, run_id: str) -> Any:  # noqa: ANN401  # as above
        return self._do(lambda connection, **_: self._find(connection, run_id))

    def _read(self, query: str, values: Values) -> list[Any]:
        return self._do(lambda connection, **_: self._rows(connection, query, values))

    def _rows(self, connection: "psycopg.Connection[Any]", query: str, values: Values) -> list[Any]:
        return connection.execute(self._sql[query], values).fetchall()

    def _write(self, query: str, values: Values) -> int:
        """Execute a statement that may be executed twice; return how many rows it changed."""

        def write(connection: "psycopg.Connection[Any]", *, again: bool) -> int:  # noqa: ARG001  # doing it twice is fine
            return connection.execute(self._sql[query], values).rowcount

        return self._do(write)

    def _lease_clock(self) -> float | None:
        """Return the time of leases, or None for that of the server."""
        return self._clock.monotonic() if self._is_clock_given else None

"""Writing about one run: the worker's end of the journal, its lease and heartbeat, and what waits to be written."""

import logging
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from synapse_sdk.clock import SYSTEM_CLOCK, Clock
from synapse_sdk.errors import JournalError, JournalFullError, LeaseLostError
from synapse_sdk.failpoints import hit
from synapse_sdk.journal.base import LEASE_SECONDS
from synapse_sdk.journal.model import Frame, Lease
from synapse_sdk.journal.state import RunState, read_state

if TYPE_CHECKING:
    from synapse_sdk.journal.base import Journal
    from synapse_sdk.reporting.events import RunStatus

__all__ = ["RunWriter"]

FLUSH_SECONDS = 0.1
"""How long what may wait waits at most."""
LOOK_SECONDS = 1.0
"""How often to look whether somebody wants the run to be stopped."""
MOST_WAITING = 10_000
"""Lines of log that wait at most; more are counted and left out, because data comes first."""

type Watch = Callable[[], None]


class RunWriter:
    """The one writer of a run.

    What must be durable before the run may go on is written at once (`write`), and takes along what waits (`keep` and
    `replace`: logs, progress, figures). A thread renews the lease, writes what has waited for too long, and looks
    whether somebody wants the run to be stopped.

    Args:
        journal: Where to.
        lease: The right to.
        on_cancel: Called once, in the writer's thread, when somebody has asked for the run to be stopped.
        duration: Seconds until another worker may take over if this one falls silent.
        clock: What tells the time between heartbeats.
        is_beating: Whether to start the thread; a test that holds the clock calls `beat` itself.
    """

    def __init__(
        self,
        journal: "Journal",
        lease: Lease,
        *,
        on_cancel: Watch | None = None,
        duration: float = LEASE_SECONDS,
        clock: Clock = SYSTEM_CLOCK,
        is_beating: bool = True,
    ) -> None:
        self.lease = lease
        self.is_cancelled = False
        """Whether somebody has asked for the run to be stopped."""
        self.shortage: JournalFullError | None = None
        """What was said when there was no room for what waits; the room that was set aside is for the way back."""
        self._journal = journal
        self.on_cancel = on_cancel
        self._duration = duration
        self._clock = clock
        self._number, self._digest = journal.head(lease.run_id)
        self._lock = threading.RLock()
        self._waiting: list[str] = []
        self._latest: dict[str, str | Callable[[], str]] = {}
        self._shed = 0
        self._unsettled: tuple[Frame, int, dict[str, str | Callable[[], str]]] | None = (
            None  # handed over, and not yet known to be there
        )
        self._failure: JournalError | None = None
        self._is_closed = False
        self._process = os.getpid()
        self._wake = threading.Event()
        self._end = threading.Event()
        self._renewed_at = self._looked_at = clock.monotonic()
        self._thread: threading.Thread | None = None
        if is_beating:
            self._thread = threading.Thread(target=self._beat_on, name="synapse-journal", daemon=True)
            self._thread.start()

    def write(self, events: str, status: "RunStatus | None" = None) -> None:
        """Write events, JSON objects parted by commas, after all that waits. Durable on return.

        Raises:
            LeaseLostError: Another worker has taken over.
            JournalError: It could not be written.
        """
        self._refuse_strangers()  # first: another thread may have held the lock while the process was forked
        with self._lock:
            self._append(events, status)

    def keep(self, event: str, *, is_log: bool = False) -> None:
        """Let one event wait for the next write, at most a tenth of a second; of logs, only so many."""
        if self._is_strange():
            return
        with self._lock:
            if is_log and len(self._waiting) >= MOST_WAITING:
                self._shed += 1
                return
            self._waiting.append(event)
        if not self._wake.is_set():
            self._wake.set()

    def replace(self, key: str, event: "str | Callable[[], str]") -> None:
        """Let an event wait in place of an earlier one of the same key; one that is called is put into words then."""
        if self._is_strange():
            return
        with self._lock:
            self._latest[key] = event
        if not self._wake.is_set():
            self._wake.set()

    def flush(self) -> None:
        """Write what waits; raises as `write` does."""
        if self._is_strange():
            return
        with self._lock:
            if self._waiting or self._latest or self._shed:
                self._append("", None)

    def beat(self) -> None:
        """Write what waits, renew the lease when it is time, and look whether the run is to be stopped."""
        for duty in (self._renew, self.flush, self._look):  # the lease first, and whatever becomes of the others
            try:
                if self._failure is None:
                    duty()
            except LeaseLostError as error:
                self._failure = error
            except JournalFullError as error:
                self.shortage = error
            except JournalError:  # the next write tries again, and says so
                pass

    def state(self) -> RunState:
        """Return where the run stands, with what waits if that can be written.

        Raises:
            LeaseLostError: Another worker has taken over.
            JournalError: The journal cannot be read.
        """
        try:
            self.flush()
        except LeaseLostError:
            raise
        except JournalError:  # a run must be undone also when nothing more can be recorded of it
            pass
        return read_state(self._journal, self.lease.run_id)

    def close(self) -> None:
        """Write what waits if that is still possible, hand the run back, and end the thread; safe to call twice."""
        if self._is_strange():
            return
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
        self._end.set()
        self._wake.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()
        self._hand_back()

    def _hand_back(self) -> None:
        if self._failure is None:
            with suppress(JournalError):  # what matters was written, or has been complained about
                self.flush()
        with suppress(JournalError):
            self._journal.release_lease(self.lease)

    def _append(self, events: str, status: "RunStatus | None") -> None:
        self._settle()
        if self._shed:
            at = round(self._clock.now().timestamp() * 1e6)
            self._waiting.append(f'{{"type":"LogsShed","at":{at},"count":{self._shed}}}')
            self._shed = 0
        latest = [event if isinstance(event, str) else event() for event in self._latest.values()]
        texts = [*self._waiting, *latest, *([events] if events else [])]
        frame = Frame.after(self._number, self._digest, f"[{','.join(texts)}]")
        self._unsettled = frame, len(self._waiting), self._latest.copy()
        hit("journal.commit")
        try:
            self._journal.append(self.lease, frame, status)
        except LeaseLostError as error:
            self._failure = error
            raise
        hit("journal.committed")
        self._accept()

    def _settle(self) -> None:
        """Find out what became of a frame whose append did not return: it failed, or Ctrl-C came just then.

        Raises:
            JournalError: The journal cannot say.
        """
        if self._failure is not None:
            raise self._failure
        if self._unsettled is not None:
            number, digest = self._journal.head(self.lease.run_id)
            if digest == self._unsettled[0].digest:
                self._accept()
            else:
                self._number, self._digest, self._unsettled = number, digest, None

    def _accept(self) -> None:
        """Go on after the frame that was written; what waited and is in it waits no more."""
        if self._unsettled is None:
            return
        frame, count, latest = self._unsettled
        self._number, self._digest, self._unsettled = frame.number, frame.digest, None
        del self._waiting[:count]
        for key, event in latest.items():
            if self._latest.get(key) is event:
                del self._latest[key]

    def _renew(self) -> None:
        now = self._clock.monotonic()
        if now - self._renewed_at >= self._duration / 3:
            self._journal.renew_lease(self.lease, self._duration)
            self._renewed_at = now

    def _look(self) -> None:
        now = self._clock.monotonic()
        if self.is_cancelled or now - self._looked_at < LOOK_SECONDS:
            return
        self._looked_at = now
        if self._journal.run(self.lease.run_id).cancellation is None:
            return
        self.is_cancelled = True
        if self.on_cancel is not None:
            self.on_cancel()

    def _beat_on(self) -> None:
        """Beat until the writer is closed: soon when something waits, else about once a second."""
        while not self._end.is_set():
            if self._wake.wait(LOOK_SECONDS):
                self._end.wait(FLUSH_SECONDS)  # let some more gather
                self._wake.clear()
            if self._end.is_set():
                return
            try:
                self.beat()
            except Exception:  # whatever happens, the lease has to be renewed while the run goes on
                logging.getLogger("synapse_sdk.journal").exception("The heartbeat of run %s failed", self.lease.run_id)

    def _is_strange(self) -> bool:
        """Whether this is a forked process, whose copy of the writer is of no use; what it logs is only shown."""
        return os.getpid() != self._process

    def _refuse_strangers(self) -> None:
        if self._is_strange():
            msg = "A process that was forked from the one that runs the step cannot write about the run"
            fix = "Let the step itself record what to undo and how far it is"
            raise JournalError(msg, fix=fix, run=self.lease.run_id)

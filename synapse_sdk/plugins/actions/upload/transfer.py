"""Bringing data units in: read, reserve, send, register, as one pipeline of bounded size.

One thread, the caller's, decides and talks to the backend; the others read and send files and report back through a
queue. What is on its way at a time is bounded in bytes and in files, so that memory grows with neither. Nothing waits
for a batch to be complete: while some files are read, others are sent.
"""

import heapq
import sys
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import count, islice
from math import inf
from threading import Event

from synapse_sdk.backend import Registration, ReservedFile
from synapse_sdk.clock import SYSTEM_CLOCK, Clock
from synapse_sdk.errors import (
    BackendUnavailableError,
    StorageDeniedError,
    StorageFullError,
    StorageUnavailableError,
    SynapseError,
)
from synapse_sdk.failpoints import hit
from synapse_sdk.interrupts import undisturbed
from synapse_sdk.plugins.actions.upload.accounting import FileRefusedError, Reason
from synapse_sdk.plugins.actions.upload.crew import Crew
from synapse_sdk.plugins.actions.upload.destination import Destination
from synapse_sdk.plugins.actions.upload.in_flight import InFlightLimit
from synapse_sdk.plugins.actions.upload.intake import READERS, Intake, ReadFiles, Room
from synapse_sdk.plugins.actions.upload.ledger import Ledger
from synapse_sdk.plugins.actions.upload.letterbox import Letterbox, Note
from synapse_sdk.plugins.actions.upload.outbox import Outbox
from synapse_sdk.plugins.actions.upload.registering import ANSWERS, Registrar
from synapse_sdk.plugins.actions.upload.sending import FileJob, UnitJob, clear_leftovers, put_file
from synapse_sdk.retry import RetryPolicy, is_transient, retry
from synapse_sdk.storage import PutResult

__all__ = ["Transfer"]

RESERVED_AT_A_TIME = 250
RESERVED_WITHIN = 30.0
"""Seconds for which contents are reserved again and again that the rollback of another run is about to delete."""
HOPELESS = 8
"""Files in a row that the storage did not take, after which it is not the files that are the matter."""
LONGEST_PAUSE = 300.0
"""Seconds that a storage is left alone for, at most, whatever it asks for."""
TICK = 0.1


class Transfer:
    """Brings units into a collection; used once.

    Args:
        to: Where they go.
        ledger: Told of everything that becomes of them.
        most_in_flight: Files that are sent at a time, at most.
        batch: Units that are registered at a time, at most.
        retries: How to try a file again whose failure may pass.
        clock: Where pauses come from.
        held_signals: Takes signals that came while files on their way were waited for.
    """

    def __init__(
        self,
        to: Destination,
        ledger: Ledger,
        *,
        most_in_flight: int,
        batch: int,
        retries: RetryPolicy,
        clock: Clock = SYSTEM_CLOCK,
        held_signals: list[int] | None = None,
    ) -> None:
        self._to, self._ledger, self._retries, self._clock = to, ledger, retries, clock
        self._held_signals = [] if held_signals is None else held_signals
        self._limit = InFlightLimit(start=to.storage.in_flight, most=most_in_flight, now=clock.monotonic())
        self._crew = Crew(most_in_flight + READERS + 1, is_inline=to.storage.in_flight == 1)  # one waits for the disk
        self._stop = Event()
        self._letterbox = Letterbox()
        self._room = Room()
        self._intake = Intake(self._crew, self._room, self._stop, self._report_read)
        self._read: list[FileJob] = []
        self._reserve_at, self._reserve_tries, self._reserve_until = 0.0, 0, inf
        self._outbox = Outbox()
        self._later: list[tuple[float, int, FileJob]] = []
        self._numbers = count()
        self._registrar = Registrar(to, ledger, self._crew, self._letterbox, batch=batch, clock=clock)
        self._refused_in_a_row = 0

    def run(self, units: Iterable[UnitJob]) -> None:
        """Bring all units in; whatever it raises, no thread is at work any more when it returns.

        Raises:
            SynapseError: The storage or the backend cannot be used, or the ledger ended it.
            InsistentInterrupt: The user did not want to wait for files on their way; threads may still be at work.
        """
        self._intake.open(units)
        try:
            while self._advance():
                pass
        finally:
            self._end(sys.exception())

    @property
    def unregistered(self) -> list[FileJob]:
        """The files that were or may have been sent and that the backend does not know to be there."""
        return [*self._registrar.there.values(), *self._outbox.jobs]

    def _end(self, error: BaseException | None) -> None:
        """Wait for the threads: what they still send has to be there before anybody undoes it."""
        self._held_signals += undisturbed(self._dismiss, error)

    def _dismiss(self) -> None:
        self._stop.set()
        self._crew.dismiss()

    def _advance(self) -> bool:
        """Start what can be started, wait for something to end, and take note of it; False once all is done."""
        self._take_up_again()
        self._intake.start()
        self._reserve()
        self._start_sending()
        is_waiting = bool(self._intake.readers or self._later or self._read) or not self._outbox.is_empty
        self._registrar.register(is_last=not is_waiting)
        if not (is_waiting or self._registrar.is_flushing):
            return self._intake.has_more
        self._read_notes(self._ended())
        self._ledger.tick(self._outbox.under_way, self._intake.hashed)
        return True

    def _read_notes(self, notes: Iterable[Note]) -> None:
        for note in notes:
            note()

    def _ended(self) -> Iterator[Note]:
        """Yield what has ended; waits for something, but no longer than until the next thing is due."""
        due = self._later[0][0] if self._later else inf
        if self._read and not self._intake.readers and self._outbox.is_low:
            due = min(due, self._reserve_at)
        wait = max(0.0, min(due - self._clock.monotonic(), TICK))
        return self._letterbox.collect(wait, self._outbox.in_threads)

    # Reading

    def _report_read(self, results: ReadFiles) -> None:
        self._letterbox.post(partial(self._note_read, results), is_urgent=True)

    def _note_read(self, results: ReadFiles) -> None:
        self._intake.note_read(results)
        for job, error in results:
            if error is None:
                job.attempts = 0
                if job.unit.known is None:
                    self._read.append(job)
                else:
                    self._compare(job)
                continue
            self._room.let_go(job)
            if not self._comes_back(job, error):
                self._refuse(job, error)

    def _compare(self, job: FileJob) -> None:
        """Be done with a file of a unit whose key is taken; the last of them tells whether it is the same unit."""
        self._room.let_go(job)
        job.unit.waiting -= 1
        if not job.unit.waiting and not job.unit.has_failed:
            outcome = Registration.DUPLICATE if job.unit.is_known else Registration.CONFLICT
            self._ledger.registered([(job.unit, outcome)])

    # Reserving

    def _reserve(self) -> None:
        """Announce the contents that were read, so that the backend knows of them before the first byte is sent."""
        now = self._clock.monotonic()
        is_enough = len(self._read) >= RESERVED_AT_A_TIME or (not self._intake.readers and self._outbox.is_low)
        if not self._read or not is_enough or now < self._reserve_at:
            return
        for job in (job for job in self._read if job.unit.has_failed):
            self._room.let_go(job)
        self._read = jobs = [job for job in self._read if not job.unit.has_failed]
        if not jobs:
            return
        to, files = self._to, [(job.sha256, job.size, self._to.key_of(job.sha256)) for job in jobs]
        try:
            found = to.ingestion.reserve(to.run, to.collection_id, to.storage_id, files)
        except BackendUnavailableError:
            self._reserve_until = min(self._reserve_until, now + RESERVED_WITHIN)
            if now >= self._reserve_until:
                raise
            self._reserve_at = now + min(0.1 * 2**self._reserve_tries, 5.0)
            self._reserve_tries += 1
            return
        hit("upload.reserved")
        self._read, self._reserve_tries, self._reserve_until = [], 0, inf
        for job, reserved in zip(jobs, found, strict=True):
            self._note_reserved(job, reserved)

    def _note_reserved(self, job: FileJob, reserved: ReservedFile) -> None:
        job.file_id, job.key = reserved.file.id, reserved.file.key
        job.is_retried = reserved.is_claimed_before
        if not reserved.must_send:
            if job.is_retried:  # another run may have sent it since this one was cut short in doing so
                retry(partial(clear_leftovers, self._to.storage, job.key, job.size), ANSWERS, clock=self._clock)
            job.is_sent = job.is_retried and reserved.file.owner == self._to.run
            self._finish(job)
        elif job.file_id in self._registrar.there:
            self._finish(job)
        else:
            self._outbox.add(job)

    # Sending

    def _take_up_again(self) -> None:
        """Have read or sent again what has waited for long enough."""
        now = self._clock.monotonic()
        while self._later and self._later[0][0] <= now:
            job = heapq.heappop(self._later)[2]
            if job.sha256:
                self._outbox.queue(job)
            else:
                self._intake.read_again(job)

    def _start_sending(self) -> None:
        while self._outbox.in_threads < self._limit.limit and (job := self._outbox.take()) is not None:
            if not self._outbox.is_wanted(job):
                self._outbox.close(job)
                self._room.let_go(job)
                continue
            self._outbox.note_begun(job)
            if self._crew.do(partial(self._put, job), is_long=job.is_large):
                self._read_notes(self._letterbox.collect(0.0, 0))

    def _put(self, job: FileJob) -> None:
        outcome: PutResult | BaseException
        try:
            outcome = put_file(job, self._to.storage, self._stop)
            hit("upload.sent")
        except BaseException as error:  # noqa: BLE001  # it belongs to the thread that decides
            outcome = error
        self._letterbox.post(partial(self._note_sent, job, outcome))

    def _note_sent(self, job: FileJob, outcome: PutResult | BaseException) -> None:
        self._outbox.note_ended(job)
        if isinstance(outcome, BaseException):
            if not self._comes_back(job, outcome):
                self._read += self._outbox.close(job)  # one of them may be read better than this one
                self._room.let_go(job)
                self._refuse(job, outcome)
            return
        self._limit.note_done(self._clock.monotonic())
        self._refused_in_a_row = 0
        self._registrar.there[job.file_id] = job
        job.is_sent = outcome.is_new or job.is_retried or job.attempts > 0
        for done in (job, *self._outbox.close(job)):
            self._finish(done)

    def _comes_back(self, job: FileJob, error: BaseException) -> bool:
        """Whether a file is to be read or sent again; if so, it is put on the list."""
        if not isinstance(error, Exception) or not is_transient(error):
            return False
        now = self._clock.monotonic()
        self._limit.note_trouble(now)
        pause = next(islice(self._retries.delays(), job.attempts, None), None)
        if pause is None:
            return False
        job.attempts += 1
        asked_for = float(getattr(error, "retry_after", None) or 0.0)
        pause = max(pause, min(asked_for, LONGEST_PAUSE))
        heapq.heappush(self._later, (now + pause, next(self._numbers), job))
        return True

    def _refuse(self, job: FileJob, error: BaseException) -> None:
        """Take a file, and with it its unit, out of the upload.

        Raises:
            BaseException: What it failed of is not a matter of this file.
        """
        if isinstance(error, FileRefusedError):
            reason, words = error.reason, error.words
        elif isinstance(error, SynapseError) and not isinstance(error, StorageDeniedError | StorageFullError):
            self._refused_in_a_row += isinstance(error, StorageUnavailableError)
            if self._refused_in_a_row >= HOPELESS:
                raise error
            reason, words = Reason.UPLOAD_FAILED, str(error)
        else:
            raise error
        job.unit.has_failed = True
        self._ledger.failed(job, reason, words)

    def _finish(self, job: FileJob) -> None:
        """Take note that the content of a file is in the storage."""
        self._room.let_go(job)
        job.unit.waiting -= 1
        if not job.unit.waiting and not job.unit.has_failed:
            self._registrar.add(job.unit)

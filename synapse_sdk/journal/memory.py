"""A journal in this process: complete, and gone with it."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Self

from synapse_sdk.clock import SYSTEM_CLOCK, Clock
from synapse_sdk.journal import refusals
from synapse_sdk.journal.base import LEASE_SECONDS
from synapse_sdk.journal.model import ENDED, Cancellation, Frame, Lease, RunId, RunRecord, RunSource, first_digest
from synapse_sdk.journal.owner import Owner
from synapse_sdk.reporting.events import RunStatus

__all__ = ["MemoryJournal"]


@dataclass
class _Run:
    id: RunId
    source: RunSource
    digest: bytes
    created_at: datetime
    status: RunStatus = RunStatus.PENDING
    ended_at: datetime | None = None
    owner: Owner | None = None
    token: int = 0
    lease_until: float = 0.0
    cancellation: Cancellation | None = None
    frames: list[Frame] = field(default_factory=list)

    def left(self, now: float) -> float:
        return 0.0 if self.owner is None or self.owner.is_dead() else max(0.0, self.lease_until - now)

    def record(self, now: float) -> RunRecord:
        return RunRecord(
            id=self.id,
            source=self.source,
            status=self.status,
            created_at=self.created_at,
            ended_at=self.ended_at,
            owner=self.owner,
            token=self.token,
            lease_left=self.left(now),
            cancellation=self.cancellation,
            digest=self.digest,
        )


class MemoryJournal:
    """The twin of the durable stores, for tests and for runs that need no durability.

    Args:
        clock: Where instants and the time of leases come from.

    Example:
        >>> from synapse_sdk.journal import MemoryJournal, RunSource
        >>> journal = MemoryJournal()
        >>> str(journal.create_run("7f3a00112233", RunSource(plugin="", action="greet")).status)
        'pending'
    """

    url = "memory:"

    def __init__(self, clock: Clock = SYSTEM_CLOCK) -> None:
        self._clock = clock
        self._runs: dict[str, _Run] = {}
        self._lock = threading.RLock()

    def create_run(self, run_id: RunId, source: RunSource) -> RunRecord:
        """Note that a run is about to begin."""
        with self._lock:
            if run_id in self._runs:
                raise refusals.already_there(run_id, self.url)
            digest = first_digest(run_id, source.to_text())
            self._runs[run_id] = run = _Run(run_id, source, digest, self._clock.now())
            return run.record(self._clock.monotonic())

    def run(self, run_id: str) -> RunRecord:
        """Return a run."""
        with self._lock:
            return self._find(run_id).record(self._clock.monotonic())

    def runs(
        self, *, statuses: Sequence[RunStatus] = (), limit: int | None = None, before: str | None = None
    ) -> list[RunRecord]:
        """Return runs, the newest first."""
        with self._lock:
            ids = list(self._runs)
            if before is not None:
                self._find(before)
                ids = ids[: ids.index(before)]
            runs = [self._runs[each] for each in reversed(ids)]
            now = self._clock.monotonic()
            return [run.record(now) for run in runs if not statuses or run.status in statuses][:limit]

    def acquire_lease(self, run_id: str, owner: Owner, duration: float = LEASE_SECONDS) -> Lease:
        """Make a run this worker's own."""
        with self._lock:
            run, now = self._find(run_id), self._clock.monotonic()
            if run.left(now) > 0:
                raise refusals.held(run.record(now))
            run.owner, run.token, run.lease_until = owner, run.token + 1, now + duration
            return Lease(run_id=run.id, owner=owner, token=run.token)

    def renew_lease(self, lease: Lease, duration: float = LEASE_SECONDS) -> None:
        """Keep a run for so many seconds from now."""
        with self._lock:
            self._owned(lease).lease_until = self._clock.monotonic() + duration

    def release_lease(self, lease: Lease) -> None:
        """Hand a run back."""
        with self._lock:
            run = self._runs.get(lease.run_id)
            if run is not None and run.token == lease.token:
                run.owner = None

    def append(self, lease: Lease, frame: Frame, status: RunStatus | None = None) -> None:
        """Add a frame to a run, and give it a status."""
        with self._lock:
            run = self._owned(lease)
            if run.status in ENDED:
                raise refusals.ended(run.record(self._clock.monotonic()))
            if frame.number <= len(run.frames):
                raise refusals.frame_there(run.id, frame.number)
            run.frames.append(frame)
            if status is not None:
                run.status = status
                run.ended_at = self._clock.now() if status in ENDED else None

    def head(self, run_id: str) -> tuple[int, bytes]:
        """Return number and digest of a run's last frame."""
        with self._lock:
            run = self._find(run_id)
            if run.frames:
                return run.frames[-1].number, run.frames[-1].digest
            return 0, run.record(0.0).digest

    def frames(self, run_id: str, after: int = 0) -> Iterator[Frame]:
        """Yield a run's frames in order."""
        with self._lock:
            return iter(self._find(run_id).frames[after:])

    def request_cancel(self, run_id: str, by: str) -> RunRecord:
        """Ask for a run to be stopped and undone."""
        with self._lock:
            run, now = self._find(run_id), self._clock.monotonic()
            if run.status in ENDED:
                raise refusals.ended(run.record(now))
            run.cancellation = run.cancellation or Cancellation(requested_at=self._clock.now(), by=by)
            return run.record(now)

    def delete_run(self, run_id: str) -> None:
        """Forget a run and its frames."""
        with self._lock:
            run = self._find(run_id).record(self._clock.monotonic())
            if run.is_owned:
                raise refusals.held(run)
            del self._runs[run_id]

    def close(self) -> None:
        """Do nothing: what it holds goes with it."""

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Do nothing."""

    def _find(self, run_id: str) -> _Run:
        run = self._runs.get(run_id)
        if run is None:
            raise refusals.not_found(run_id, self.url, self._runs)
        return run

    def _owned(self, lease: Lease) -> _Run:
        run = self._find(lease.run_id)
        if run.token != lease.token:
            raise refusals.lost(run.record(self._clock.monotonic()))
        return run

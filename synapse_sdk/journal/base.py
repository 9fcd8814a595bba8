"""The port of the journal: what every store of runs promises."""

from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from synapse_sdk.journal.model import Frame, Lease, RunId, RunRecord, RunSource
    from synapse_sdk.journal.owner import Owner
    from synapse_sdk.reporting.events import RunStatus

__all__ = ["LEASE_SECONDS", "Journal"]

LEASE_SECONDS = 30.0
"""How long a worker may be silent until another may take over its run."""


@runtime_checkable
class Journal(Protocol):
    """The durable record of runs.

    A run is written by one worker at a time: the one whose lease has the newest token. What `append` has returned
    from is durable as the store's level promises. All methods may be called from any thread.
    """

    url: str
    """Where it is, without passwords; `open_journal` understands it."""

    def create_run(self, run_id: "RunId", source: "RunSource") -> "RunRecord":
        """Note that a run is about to begin; its status is `pending`.

        Raises:
            JournalError: There is a run of this id.
        """
        ...

    def run(self, run_id: str) -> "RunRecord":
        """Return a run.

        Raises:
            RunNotFoundError: There is none of this id; the message names the nearest.
        """
        ...

    def runs(
        self, *, statuses: "Sequence[RunStatus]" = (), limit: int | None = None, before: str | None = None
    ) -> "list[RunRecord]":
        """Return runs, the newest first.

        Args:
            statuses: Only runs that have one of these; all when empty.
            limit: At most so many.
            before: Only runs that were created before the one of this id.

        Raises:
            RunNotFoundError: There is no run `before`.
        """
        ...

    def acquire_lease(self, run_id: str, owner: "Owner", duration: float = LEASE_SECONDS) -> "Lease":
        """Make a run this worker's own, so that nobody else writes about it. Durable on return.

        Raises:
            RunNotFoundError: There is no such run.
            LeaseHeldError: Another worker has it, is not known to be dead, and its lease has not ended.
        """
        ...

    def renew_lease(self, lease: "Lease", duration: float = LEASE_SECONDS) -> None:
        """Keep a run for so many seconds from now; also possible after the lease has ended, if nobody took over.

        Raises:
            LeaseLostError: Another worker has taken over.
        """
        ...

    def release_lease(self, lease: "Lease") -> None:
        """Hand a run back; does nothing if another worker has it."""
        ...

    def append(self, lease: "Lease", frame: "Frame", status: "RunStatus | None" = None) -> None:
        """Add a frame to a run, and give it a status. All of it is durable on return, or nothing of it is there.

        Raises:
            RunNotFoundError: It was deleted.
            LeaseLostError: Another worker has taken over; nothing was written.
            RunEndedError: The run has ended; nothing was written.
            JournalError: It could not be written. Whether the frame is there is unknown: `head` tells.
        """
        ...

    def head(self, run_id: str) -> "tuple[int, bytes]":
        """Return number and digest of a run's last frame; 0 and the digest its chain begins with before the first."""
        ...

    def frames(self, run_id: str, after: int = 0) -> "Iterator[Frame]":
        """Yield a run's frames in order, from the one that follows number `after`, as they were written."""
        ...

    def request_cancel(self, run_id: str, by: str) -> "RunRecord":
        """Ask for a run to be stopped and undone; its worker looks for this about once a second.

        Raises:
            RunEndedError: It has ended.
        """
        ...

    def delete_run(self, run_id: str) -> None:
        """Forget a run and its frames.

        Raises:
            LeaseHeldError: A worker is at work on it.
        """
        ...

    def close(self) -> None:
        """Release files and connections; safe to call twice."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

"""What is to be sent: each content once, however many files have it, and few large ones at a time."""

from collections import deque
from collections.abc import Iterable, Sequence

from synapse_sdk.plugins.actions.upload.sending import FileJob

__all__ = ["Outbox"]

LARGE_AT_A_TIME = 2
"""Large files are sent in parts, several at a time, and each part is held in memory."""
LOW = 64
"""Files that wait to be sent, below which more had better be added."""


class Outbox:
    """Keeps the files that are to be sent, and knows which of them are being sent."""

    def __init__(self) -> None:
        self.in_threads = 0
        """How many are being sent now."""
        self._leaders: dict[int, FileJob] = {}
        """By data file: the one job that sends it, from when it is decided until it has ended."""
        self._followers: dict[int, list[FileJob]] = {}
        """By data file: jobs with the same content, which wait for it."""
        self._ready: deque[FileJob] = deque()
        self._ready_large: deque[FileJob] = deque()
        self._large: list[FileJob] = []

    @property
    def is_empty(self) -> bool:
        """Whether nothing is to be sent, or sent again."""
        return not self._leaders

    @property
    def is_low(self) -> bool:
        """Whether those who send will soon have nothing to send."""
        return len(self._ready) + len(self._ready_large) < LOW

    @property
    def jobs(self) -> Iterable[FileJob]:
        """The jobs whose content is not known to be there yet, one for each content."""
        return self._leaders.values()

    @property
    def under_way(self) -> int:
        """Bytes of large files that the storage has taken so far."""
        return sum(job.under_way for job in self._large)

    def add(self, job: FileJob) -> None:
        """Take a file in; of several with one content the first is sent."""
        if job.file_id in self._leaders:
            self._followers.setdefault(job.file_id, []).append(job)
        else:
            self._leaders[job.file_id] = job
            self.queue(job)

    def queue(self, job: FileJob) -> None:
        """Have a file sent, perhaps not for the first time."""
        (self._ready_large if job.is_large else self._ready).append(job)

    def take(self) -> FileJob | None:
        """Return the file to send next; None if there is none, or none may be sent now."""
        if self._ready_large and len(self._large) < LARGE_AT_A_TIME:
            return self._ready_large.popleft()
        return self._ready.popleft() if self._ready else None

    def is_wanted(self, job: FileJob) -> bool:
        """Whether a file is to be sent although its own unit has failed, or has not."""
        return not job.unit.has_failed or job.file_id in self._followers

    def note_begun(self, job: FileJob) -> None:
        """Count a file as being sent."""
        self.in_threads += 1
        if job.is_large:
            self._large.append(job)

    def note_ended(self, job: FileJob) -> None:
        """Count a file as not being sent any more, whatever has come of it."""
        self.in_threads -= 1
        job.under_way = 0
        if job.is_large:
            self._large.remove(job)

    def close(self, job: FileJob) -> Sequence[FileJob]:
        """Be done with a file, and return those that have waited for it."""
        del self._leaders[job.file_id]
        return self._followers.pop(job.file_id, [])

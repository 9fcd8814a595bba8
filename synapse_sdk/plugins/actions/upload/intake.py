"""Reading the files of units, a few at a time, as far as there is room for them."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from threading import Event

from synapse_sdk.plugins.actions.upload.crew import Crew
from synapse_sdk.plugins.actions.upload.sending import SMALL, FileJob, UnitJob, read_file

__all__ = ["READERS", "Intake", "Room"]

HELD_BYTES = 12 << 20
"""Bytes of files that are read and not sent yet, at most."""
HELD_FILES = 1_000
READ_BYTES = 1 << 20
"""Small files are read so many bytes at a time in one go, which costs less than handing them out one by one."""
READ_FILES = 32
READERS = 2

type ReadFiles = Sequence[tuple[FileJob, BaseException | None]]
"""Files that were read, or the reason why not."""


class Room:
    """Counts what is between being read and being sent, so that memory does not grow with the number of files."""

    def __init__(self) -> None:
        self.held_bytes = self.held_files = 0

    @property
    def is_full(self) -> bool:
        """Whether nothing more may be read now."""
        return self.held_bytes >= HELD_BYTES or self.held_files >= HELD_FILES

    def take(self, job: FileJob) -> None:
        """Hold a place for a file."""
        self.held_files += 1
        self.held_bytes += job.weight

    def let_go(self, job: FileJob) -> None:
        """Give up the place of a file, and its content."""
        job.content = None
        self.held_files -= 1
        self.held_bytes -= job.weight


class Intake:
    """Has files read.

    Args:
        crew: Who reads them.
        room: Where there has to be a place for each file.
        stop: Ends the reading of large files.
        report: Called with files that were read, in the thread that has read them.
    """

    def __init__(self, crew: Crew, room: Room, stop: Event, report: Callable[[ReadFiles], None]) -> None:
        self.readers = 0
        """How many chunks are being read, or were read and not taken note of."""
        self._crew, self._room, self._stop, self._report = crew, room, stop, report
        self._units: Iterator[UnitJob] = iter(())
        self._unread: deque[FileJob] = deque()
        self._is_exhausted = False
        self._large: list[FileJob] = []
        self._hashed = 0

    @property
    def hashed(self) -> int:
        """Bytes of large files whose digests have been worked out so far, each byte once; small ones take no time."""
        return self._hashed + sum(job.hashed for job in self._large)

    def open(self, units: Iterable[UnitJob]) -> None:
        """Say what there is to read; taken from as it is read."""
        self._units = iter(units)

    @property
    def has_more(self) -> bool:
        """Whether there may be files that nobody has begun to read."""
        return bool(self._unread) or not self._is_exhausted

    def note_read(self, results: ReadFiles) -> None:
        """Take note that a chunk was read."""
        self.readers -= 1
        for job in [job for job, _ in results if job.weight >= SMALL]:
            self._large.remove(job)
            self._hashed += job.hashed

    def read_again(self, job: FileJob) -> None:
        """Have a file read another time."""
        self._unread.appendleft(job)

    def start(self) -> None:
        """Have as much read as there is room for."""
        while self.readers < READERS and not self._room.is_full:
            chunk = self._next_chunk()
            if not chunk:
                return
            self.readers += 1
            self._crew.do(partial(self._read_all, chunk), is_long=any(job.weight >= SMALL for job in chunk))

    def _next_chunk(self) -> list[FileJob]:
        """Return a few files that weigh together about `READ_BYTES`, and hold a place for them."""
        chunk: list[FileJob] = []
        weight = 0
        while len(chunk) < READ_FILES and weight < READ_BYTES:
            if not self._unread:
                unit = next(self._units, None)
                if unit is None:
                    self._is_exhausted = True
                    break
                unit.waiting = len(unit.files)
                self._unread.extend(unit.files)
                continue
            job = self._unread.popleft()
            if not job.unit.has_failed:
                weight += job.weight
                self._room.take(job)
                chunk.append(job)
                if job.weight >= SMALL:
                    self._large.append(job)
                    self._hashed -= job.hashed  # of an earlier try
        return chunk

    def _read_all(self, chunk: list[FileJob]) -> None:
        results: list[tuple[FileJob, BaseException | None]] = []
        for job in chunk:
            try:
                read_file(job, self._stop)
            except BaseException as error:  # noqa: BLE001  # it belongs to the thread that decides
                results.append((job, error))
            else:
                results.append((job, None))
        self._report(results)

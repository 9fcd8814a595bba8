"""Fetching files of data units, some ahead where that is faster."""

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from synapse_sdk.backend import UnitFile
from synapse_sdk.clock import SYSTEM_CLOCK, Clock
from synapse_sdk.errors import StorageError, StorageIntegrityError, SynapseError
from synapse_sdk.plugins.actions.export.sources import BackendSources
from synapse_sdk.retry import RetryPolicy, retry
from synapse_sdk.storage import Storage

__all__ = ["Fetched", "Hopeless", "UnitFiles"]

HOPELESS = 8
"""Files in a row that could not be fetched though trying again might help: then it is not the files."""

type Fetched = bytes | SynapseError
"""The content of a file, or why it cannot be had."""


class UnitFiles:
    """Fetches whole files into memory, compared with what the backend knows of them.

    Args:
        sources: Where they are.
        workers: Files that are fetched at a time, at most.
        most_bytes: Bytes that a file may have.
        retries: How to try a file again whose failure may pass.
        clock: Where pauses come from.
    """

    def __init__(
        self,
        sources: BackendSources,
        *,
        workers: int,
        most_bytes: int,
        retries: RetryPolicy,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._sources, self._workers, self._most_bytes = sources, workers, most_bytes
        self._retries, self._clock = retries, clock

    def fetch(self, file: UnitFile) -> bytes:
        """Return the content of a file.

        Raises:
            StorageError: It cannot be read, is another one than was stored, or too large.
        """
        return self._fetch(self._sources.storage(file.storage_id), file)

    def ahead[T](self, wanted: Iterable[tuple[T, UnitFile | None]]) -> Iterator[tuple[T, Fetched | None]]:
        """Yield things as they come, each with the content of its file; the files of some that follow are on their way.

        Args:
            wanted: Things, and the file of each; None if it has none.
        """
        threads = ThreadPoolExecutor(self._workers, thread_name_prefix="fetch")
        waiting: deque[tuple[T, Future[Fetched | None] | Fetched | None]] = deque()
        try:
            for thing, file in wanted:
                waiting.append((thing, self._begun(threads, file)))
                if len(waiting) > self._workers or not isinstance(waiting[0][1], Future):
                    yield _ended(*waiting.popleft())
            while waiting:
                yield _ended(*waiting.popleft())
        finally:
            threads.shutdown(cancel_futures=True)

    def _begun(self, threads: ThreadPoolExecutor, file: UnitFile | None) -> "Future[Fetched | None] | Fetched | None":
        """Return what will be the content of a file; a folder is not read faster by several threads."""
        if file is None:
            return None
        try:
            storage = self._sources.storage(file.storage_id)
        except SynapseError as error:
            return error
        if storage.in_flight > 1:
            return threads.submit(self._tried, storage, file)
        return self._tried(storage, file)

    def _tried(self, storage: Storage, file: UnitFile) -> Fetched:
        try:
            return self._fetch(storage, file)
        except SynapseError as error:
            return error

    def _fetch(self, storage: Storage, file: UnitFile) -> bytes:
        if file.size > self._most_bytes:
            msg = f"The file {file.name!r} has {file.size:,} bytes; it may have {self._most_bytes:,}"
            raise StorageError(msg)
        content = retry(lambda: _whole(storage, file), self._retries, clock=self._clock)
        if len(content) != file.size or hashlib.sha256(content).hexdigest() != file.sha256:
            msg = f"The file {file.name!r} has another content than was stored"
            raise StorageIntegrityError(msg, fix="See whether somebody has changed it: synapse storages check")
        return content


class Hopeless:
    """Gives up when storages, and not single files, are what fails."""

    def __init__(self) -> None:
        self._in_a_row = 0

    def note(self, fetched: Fetched | None) -> None:
        """Take note of a file.

        Raises:
            SynapseError: Many in a row could not be fetched.
        """
        if not isinstance(fetched, SynapseError):
            self._in_a_row = 0
            return
        self._in_a_row += fetched.transient and not isinstance(fetched, StorageIntegrityError)
        if self._in_a_row >= HOPELESS:
            raise fetched


def _ended[T](thing: T, content: "Future[Fetched | None] | Fetched | None") -> tuple[T, Fetched | None]:
    return thing, content.result() if isinstance(content, Future) else content


def _whole(storage: Storage, file: UnitFile) -> bytes:
    """Return the content of a file; of one that is larger than it was, no more than that shows."""
    pieces, size = list[bytes](), 0
    for piece in storage.stream(file.key):
        pieces.append(piece)
        size += len(piece)
        if size > file.size:
            break
    return b"".join(pieces)

"""Fetching the files of items: from storages and from the web, ahead of the hooks that ask for them."""

import hashlib
import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, BinaryIO, Protocol

from synapse_sdk.clock import SYSTEM_CLOCK, Clock
from synapse_sdk.errors import ConfigurationError, StorageError, StorageIntegrityError, SynapseError
from synapse_sdk.interrupts import undisturbed
from synapse_sdk.plugins.actions.export.records import SavedFile
from synapse_sdk.plugins.actions.export.staging import Staging, output_error
from synapse_sdk.retry import RetryPolicy, retry
from synapse_sdk.storage.steady import SteadyWriter

if TYPE_CHECKING:
    from synapse_sdk.plugins.actions.export.exporter import ConvertedItem
    from synapse_sdk.plugins.actions.export.targets.base import ItemFile
    from synapse_sdk.storage import Storage

__all__ = ["FileSources", "Originals"]

HOPELESS = 8
"""Files in a row that could not be fetched though trying again might help: then it is not the files."""


class FileSources(Protocol):
    """Where files are read from."""

    def storage(self, number: int) -> "Storage":
        """Return a storage by the id of its record."""
        ...

    def read_web(self, url: str, most_bytes: int | None) -> Iterator[bytes]:
        """Yield the bytes of a file of the web, which has no more than this; tried again as often as need be."""
        ...


@dataclass(frozen=True, slots=True)
class _Fetched:
    """A file that was written aside."""

    aside: str
    size: int
    sha256: str


class Originals:
    """Fetches the files of items, some ahead where that is faster, and hands them over one item after the other.

    Args:
        sources: Where they are.
        staging: Where they go.
        workers: Files that are fetched at a time, at most.
        retries: How to try a file again whose failure may pass.
        clock: Where pauses come from.
    """

    def __init__(
        self,
        sources: FileSources,
        staging: Staging,
        *,
        workers: int,
        retries: RetryPolicy,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._sources, self._staging, self._retries, self._clock = sources, staging, retries, clock
        self._workers = workers
        self._threads: ThreadPoolExecutor | None = None
        self._stop = Event()
        self._ahead: dict[tuple[int, str], Future[_Fetched]] = {}
        self._failed_in_a_row = 0
        self.hopeless: SynapseError | None = None
        """Why files cannot be fetched any more, once that is so."""

    def ahead(self, items: Iterator["ConvertedItem"]) -> Iterator["ConvertedItem"]:
        """Yield the items as they come, while the files of some that follow are fetched already."""
        waiting: deque[ConvertedItem] = deque()
        for item in items:
            self._fetch_ahead(item)
            waiting.append(item)
            if max(len(self._ahead), len(waiting)) >= 2 * self._workers or not self._ahead:
                yield waiting.popleft()
        yield from waiting

    def save(self, item: "ConvertedItem") -> dict[str, str]:
        """Put the files of an item where they go, and return what is the matter with those that cannot be had.

        Returns:
            Name of the file specification to an error.
        """
        failed = {}
        for name, file in item["files"].items():
            ahead = self._ahead.pop((item["number"], name), None)
            try:
                fetched = self._fetch(item["number"], name, file) if ahead is None else ahead.result()
            except SynapseError as error:
                failed[name] = str(error)
                self._note_failure(error)
                continue
            self._failed_in_a_row = 0
            self._staging.adopt(fetched.aside, SavedFile(item["file_paths"][name], fetched.size, fetched.sha256))
        return failed

    def forget(self, item: "ConvertedItem") -> None:
        """Give up the files of an item that were fetched, and that its hooks did not want."""
        for name in item["files"]:
            ahead = self._ahead.pop((item["number"], name), None)
            if ahead is not None and not ahead.cancel() and ahead.exception() is None:
                os.unlink(ahead.result().aside)  # noqa: PTH108  # it is text

    def close(self, error: BaseException | None) -> set[int]:
        """Stop, and return the signals that came meanwhile; no thread is at work any more: none writes what is undone.

        Args:
            error: What ends the saving; None if all is saved.

        Raises:
            InsistentInterrupt: The user did not want to wait for files on their way.
        """
        return undisturbed(self._end, error)

    def _end(self) -> None:
        self._stop.set()
        if self._threads is not None:
            self._threads.shutdown(cancel_futures=True)
        self._ahead.clear()

    def _fetch_ahead(self, item: "ConvertedItem") -> None:
        for name, file in item["files"].items():
            if self._is_faster_ahead(file):
                if self._threads is None:
                    self._threads = ThreadPoolExecutor(self._workers, thread_name_prefix="fetch")
                self._ahead[item["number"], name] = self._threads.submit(self._fetch, item["number"], name, file)

    def _is_faster_ahead(self, file: "ItemFile") -> bool:
        """Whether a file comes from far away; a folder is not read faster by several threads."""
        try:
            return "storage" not in file or self._sources.storage(file["storage"]).in_flight > 1
        except Exception:  # noqa: BLE001  # it is raised again when the file's turn comes, and fails its item
            return False

    def _note_failure(self, error: SynapseError) -> None:
        self._failed_in_a_row += error.transient and not isinstance(error, StorageIntegrityError)
        if self._failed_in_a_row >= HOPELESS:
            self.hopeless = error

    # What happens in a worker thread

    def _fetch(self, number: int, name: str, file: "ItemFile") -> _Fetched:
        aside = self._staging.aside(f"{number}-{hashlib.sha256(name.encode()).hexdigest()[:16]}")
        fetch = partial(self._fetch_once, aside, file)
        # Files of the web are tried again where they are read, which can go on in the middle.
        return retry(fetch, self._retries, clock=self._clock) if "storage" in file else fetch()

    def _fetch_once(self, aside: str, file: "ItemFile") -> _Fetched:
        pieces, digest, size = self._pieces(file), hashlib.sha256(), 0
        with self._opened(aside) as output:
            writer = SteadyWriter(output.fileno())
            for piece in pieces:
                if self._stop.is_set():
                    msg = "The export was stopped"
                    raise StorageError(msg)
                digest.update(piece)
                size += len(piece)
                try:
                    writer.write(piece)
                except OSError as error:
                    raise self._broken(aside, error) from error
        fetched = _Fetched(aside, size, digest.hexdigest())
        _compare(file, fetched)
        return fetched

    def _pieces(self, file: "ItemFile") -> Iterator[bytes]:
        if "storage" in file and "key" in file:
            return self._sources.storage(file["storage"]).stream(file["key"])
        if "url" in file:
            return self._sources.read_web(file["url"], file.get("size"))
        msg = f"Nobody says where the file {file.get('file_name_original')!r} is"
        raise ConfigurationError(msg, fix="Give it storage and key, or a url")

    def _opened(self, aside: str) -> BinaryIO:
        try:
            return open(aside, "wb", buffering=0)  # noqa: PTH123  # half the price of Path.open
        except OSError as error:
            raise self._broken(aside, error) from error

    def _broken(self, path: str, error: OSError) -> StorageError:
        self._staging.broken = output_error(Path(path), error)
        return self._staging.broken


def _compare(file: "ItemFile", fetched: _Fetched) -> None:
    """Refuse what is not what the backend knows.

    Raises:
        StorageIntegrityError: It has another size or digest.
    """
    size, sha256 = file.get("size", fetched.size), file.get("sha256", fetched.sha256)
    if (size, sha256) != (fetched.size, fetched.sha256):
        other = f"{fetched.size} bytes, not {size}" if size != fetched.size else "another content than was stored"
        msg = f"The file {file['file_name_original']!r} has {other}"
        raise StorageIntegrityError(msg, fix="See whether somebody has changed it: synapse storages check")

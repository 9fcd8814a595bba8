"""Exports into a storage that has no folders to rename: sent under a name of their own, and copied there."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import batched
from pathlib import Path

from synapse_sdk.clock import SYSTEM_CLOCK, Clock
from synapse_sdk.errors import ObjectExistsError, ObjectNotFoundError
from synapse_sdk.plugins.actions.export.destinations.base import (
    BEGIN,
    MANIFEST,
    Destination,
    Place,
    run_of_manifest,
)
from synapse_sdk.retry import RetryPolicy, is_transient, retry
from synapse_sdk.storage import Storage

__all__ = ["RemoteDestination"]

CLAIM = ".synapse-export"
"""The object by which a run makes a name its own, before it copies the first file there."""
DELETED_AT_A_TIME = COPIED_AT_A_TIME = 1_000
CHUNK = 1 << 20
MOST_AT_A_TIME = 64
TRIES = RetryPolicy(max_attempts=5, delay=0.25, max_delay=10.0, jitter=0.5, retry_on=is_transient)
"""How often a request is repeated: each of them is safe to repeat."""


class RemoteDestination(Destination):
    """Sends an export below a hidden name, and copies it within the storage when it is complete, the manifest last.

    An export without a manifest is not complete: that is how readers tell, since such storages show files one by one.

    Args:
        storage: Where it goes.
        place: Where in there.
        work_folder: A folder of the run's own, in which files are until they are sent.
        clock: Where pauses come from.
    """

    def __init__(self, storage: Storage, place: Place, work_folder: Path, clock: Clock = SYSTEM_CLOCK) -> None:
        super().__init__(place)
        self._storage, self._work_folder, self._clock = storage, work_folder, clock
        self._partial = f"{place.below(place.partial_name)}/"
        self._names = work_folder / "names.txt"

    keeps_staging = False

    @property
    def root(self) -> Path:
        """A folder of the run's own."""
        return self._work_folder / "export"

    def expected(self) -> str:
        """Return the first name that is free; see `Destination.expected`."""
        for name in self.place.names():
            if not self._has_any(name):
                return self._url(name)
        raise self._taken(self._url(self.place.name))

    def prepare(self) -> None:
        """Make the folder of this machine, and see whether the storage can be written; see `Destination.prepare`."""
        probe = f"{self._partial}probe"
        self._put(probe, overwrite=True)
        self._delete([probe])
        self.staging.mkdir(parents=True, exist_ok=True)

    def send(self, paths: Sequence[str]) -> None:
        """Send files, several at a time, and remove them here; see `Destination.send`."""
        self._each(self._send_one, paths)
        for path in paths:
            (self.staging / path).unlink(missing_ok=True)

    @property
    def is_published(self) -> bool:
        """Whether the manifest is under a name already; see `Destination.is_published`."""
        return self._published_as() is not None

    def publish(self) -> str:
        """Copy everything under the name, the manifest last; see `Destination.publish`."""
        name = self._published_as()
        if name is None:
            name = self._claim()
            target = f"{self.place.below(name)}/"
            copy = partial(self._copy_one, target)
            for some in batched((path for path in self._sent() if path != MANIFEST), COPIED_AT_A_TIME):
                self._each(copy, some)
            copy(MANIFEST)
        self._delete([f"{self.place.below(name)}/{CLAIM}"])
        self._delete(self._partial + path for path in self._sent())
        return self._url(name)

    def withdraw(self) -> None:
        """Delete what was sent and what was copied; see `Destination.withdraw`.

        The manifest goes first, so that nobody takes what is left for an export, and the claim last: by it the run
        knows the name again if this is cut short.
        """
        sent = self._sent()
        for name in self._names_of_this_run():
            target = f"{self.place.below(name)}/"
            if self._is_published(name):
                self._put(target + CLAIM, overwrite=True)
                self._again(partial(self._storage.copy, target + MANIFEST, self._partial + MANIFEST, overwrite=True))
                self._delete([target + MANIFEST])
            self._delete(target + path for path in sorted({*sent, *self._listed(self._partial)}))
            self._delete([target + CLAIM])
        self._delete(self._partial + path for path in self._sent())
        self._again(partial(self._storage.abort_unfinished, self._partial))

    # Names

    def _has_any(self, name: str) -> bool:
        return self._again(lambda: next(iter(self._storage.list(f"{self.place.below(name)}/")), None)) is not None

    def _claim(self) -> str:
        """Make a name this run's own, and return it."""
        for name in self._names_of_this_run():
            return name
        for name in self.place.names():
            if not self._has_any(name) and self._has_claimed(name):
                return name
        raise self._taken(self._url(self.place.name))

    def _has_claimed(self, name: str) -> bool:
        """Claim a name that was free, and return whether nobody else was faster."""
        self._note(name)
        claim = f"{self.place.below(name)}/{CLAIM}"
        try:
            self._put(claim)
        except ObjectExistsError:
            return False
        if self._keys(f"{self.place.below(name)}/") == [claim]:
            return True
        self._delete([claim])  # somebody has claimed it, published, and taken the claim away in the meantime
        return False

    def _published_as(self) -> str | None:
        return next((name for name in self._names_of_this_run() if self._is_published(name)), None)

    def _names_of_this_run(self) -> Iterator[str]:
        """Yield the names that this run has claimed or published under."""
        noted = self._noted()
        for name in noted:
            if self._is_of_this_run(name):
                yield name
        for name in self.place.names():
            if not self._has_any(name):
                return
            if name not in noted and self._is_of_this_run(name):
                yield name

    def _is_of_this_run(self, name: str) -> bool:
        is_claimed = self._read(f"{self.place.below(name)}/{CLAIM}") == self.place.run.encode()
        return is_claimed or self._is_published(name)

    def _note(self, name: str) -> None:
        """Write down that a name is about to be claimed: it is found again also where those before it are free by then.

        The work folder may be gone, or on another machine; then the names are tried in order.
        """
        self._names.parent.mkdir(parents=True, exist_ok=True)
        with self._names.open("a", encoding="utf-8") as file:
            file.write(f"{name}\n")

    def _noted(self) -> list[str]:
        return self._names.read_text(encoding="utf-8").splitlines() if self._names.exists() else []

    def _is_published(self, name: str) -> bool:
        begin = self._read(f"{self.place.below(name)}/{MANIFEST}", most=BEGIN)
        return begin is not None and run_of_manifest(begin) == self.place.run

    def _url(self, name: str) -> str:
        return f"{self._storage.url.partition('?')[0].rstrip('/')}/{self.place.below(name)}"

    # Objects

    def _read(self, key: str, most: int | None = None) -> bytes | None:
        try:
            return self._again(lambda: b"".join(self._storage.stream(key, end=most)))
        except ObjectNotFoundError:
            return None

    def _keys(self, prefix: str) -> list[str]:
        return self._again(lambda: [info.key for info in self._storage.list(prefix)])

    def _sent(self) -> list[str]:
        """Return the paths of what is below the hidden name."""
        return [key.removeprefix(self._partial) for key in self._keys(self._partial)]

    def _put(self, key: str, *, overwrite: bool = False) -> None:
        """Put an object that names the run."""
        self._again(partial(self._storage.put, key, self.place.run.encode(), overwrite=overwrite))

    def _again[T](self, request: Callable[[], T]) -> T:
        return retry(request, TRIES, clock=self._clock)

    def _listed(self, target: str) -> list[str]:
        """Return the paths that a manifest lists."""
        manifest = self._read(target + MANIFEST)
        return [] if manifest is None else [file["path"] for file in json.loads(manifest)["files"]]

    def _send_one(self, path: str) -> None:
        def put() -> None:
            with (self.staging / path).open("rb") as file:
                size = file.seek(0, 2)
                file.seek(0)
                self._storage.put(self._partial + path, iter(partial(file.read, CHUNK), b""), size=size, overwrite=True)

        self._again(put)

    def _copy_one(self, target: str, path: str) -> None:
        self._again(partial(self._storage.copy, self._partial + path, target + path))

    def _delete(self, keys: Iterable[str]) -> None:
        for some in batched(keys, DELETED_AT_A_TIME):
            self._again(partial(self._storage.delete, some))

    def _each(self, do: Callable[[str], None], paths: Sequence[str]) -> None:
        """Do something with every path, several at a time; the first error is raised when all have ended."""
        workers = min(self._storage.in_flight, MOST_AT_A_TIME, len(paths))
        if workers <= 1:
            for path in paths:
                do(path)
            return
        with ThreadPoolExecutor(workers, thread_name_prefix="send") as threads:
            futures = [threads.submit(do, path) for path in paths]
            try:
                for future in futures:
                    future.result()
            except BaseException:
                threads.shutdown(wait=False, cancel_futures=True)
                raise

"""Twins of what a transfer works with, each of which does what a script says and keeps to what its port promises."""

import hashlib
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from synapse_sdk.backend import (
    CollectionId,
    DataFile,
    DataFileId,
    DataFileState,
    DataUnit,
    DataUnitId,
    Ingestion,
    NewUnit,
    RegisteredUnit,
    Registration,
    ReservedFile,
    StorageId,
    UnitFile,
)
from synapse_sdk.errors import BackendUnavailableError, StorageError, StorageUnavailableError
from synapse_sdk.plugins.actions.upload.accounting import FileRefusedError, Reason
from synapse_sdk.plugins.actions.upload.destination import Destination
from synapse_sdk.plugins.actions.upload.ledger import LossError
from synapse_sdk.plugins.actions.upload.sending import FileJob, UnitJob
from synapse_sdk.plugins.actions.upload.sources import FoundFile, OpenFile, Source
from synapse_sdk.storage import PutResult
from synapse_sdk.storage.base import Content
from synapse_sdk.storage.memory import MemoryStorage

__all__ = ["Catalogue", "HastyClock", "Notebook", "Scene", "Shelf", "Shop"]

PERMANENT = 1_000_000
"""Failures that no number of tries outlasts."""


class HastyClock:
    """Jumps ahead whenever it is looked at, so that no pause takes any time."""

    def __init__(self, jump: float) -> None:
        self._now, self._jump = 0.0, jump
        self._lock = threading.Lock()

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        with self._lock:
            self._now += self._jump
            return self._now

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        with self._lock:
            self._now += seconds


class Shop(Source):
    """A source of which some files cannot be read, for a while or for good."""

    location = "shop"

    def __init__(self, contents: dict[str, bytes], failures: dict[str, int]) -> None:
        self.contents, self.opened = contents, Counter[str]()
        self._failures = dict(failures)

    def walk(self, *, depth: int | None) -> Iterator[FoundFile]:
        """Yield every file."""
        return (FoundFile(path, len(content), 0) for path, content in self.contents.items())

    @contextmanager
    def open(self, path: str) -> Iterator[OpenFile]:
        """Open a file, or refuse it."""
        self.opened[path] += 1
        left = self._failures.get(path, 0)
        if left:
            self._failures[path] = left - 1
            raise FileRefusedError(Reason.UNREADABLE, "not now", transient=left < PERMANENT)
        yield _Opened(self.contents[path])


class _Opened(OpenFile):
    def __init__(self, content: bytes) -> None:
        self._content, self.size, self.version = content, len(content), 0

    def pieces(self) -> Iterator[bytes]:
        return (self._content[at : at + 50] for at in range(0, len(self._content), 50))


class Shelf(MemoryStorage):
    """A storage that does not take some contents, for a while or for good, and watches who puts what."""

    in_flight = 3

    def __init__(self, failures: dict[str, int], *, lost_answers: float, rng: random.Random) -> None:
        super().__init__()
        self.puts, self.at_once, self.most_at_once = Counter[str](), 0, 0
        self.before_reserved: list[str] = []
        self.reserved: set[str] = set()
        self.durable: set[str] = set()
        """What survives a loss of power."""
        self._failures, self._lost_answers, self._rng = dict(failures), lost_answers, rng
        self._lock = threading.Lock()

    def put(
        self,
        key: str,
        content: Content,
        *,
        size: int | None = None,
        sha256: str | None = None,
        overwrite: bool = False,
        source: Path | None = None,
    ) -> PutResult:
        """Store an object, unless it is to fail; the answer may be lost."""
        with self._lock:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            if key not in self.reserved:
                self.before_reserved.append(key)
            digest, left = key.rpartition("/")[2], self._failures.get(key.rpartition("/")[2], 0)
            is_lost = self._rng.random() < self._lost_answers
            if left:
                self._failures[digest] = left - 1
        try:
            if left:
                msg = "it does not take this"
                raise (StorageError if left >= PERMANENT else StorageUnavailableError)(msg)
            result = super().put(key, content, size=size, sha256=sha256, overwrite=overwrite)
            with self._lock:
                self.puts[key] += 1
            if is_lost:
                msg = "the answer was lost"
                raise StorageUnavailableError(msg)
            return result
        finally:
            with self._lock:
                self.at_once -= 1

    def flush(self) -> None:
        """Make what is there durable; the answer may be lost."""
        there = {info.key for info in self.list()}
        with self._lock:
            is_lost = self._rng.random() < self._lost_answers
        if is_lost:
            msg = "the answer was lost"
            raise StorageUnavailableError(msg)
        self.durable |= there


@dataclass
class Catalogue:
    """What the transfer asks of a backend, in memory."""

    shelf: Shelf
    others: dict[str, str] = field(default_factory=dict)
    """Units of others: key to the digest of their one file."""
    failures: list[bool] = field(default_factory=list)
    """Whether each call is to fail, from the first; then none."""
    files: dict[str, DataFile] = field(default_factory=dict)
    units: dict[str, dict[str, int]] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    """Promises that were not kept."""

    def reserve(
        self, run: str, collection_id: CollectionId, storage_id: StorageId, files: Sequence[tuple[str, int, str]]
    ) -> Sequence[ReservedFile]:
        """As the port says."""
        self._perhaps_fail()
        found = []
        for sha256, size, key in files:
            is_new = sha256 not in self.files
            if is_new:
                self.files[sha256] = DataFile(
                    id=DataFileId(len(self.files) + 1),
                    collection_id=collection_id,
                    storage_id=storage_id,
                    key=key,
                    sha256=sha256,
                    size=size,
                    state=DataFileState.RESERVED,
                    owner=run,
                )
            self.shelf.reserved.add(key)
            file = self.files[sha256]
            must_send = file.state is not DataFileState.STORED
            found.append(ReservedFile(file=file, must_send=must_send, is_claimed_before=not is_new))
        return found

    def register(
        self, run: str, collection_id: CollectionId, units: Sequence[NewUnit], *, stored: Iterable[DataFileId] = ()
    ) -> Sequence[RegisteredUnit]:
        """As the port says."""
        self._perhaps_fail()
        by_id = {file.id: file for file in self.files.values()}
        for file_id in stored:
            file = by_id[file_id]
            if not self.shelf.exists(file.key) or file.key not in self.shelf.durable:
                self.broken.append(f"{file.key} was said to be stored")
            self.files[file.sha256] = by_id[file_id] = replace(file, state=DataFileState.STORED)
        return [self._register(unit, by_id) for unit in units]

    def _register(self, unit: NewUnit, by_id: dict[DataFileId, DataFile]) -> RegisteredUnit:
        missing = [name for name, (file_id, _) in unit.files.items() if by_id[file_id].state is DataFileState.RESERVED]
        if missing:
            self.broken.append(f"{unit.key} was registered without {missing}")
        outcome = Registration.CREATED
        if unit.key in self.others:
            digests = {by_id[file_id].sha256 for file_id, _ in unit.files.values()}
            outcome = Registration.DUPLICATE if digests == {self.others[unit.key]} else Registration.CONFLICT
        else:
            self.units[unit.key] = {name: int(file_id) for name, (file_id, _) in unit.files.items()}
        return RegisteredUnit(key=unit.key, outcome=outcome, unit_id=DataUnitId(1))

    def _perhaps_fail(self) -> None:
        if self.failures and self.failures.pop(0):
            msg = "not now"
            raise BackendUnavailableError(msg)


@dataclass
class Notebook:
    """A ledger that writes everything down."""

    stops: bool = False
    outcomes: dict[str, list[str]] = field(default_factory=dict)
    hashed: int = 0
    on_tick: Callable[[], None] = lambda: None

    def registered(self, units: Sequence[tuple[UnitJob, Registration]]) -> None:
        """Write down what became of units."""
        for unit, outcome in units:
            self.outcomes.setdefault(unit.unit["key"], []).append(str(outcome))

    def failed(self, job: FileJob, reason: Reason, words: str) -> None:
        """Write down what failed."""
        told = self.outcomes.setdefault(job.unit.unit["key"], [])
        told += [] if "failed" in told else ["failed"]
        if self.stops:
            raise LossError(words)

    def tick(self, under_way: int, hashed: int) -> None:
        """Look around."""
        assert under_way >= 0
        assert hashed >= self.hashed
        self.hashed = hashed
        self.on_tick()


@dataclass
class Scene:
    """Units to bring in, and everything that will go wrong with them."""

    shop: Shop
    shelf: Shelf
    catalogue: Catalogue
    units: list[UnitJob]
    jump: float

    @classmethod
    def of(cls, seed: int) -> "Scene":
        """Make one."""
        rng = random.Random(seed)  # noqa: S311  # no secret
        contents = [bytes([65 + n]) * rng.choice([1, 10, 49, 51, 200]) for n in range(rng.choice([1, 3, 12]))]
        wanted: dict[str, bytes] = {}
        units = [[f"{n}/{m}" for m in range(rng.choice([1, 1, 2, 3]))] for n in range(rng.choice([0, 1, 5, 30]))]
        for paths in units:
            wanted |= {path: rng.choice(contents) for path in paths}
        bad = rng.choice([0.0, 0.1, 0.5])

        def failures(names: Iterable[str]) -> dict[str, int]:
            return {name: rng.choice([1, 2, 9, 2 * PERMANENT]) for name in names if rng.random() < bad}

        digests = [hashlib.sha256(content).hexdigest() for content in contents]
        shop = Shop(wanted, failures(wanted))
        shelf = Shelf(failures(digests), lost_answers=rng.choice([0.0, 0.1]), rng=random.Random(seed))  # noqa: S311  # as above
        others = {str(n): rng.choice(digests) for n in range(len(units)) if rng.random() < 0.1}
        calls = [rng.random() < bad and rng.random() < 0.5 for _ in range(20)]
        catalogue = Catalogue(shelf, others, calls)
        scene = cls(shop, shelf, catalogue, [], 1.0 if any(calls) else rng.choice([0.01, 20.0]))
        scene.units = [scene._unit(paths) for paths in units]
        for unit in scene.units:
            if unit.unit["key"] in others and rng.random() < 0.5:  # the others appear later
                unit.known = _known_unit(unit, others[unit.unit["key"]])
        return scene

    def _unit(self, paths: list[str]) -> UnitJob:
        unit = UnitJob({"key": paths[0].partition("/")[0], "files": dict.fromkeys(paths), "meta": {}})
        for path in paths:
            content = self.shop.contents[path]
            unit.files.append(FileJob(unit, path, path, self.shop, path, (len(content), 0), min(len(content), 50)))
        return unit

    @property
    def destination(self) -> Destination:
        """Where the units go."""
        return Destination(
            storage=self.shelf,
            ingestion=cast("Ingestion", self.catalogue),
            run="run",
            collection_id=CollectionId(1),
            storage_id=StorageId(1),
            prefix="uid",
        )

    def options(self) -> dict[str, Any]:
        """Return what else a transfer is made of."""
        return {"most_in_flight": 4, "batch": 3, "clock": HastyClock(self.jump)}


def _known_unit(job: UnitJob, sha256: str) -> DataUnit:
    """Return the unit of others that a unit is found to be, or not to be: one content is in all files."""
    file = UnitFile(file_id=DataFileId(1), name="", key="", storage_id=StorageId(1), sha256=sha256, size=1)
    return DataUnit(
        id=DataUnitId(1),
        collection_id=CollectionId(1),
        key=job.unit["key"],
        files={each.specification: file for each in job.files},
        created_at=datetime.fromtimestamp(0, UTC),
    )

"""Exports into storages without folders: what has to be there in the end, and what may lie in the way."""

import json
import random
import secrets
import tracemalloc
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from synapse_sdk.plugins import run_action
from synapse_sdk.plugins.actions.export.destinations.base import Place
from synapse_sdk.plugins.actions.export.destinations.remote import RemoteDestination
from synapse_sdk.storage import MemoryStorage, ObjectInfo, PutResult, Storage, open_storage
from tests.faults.exporting import ExtraExport, add_units, check_whole, documents_of
from tests.unit.plugins.actions.upload.world import World

PARAMS = {"name": "birds", "storage": "memory://exports", "target": "task", "filter": {"project": "birds"}}


@pytest.fixture
def remote(world: World) -> Iterator[Storage]:
    """A storage into which the project of `world` can be exported."""
    record = world.backend.storages.create("store", str(world.store))
    add_units(world.backend, record.id, {"a.jpg": b"a", "other/a.jpg": b"another a", "unannotated.jpg": b"?"})
    with open_storage("memory://exports") as storage:
        storage.delete([info.key for info in storage.list()])
        yield storage


def test_everything_that_the_manifest_lists_was_sent(remote: Storage) -> None:
    """G11: lists of errors and renames, and what hooks have added, as well as the files of items; and nothing else."""
    run_action(ExtraExport, PARAMS)

    assert check_whole(documents_of(remote, "birds/")).keys() == {
        "error_file_list.json",
        "extras/labels.txt",
        "filename_collisions.json",
        "json/a.json",
        "json/a__2.json",
        "origin_files/a.jpg",
        "origin_files/a__2.jpg",
    }
    assert len(documents_of(remote, "")) == 8


class Died(BaseException):  # no error: a process that ends
    """In place of the end of the process."""


class Mortal(MemoryStorage):
    """Changes so many things, and then the process dies."""

    lives: int | None = None
    """How many changes are left; None for any number."""

    def put(self, key: str, *args: Any, **kwargs: Any) -> PutResult:  # noqa: ANN401  # those of the storage
        """Put an object, or die before."""
        self._live()
        return super().put(key, *args, **kwargs)

    def copy(self, source: str, target: str, *, overwrite: bool = False) -> None:
        """Copy an object, or die before."""
        self._live()
        super().copy(source, target, overwrite=overwrite)

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects one by one, until it dies."""
        for key in keys:
            self._live()
            super().delete([key])

    def _live(self) -> None:
        if self.lives is not None:
            if not self.lives:
                raise Died
            self.lives -= 1


MANY = 10_000
NOW = datetime(2026, 1, 1, tzinfo=UTC)
BEFORE = {"birds.old/a.json": b"older", ".birds.0000.partial/a.json": b"theirs", "birds2/manifest.json": b"{}"}
FILES = {**{f"json/{number}.json": b"%d" % number for number in range(4)}, "origin_files/z.jpg": b"z"}
MANIFEST = json.dumps({"run": "r1", "files": [{"path": path, "size": 1, "sha256": ""} for path in FILES]}, indent=2)


def destination(storage: Storage, folder: Path, run: str = "r1", *, refuses: bool = True) -> RemoteDestination:
    """Return what a worker of a run puts an export in its place with."""
    return RemoteDestination(storage, Place(path="", name="birds", run=run, refuses=refuses), folder / run)


def send(to: RemoteDestination) -> None:
    """Send a whole export."""
    to.prepare()
    for path, content in {**FILES, "manifest.json": MANIFEST.replace("r1", to.place.run).encode()}.items():
        (to.staging / path).parent.mkdir(exist_ok=True)
        (to.staging / path).write_bytes(content)
    to.send([*FILES, "manifest.json"])


def beside(*others: str) -> Mortal:
    """Return a storage with what was there before."""
    storage = Mortal()
    for key, content in BEFORE.items():
        storage.put(key, content)
    for key in others:
        storage.put(key, b"taken")
    return storage


def everything(storage: Storage) -> dict[str, bytes]:
    """Return all objects."""
    return documents_of(storage, "")


@pytest.mark.parametrize("again", ["publish", "withdraw"])
def test_a_publication_that_is_cut_short_anywhere_is_finished_or_undone(tmp_path: Path, again: str) -> None:
    """F2: whatever was copied by then, and whatever has got the first name meanwhile."""
    expected = {f"birds(1)/{path}": content for path, content in FILES.items()}
    expected["birds(1)/manifest.json"] = MANIFEST.encode()
    for lives in range(100):
        storage, folder = beside("birds/a.json"), tmp_path / str(lives)
        send(destination(storage, folder, refuses=False))
        storage.lives = lives
        try:
            destination(storage, folder, refuses=False).publish()
        except Died:
            storage.lives = None
        else:
            break
        if lives:  # its name is chosen by then, and stays, also if the first is free now
            storage.delete(["birds/a.json"])
        if again == "publish":
            destination(storage, folder, refuses=False).publish()
            now = expected if lives else {**expected, "birds/a.json": b"taken"}
        else:
            destination(storage, folder, refuses=False).withdraw()
            now = {} if lives else {"birds/a.json": b"taken"}
        assert everything(storage) == {**BEFORE, **now}, f"after {lives} changes"

    assert lives > len(FILES)


def test_a_withdrawal_that_is_cut_short_anywhere_is_finished(tmp_path: Path) -> None:
    """F2, F3: and no reader takes what is left meanwhile for an export."""
    for lives in range(100):
        storage, folder = beside(), tmp_path / str(lives)
        send(destination(storage, folder))
        destination(storage, folder).publish()
        storage.lives = lives
        try:
            destination(storage, folder).withdraw()
        except Died:
            storage.lives = None
        left = {key.removeprefix("birds/") for key in everything(storage) if key.startswith("birds/")}
        assert "manifest.json" not in left or left >= FILES.keys()
        destination(storage, folder).withdraw()
        assert everything(storage) == BEFORE, f"after {lives} changes"
        if lives > 3 * len(FILES):
            break


@pytest.mark.parametrize("number", range(20))
def test_cut_short_again_and_again_an_export_is_whole_or_gone(tmp_path: Path, lot: random.Random, number: int) -> None:  # noqa: ARG001  # part of the seed
    """F3: publishing that dies is tried again or, in the end, withdrawn, and withdrawing that dies is tried again."""
    storage, is_wanted, deaths = beside(), True, 0
    send(destination(storage, tmp_path))
    while True:
        is_wanted = is_wanted and lot.random() < 0.8
        storage.lives = lot.randint(0, 2 * len(FILES))
        worker = destination(storage, tmp_path)
        try:
            worker.publish() if is_wanted else worker.withdraw()
        except Died:
            deaths += 1
        else:
            break

    whole = {f"birds/{path}": content for path, content in {**FILES, "manifest.json": MANIFEST.encode()}.items()}
    assert everything(storage) == {**BEFORE, **(whole if is_wanted else {})}, f"after {deaths} deaths"


def test_of_two_that_want_one_name_at_the_same_time_one_gets_it(tmp_path: Path) -> None:
    """The other has seen that the name is free, and comes to claim it when the first has finished."""

    class Slow(Mortal):
        def put(self, key: str, *args: Any, **kwargs: Any) -> PutResult:  # noqa: ANN401  # as above
            if key == "birds/.synapse-export" and not self.exists("birds/manifest.json"):
                other = MemoryStorage(self.url.removeprefix("memory://"))
                send(destination(other, tmp_path, "r2", refuses=False))
                destination(other, tmp_path, "r2", refuses=False).publish()
            return super().put(key, *args, **kwargs)

    storage = Slow(secrets.token_hex(8))
    send(destination(storage, tmp_path, refuses=False))

    assert destination(storage, tmp_path, refuses=False).publish().endswith("/birds(1)")

    objects = everything(storage)
    assert json.loads(objects["birds/manifest.json"])["run"] == "r2"
    assert json.loads(objects["birds(1)/manifest.json"])["run"] == "r1"
    assert len(objects) == 2 * (len(FILES) + 1)


def test_an_export_of_very_many_files_is_not_held_in_memory(tmp_path: Path) -> None:
    """Of a thousand of them at a time is kept that they are to be copied."""

    class Far(MemoryStorage):
        in_flight = 8

        def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
            if prefix == ".birds.r1.partial/":
                for name in chain((f"json/{number}.json" for number in range(MANY)), ["manifest.json"]):
                    yield ObjectInfo(key=prefix + name, size=0, modified_at=NOW)
            else:
                yield from super().list(prefix)

        def copy(self, source: str, target: str, *, overwrite: bool = False) -> None:
            """Nothing has to be there."""

    to = destination(Far(), tmp_path)
    tracemalloc.start()
    to.publish()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 5 << 20

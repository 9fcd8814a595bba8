"""Whatever goes wrong, and in whatever order: laws of a transfer."""

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from synapse_sdk.errors import LeaseLostError, StorageDeniedError, StorageUnavailableError, SynapseError
from synapse_sdk.plugins.actions.upload import intake, sending
from synapse_sdk.plugins.actions.upload.ledger import LossError
from synapse_sdk.plugins.actions.upload.sending import UnitJob
from synapse_sdk.plugins.actions.upload.sources import OpenFile
from synapse_sdk.plugins.actions.upload.transfer import Transfer
from synapse_sdk.retry import RetryPolicy
from synapse_sdk.storage import PutResult
from synapse_sdk.storage.base import Content
from tests.property.transfers import Notebook, Scene, Shelf, Shop

RETRIES = RetryPolicy(max_attempts=4, delay=0.0)


class Panic(BaseException):
    """What Rust raises when it gives up is no Exception."""


@pytest.fixture(autouse=True)
def _narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let limits be reached with few and tiny files."""
    monkeypatch.setattr(sending, "SMALL", 50)
    monkeypatch.setattr(intake, "SMALL", 50)
    monkeypatch.setattr(intake, "HELD_FILES", 7)
    monkeypatch.setattr(intake, "HELD_BYTES", 300)
    monkeypatch.setattr(intake, "READ_BYTES", 100)
    monkeypatch.setattr(intake, "READ_FILES", 3)


def threads() -> list[threading.Thread]:
    """Return the threads of transfers that are at work."""
    return [thread for thread in threading.enumerate() if thread.name.startswith("upload")]


def bring_in(scene: Scene, notebook: Notebook) -> Transfer:
    """Run a transfer, and look at its limits all the time."""
    transfer = Transfer(scene.destination, notebook, retries=RETRIES, **scene.options())
    room = transfer._room  # noqa: SLF001  # no other way to see how full it is

    def look() -> None:
        assert 0 <= room.held_files < 7 + 2 * 3
        assert 0 <= room.held_bytes < 300 + 2 * (100 + 50)

    notebook.on_tick = look
    transfer.run(scene.units)
    assert (room.held_files, room.held_bytes) == (0, 0)
    return transfer


@pytest.mark.parametrize("block", range(10))
def test_every_unit_comes_to_one_end_and_nothing_is_sent_twice(block: int) -> None:
    """U1 to U3, U9, U10: hundreds of schedules of faults, duplicates and conflicts."""
    for seed in range(block * 30, block * 30 + 30):
        scene, notebook = Scene.of(seed), Notebook()
        try:
            bring_in(scene, notebook)
        except SynapseError as error:  # the storage is hopeless, or the backend is
            check_promises(scene, seed)
            assert error.transient, seed  # noqa: PT017  # others are not among what goes wrong here
            continue
        assert notebook.outcomes.keys() == {str(unit.unit["key"]) for unit in scene.units}, seed
        assert all(len(told) == 1 for told in notebook.outcomes.values()), seed
        created = {key for key, told in notebook.outcomes.items() if told == ["created"]}
        assert scene.catalogue.units.keys() == created, seed
        check_promises(scene, seed)


def check_promises(scene: Scene, seed: int) -> None:
    """Check what holds also when a transfer ends early."""
    assert threads() == [], seed
    assert scene.catalogue.broken == [], seed
    assert scene.shelf.before_reserved == [], seed
    assert scene.shelf.most_at_once <= 4, seed
    lost = scene.shelf._lost_answers  # noqa: SLF001  # of the twin
    assert lost or all(times == 1 for times in scene.shelf.puts.values()), seed


def test_a_small_file_is_read_once() -> None:
    """U2: for its digest and for being sent together."""
    scene = healthy(units=20)

    bring_in(scene, Notebook())

    assert set(scene.shop.opened.values()) == {1}
    assert len(scene.shop.opened) == 20


def test_files_are_sent_while_others_are_made_durable() -> None:
    """Nobody waits for the disk, but the units whose files are on their way to it."""
    scene, is_begun = healthy(units=30), threading.Event()
    overtaken: list[bool] = []

    class Slow(Shelf):
        def put(self, key: str, content: Content, *, size: int | None = None, **more: Any) -> PutResult:  # noqa: ANN401  # whatever else
            is_begun.set()
            return super().put(key, content, size=size, **more)

        def flush(self) -> None:
            is_begun.clear()
            overtaken.append(not overtaken and is_begun.wait(10))
            super().flush()

    scene.shelf.__class__ = Slow

    bring_in(scene, Notebook())

    assert overtaken[0]
    assert len(scene.catalogue.units) == 30
    check_promises(scene, 0)


@pytest.mark.parametrize("error", [Panic(), StorageDeniedError("no"), StorageUnavailableError("never")])
def test_nothing_is_registered_that_cannot_be_made_durable(error: BaseException) -> None:
    """The transfer ends, and knows what it has put and not registered."""

    class Broken(Shelf):
        def flush(self) -> None:
            raise error

    scene = healthy(units=5)
    scene.shelf.__class__ = Broken
    transfer = Transfer(scene.destination, Notebook(), retries=RETRIES, **scene.options())

    with pytest.raises(type(error)):
        transfer.run(scene.units)

    assert scene.catalogue.units == {}
    assert {job.key for job in transfer.unregistered} >= scene.shelf.puts.keys()
    assert threads() == []


def test_a_large_file_is_seen_to_be_hashed() -> None:
    """Bit by bit, and to its end, while none of it is sent yet."""
    scene, notebook, half = healthy(units=1), Notebook(), threading.Event()
    large = bytes(200)
    scene.shop.contents["0/0"] = large

    class Halting(Shop):
        @contextmanager
        def open(self, path: str) -> Iterator[OpenFile]:
            with super().open(path) as file:
                pieces = file.pieces()
                first = itertools.islice(pieces, 2)
                rest = (piece for piece in pieces if half.wait(10))
                file.pieces = lambda: itertools.chain(first, rest)  # type: ignore[method-assign]  # this one halts
                yield file

    def look() -> None:
        if notebook.hashed == 100:
            assert scene.shelf.at_once == 0
            half.set()

    scene.shop.__class__ = Halting
    scene.units = [scene._unit(["0/0"])]  # noqa: SLF001  # of the twin
    notebook.on_tick = look
    Transfer(scene.destination, notebook, retries=RETRIES, **scene.options()).run(scene.units)

    assert half.is_set()
    assert notebook.hashed == 200


def healthy(units: int) -> Scene:
    """Return a scene in which nothing goes wrong."""
    scene = Scene.of(0)
    scene.shop.contents = {f"{n}/0": f"{n}".encode() for n in range(units)}
    scene.shop._failures.clear()  # noqa: SLF001  # of the twin
    scene.shelf._failures.clear()  # noqa: SLF001
    scene.catalogue.failures.clear()
    scene.catalogue.others.clear()
    scene.units = [scene._unit([f"{n}/0"]) for n in range(units)]  # noqa: SLF001
    return scene


def test_a_transfer_that_is_to_stop_stops() -> None:
    """At the first loss, with no thread at work any more."""
    for seed in range(60):
        scene, notebook = Scene.of(seed), Notebook(stops=True)
        try:
            bring_in(scene, notebook)
        except (LossError, SynapseError):
            assert sum(told == ["failed"] for told in notebook.outcomes.values()) <= 1, seed
        check_promises(scene, seed)


def test_units_that_cannot_be_had_end_the_transfer() -> None:
    """An error of whoever yields them reaches the caller."""
    scene = healthy(units=20)

    def units() -> Iterator[UnitJob]:
        yield from scene.units[:10]
        msg = "no more"
        raise RuntimeError(msg)

    transfer = Transfer(scene.destination, Notebook(), retries=RETRIES, **scene.options())
    with pytest.raises(RuntimeError, match="no more"):
        transfer.run(units())

    assert threads() == []


@pytest.mark.parametrize("error", [Panic(), StorageDeniedError("no"), ZeroDivisionError(), MemoryError()])
def test_what_is_no_matter_of_one_file_ends_the_transfer(error: BaseException) -> None:
    """Also when it is raised in a thread, and is no Exception: nobody waits for an answer that does not come."""

    class Broken(Shelf):
        def put(self, *_: object, **__: object) -> PutResult:
            raise error

    scene = healthy(units=20)
    scene.shelf.__class__ = Broken

    with pytest.raises(type(error)):
        bring_in(scene, Notebook())

    assert threads() == []


def test_a_storage_that_takes_nothing_is_given_up() -> None:
    """After a few files, not after all of them."""
    scene = healthy(units=300)
    tries: list[str] = []

    class Gone(Shelf):
        def put(self, key: str, *_: object, **__: object) -> PutResult:
            tries.append(key)
            msg = "nobody answers"
            raise StorageUnavailableError(msg)

    scene.shelf.__class__ = Gone

    with pytest.raises(StorageUnavailableError):
        bring_in(scene, Notebook())

    assert len(set(tries)) < 50


def test_a_worker_that_lost_its_lease_ends() -> None:
    """When it wants to note how far it is; what it has sent and not registered is known."""
    scene = healthy(units=20)

    class Stale(Notebook):
        def registered(self, units: object) -> None:
            msg = "somebody else has it"
            raise LeaseLostError(msg)

    transfer = Transfer(scene.destination, Stale(), retries=RETRIES, **scene.options())
    with pytest.raises(LeaseLostError):
        transfer.run(scene.units)

    assert threads() == []
    known = {job.key for job in transfer.unregistered}
    stored = {file.key for file in scene.catalogue.files.values() if file.state == "stored"}
    assert {info.key for info in scene.shelf.list()} <= known | stored


def test_a_waiting_transfer_does_not_spin() -> None:
    """While nothing happens, it looks up now and then."""
    scene, notebook, looks = healthy(units=1), Notebook(), 0
    held = threading.Event()

    class Slow(Shelf):
        def put(self, *args: object, **kwargs: object) -> PutResult:
            held.wait(10)
            return super().put(*args, **kwargs)  # type: ignore[arg-type]  # as given

    def look() -> None:
        nonlocal looks
        looks += 1
        if looks == 5:
            held.set()

    scene.shelf.__class__ = Slow
    notebook.on_tick = look
    scene.jump = 0.0001
    transfer = Transfer(scene.destination, notebook, retries=RETRIES, **scene.options())
    before = threading.active_count()
    transfer.run(scene.units)

    assert looks < 10
    assert threading.active_count() <= before

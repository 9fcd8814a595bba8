"""What every backend promises about bringing files and units in, whoever else does so at the same time."""

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from synapse_sdk.backend import (
    Backend,
    CollectionId,
    DataFile,
    DataFileId,
    DataFileState,
    DataUnitState,
    NewUnit,
    Registration,
    StorageId,
)
from synapse_sdk.errors import BackendUnavailableError, ConfigurationError, ConflictError
from tests.conformance.backends import STORES, bring_in, opener_of, unit

RESERVED, STORED, DELETING = DataFileState.RESERVED, DataFileState.STORED, DataFileState.DELETING


@pytest.fixture(params=STORES)
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backend]:
    """A backend with a storage and a collection."""
    with opener_of(request.param, request, tmp_path)() as backend:
        yield backend


@pytest.fixture
def storage(backend: Backend) -> StorageId:
    """A storage."""
    return backend.storages.ensure("file:///photos").id


@pytest.fixture
def collection(backend: Backend) -> CollectionId:
    """A collection."""
    return backend.collections.create("birds").id


def test_a_content_is_sent_once(backend: Backend, collection: CollectionId, storage: StorageId) -> None:
    """Equal contents are one file; a file that is reserved has to be sent, one that is stored has not."""
    files = [("aa", 2, "k/aa"), ("bb", 2, "k/bb"), ("aa", 2, "k/aa")]
    first, second, third = backend.ingestion.reserve("first", collection, storage, files)
    assert first == third
    assert (first.must_send, first.is_claimed_before, first.file.owner) == (True, False, "first")
    assert (second.file.state, second.file.key, second.file.size) == (RESERVED, "k/bb", 2)

    again = backend.ingestion.reserve("first", collection, storage, files[:1])[0]
    other = backend.ingestion.reserve("second", collection, storage, files[:1])[0]
    backend.ingestion.register("first", collection, [], stored=[first.file.id])
    third = backend.ingestion.reserve("third", collection, storage, files[:1])[0]

    assert (again.must_send, again.is_claimed_before) == (True, True)
    assert (other.must_send, other.is_claimed_before, other.file.owner) == (True, False, "first")
    assert (third.must_send, third.file.state) == (False, STORED)
    assert len(backend.data_files.list(collection)) == 2
    assert backend.data_files.usage(collection).size == 2


ODD = """ a'b"c\\d \\u0000 \n\t\x1f\x7f\u2028 e\u0301 한 😀 [1] {"a": 1} $[0] %s ?"""
"""Text that a way of writing it down could take for something else."""


def test_odd_text_comes_back_as_it_was(backend: Backend, collection: CollectionId, storage: StorageId) -> None:
    """In keys of objects and units, names and metadata."""
    (reserved,) = backend.ingestion.reserve("first", collection, storage, [("aa", 2**62, ODD)])
    new = NewUnit(key=ODD, files={ODD: (reserved.file.id, ODD)}, meta={ODD: [ODD, "\x00 \ud800", 1.5, None]})

    backend.ingestion.register("first", collection, [new], stored=[reserved.file.id])
    backend.ingestion.publish("first")

    (found,) = backend.data_units.with_keys(collection, [ODD])
    assert (found.key, found.meta) == (new.key, new.meta)
    assert [(name, file.name, file.key, file.size) for name, file in found.files.items()] == [(ODD, ODD, ODD, 2**62)]


def test_text_with_nul_is_refused(backend: Backend, collection: CollectionId, storage: StorageId) -> None:
    """Databases end a text there, or refuse it."""
    (reserved,) = backend.ingestion.reserve("first", collection, storage, [("aa", 1, "k")])

    for bad in (NewUnit(key="a\0b", files={}), NewUnit(key="a", files={"images": (reserved.file.id, "a\0b")})):
        with pytest.raises(ConfigurationError, match="NUL"):
            backend.ingestion.register("first", collection, [bad], stored=[reserved.file.id])
    with pytest.raises(ConfigurationError, match="NUL"):
        backend.ingestion.reserve("first", collection, storage, [("bb", 1, "k\0")])

    bring_in(backend, "first", collection, storage, "a")
    assert [unit.key for unit in backend.data_units.with_keys(collection, ["a\0b", "a"], state=None)] == ["a"]
    assert backend.data_units.with_keys(collection, ["a\0b"], state=None) == []


def test_units_are_hidden_until_they_are_published(
    backend: Backend, collection: CollectionId, storage: StorageId
) -> None:
    """All at once."""
    bring_in(backend, "first", collection, storage, "a", "b")
    assert backend.data_units.count(collection) == 0
    assert backend.data_units.count(collection, state=DataUnitState.STAGED) == 2
    assert list(backend.ingestion.registered_keys("first")) == ["a", "b"]
    assert backend.data_units.with_keys(collection, ["a"]) == []
    assert [each.key for each in backend.data_units.with_keys(collection, ["a"], state=None)] == ["a"]

    assert backend.ingestion.publish("first") == 2
    assert backend.ingestion.publish("first") == 2

    a, b = backend.data_units.list(collection)
    assert (a.key, a.state, a.run, a.meta) == ("a", DataUnitState.LIVE, "first", {"from": "a"})
    assert (b.files["images"].key, b.files["images"].name, b.files["images"].size) == ("objects/b", "b.jpg", 1)
    assert backend.data_units.get(a.id) == a
    assert backend.data_units.with_keys(collection, ["b", "c", "b"]) == [b]
    assert backend.ingestion.to_delete("first") == []


def test_registering_again_changes_nothing(backend: Backend, collection: CollectionId, storage: StorageId) -> None:
    """It is the same unit for the run that did so; for others it is there already, or contradicts what is there."""
    a, b = bring_in(backend, "first", collection, storage, "a", "b")
    register = backend.ingestion.register
    backend.ingestion.reserve("second", collection, storage, [("a", 1, "objects/a")])

    (again,) = register("first", collection, [unit("a", a)])
    (twin,) = register("second", collection, [unit("a", a)])
    backend.ingestion.publish("first")
    (published,) = register("second", collection, [unit("a", a)])
    (clash,) = register("second", collection, [unit("a", b)])
    (own_clash,) = register("first", collection, [unit("a", b)])
    new, repeated, clashing = register("second", collection, [unit("c", a), unit("c", a), unit("c", b)])

    outcomes = [each.outcome for each in (again, twin, published)]
    assert outcomes == [Registration.CREATED, Registration.PENDING, Registration.DUPLICATE]
    assert [each.outcome for each in (clash, own_clash)] == [Registration.CONFLICT, Registration.CONFLICT]
    assert {each.unit_id for each in (again, twin, clash, own_clash)} == {again.unit_id}
    assert [new.outcome, repeated.outcome] == [Registration.CREATED, Registration.CREATED]
    assert (clashing.outcome, clashing.unit_id) == (Registration.CONFLICT, new.unit_id)
    assert backend.data_units.count(collection, state=None) == 3


def test_a_unit_has_stored_files_only(backend: Backend, collection: CollectionId, storage: StorageId) -> None:
    """Nothing of a call that is refused stays."""
    (a,) = bring_in(backend, "first", collection, storage, "a")
    (b,) = (each.file.id for each in backend.ingestion.reserve("first", collection, storage, [("b", 1, "k")]))
    other = backend.collections.create("cats").id

    with pytest.raises(ConflictError, match="not stored in this collection"):
        backend.ingestion.register("first", collection, [unit("c", a), unit("d", b)])
    with pytest.raises(ConflictError, match="not stored in this collection"):
        backend.ingestion.register("first", other, [unit("c", a)])
    with pytest.raises(ConflictError, match="not reserved"):
        backend.ingestion.register("second", collection, [], stored=[b])
    with pytest.raises(ConflictError, match="not reserved"):
        backend.ingestion.register("first", collection, [], stored=[DataFileId(99)])
    assert [each.key for each in backend.data_units.list(collection, state=None)] == ["a"]
    assert backend.data_files.get(b).state is RESERVED


def test_metadata_is_added_to_units_of_the_run(backend: Backend, collection: CollectionId, storage: StorageId) -> None:
    """Names that are there are replaced, others stay; units of other runs are not touched."""
    bring_in(backend, "first", collection, storage, "a", "b")
    bring_in(backend, "second", collection, storage, "c")

    found = backend.ingestion.update_meta("first", collection, {"a": {"size": 3}, "c": {"size": 4}, "x": {}})

    assert found == 1
    metas = {each.key: each.meta for each in backend.data_units.list(collection, state=None)}
    assert metas == {"a": {"from": "a", "size": 3}, "b": {"from": "b"}, "c": {"from": "c"}}


@pytest.mark.parametrize("is_published", [False, True])
def test_what_a_withdrawn_run_leaves_is_handed_out_until_it_is_gone(
    backend: Backend, collection: CollectionId, storage: StorageId, *, is_published: bool
) -> None:
    """Files that are not sent yet, too: they may be there."""
    bring_in(backend, "first", collection, storage, "a", "b")
    backend.ingestion.reserve("first", collection, storage, [("c", 1, "objects/c")])
    if is_published:
        backend.ingestion.publish("first")

    backend.ingestion.withdraw("first")
    backend.ingestion.withdraw("first")

    left = backend.ingestion.to_delete("first")
    assert {each.key for each in left} == {"objects/a", "objects/b", "objects/c"}
    assert {each.state for each in left} == {DELETING}
    assert backend.ingestion.to_delete("first", limit=1) == left[:1]
    assert backend.data_units.count(collection, state=None) == 0
    with pytest.raises(BackendUnavailableError, match="run 'first'") as refused:
        backend.ingestion.reserve("second", collection, storage, [("x", 1, "k"), ("a", 1, "objects/a")])
    assert refused.value.transient
    backend.ingestion.finish_removal(each.id for each in left)
    assert backend.ingestion.to_delete("first") == []
    assert backend.data_files.list(collection) == []
    (again,) = backend.ingestion.reserve("second", collection, storage, [("a", 1, "objects/a")])
    assert again.must_send


def test_a_withdrawn_run_is_closed(backend: Backend, collection: CollectionId, storage: StorageId) -> None:
    """A worker that wakes up late is refused; also if it has not begun yet."""
    backend.ingestion.withdraw("first")

    for call in (
        lambda: backend.ingestion.reserve("first", collection, storage, []),
        lambda: backend.ingestion.register("first", collection, []),
        lambda: backend.ingestion.update_meta("first", collection, {}),
        lambda: backend.ingestion.publish("first"),
    ):
        with pytest.raises(ConflictError, match="was rolled back"):
            call()


def test_what_others_need_is_not_deleted(backend: Backend, collection: CollectionId, storage: StorageId) -> None:
    """Neither what they claim, nor what their units have; whoever goes last deletes it."""
    (a, _) = bring_in(backend, "first", collection, storage, "a", "b")
    backend.ingestion.reserve("second", collection, storage, [("a", 1, "objects/a")])

    backend.ingestion.withdraw("first")
    assert [each.key for each in backend.ingestion.to_delete("first")] == ["objects/b"]
    assert backend.data_files.get(a).owner == "second"

    backend.ingestion.register("second", collection, [unit("mine", a)])
    backend.ingestion.publish("second")
    bring_in(backend, "third", collection, storage, "a")
    backend.ingestion.withdraw("second")
    assert backend.ingestion.to_delete("second") == []
    assert backend.data_files.get(a).owner == "third"

    backend.ingestion.withdraw("third")
    assert [each.id for each in backend.ingestion.to_delete("third")] == [a]


def test_what_was_sent_in_vain_is_handed_out_when_the_run_is_published(
    backend: Backend, collection: CollectionId, storage: StorageId
) -> None:
    """A file whose sending failed may be there, and a duplicate in another storage is of no use."""
    other = backend.storages.ensure("file:///other").id
    bring_in(backend, "first", collection, storage, "a")
    backend.ingestion.publish("first")
    backend.ingestion.reserve("second", collection, storage, [("failed", 6, "objects/failed")])
    bring_in(backend, "second", collection, other, "a")
    bring_in(backend, "second", collection, other, "new")

    assert backend.ingestion.publish("second") == 1

    left = backend.ingestion.to_delete("second")
    assert {(each.storage_id, each.key) for each in left} == {(storage, "objects/failed"), (other, "objects/a")}


def test_removed_units_hand_out_what_nobody_needs(
    backend: Backend, collection: CollectionId, storage: StorageId
) -> None:
    """Also to somebody who comes later, if the first was cut short."""
    a, b = bring_in(backend, "first", collection, storage, "a", "b")
    backend.ingestion.publish("first")
    backend.ingestion.reserve("second", collection, storage, [("b", 1, "objects/b")])
    (c,) = bring_in(backend, "second", collection, storage, "c")
    ids = [each.id for each in backend.data_units.list(collection, state=None)]

    left = backend.data_units.remove([*ids, *ids])

    assert [each.id for each in left] == [a]
    assert backend.ingestion.to_delete(None) == left
    assert [each.key for each in backend.data_units.list(collection, state=None)] == ["c"]
    with pytest.raises(BackendUnavailableError, match="removed data units"):
        backend.ingestion.reserve("third", collection, storage, [("a", 1, "objects/a")])
    backend.ingestion.finish_removal([a, b, c])
    assert {each.id for each in backend.data_files.list(collection)} == {b, c}
    backend.ingestion.publish("second")
    assert [each.id for each in backend.ingestion.to_delete("second")] == [b]


def test_whoever_has_the_last_unit_deletes_what_others_have_brought_in(
    backend: Backend, collection: CollectionId, storage: StorageId
) -> None:
    """Even if the owner of the object has long succeeded and has no unit left."""
    (a,) = bring_in(backend, "first", collection, storage, "a")
    backend.ingestion.publish("first")
    backend.ingestion.reserve("second", collection, storage, [("a", 1, "objects/a")])
    backend.ingestion.register("second", collection, [unit("mine", a)])
    backend.ingestion.publish("second")
    first, _ = backend.data_units.list(collection)
    assert backend.data_units.remove([first.id]) == []

    backend.ingestion.withdraw("second")

    assert [each.id for each in backend.ingestion.to_delete("second")] == [a]


def test_runs_may_work_at_the_same_time(backend: Backend, collection: CollectionId, storage: StorageId) -> None:
    """From several threads, on the same contents: each of them is one file."""
    contents = [f"content-{number}" for number in range(60)]

    def work(run: str) -> int:
        shuffled = random.Random(run).sample(contents, len(contents))  # noqa: S311  # a schedule, no secret
        for start in range(0, len(shuffled), 20):
            bring_in(backend, run, collection, storage, *shuffled[start : start + 20])
        return backend.ingestion.publish(run)

    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(work, ["first", "second", "third", "fourth"]))

    assert sum(made) == len(contents) == backend.data_units.count(collection)
    assert len(backend.data_files.list(collection)) == len(contents)
    for run in ("first", "second", "third", "fourth"):
        backend.ingestion.withdraw(run)
    left = [each.key for run in ("first", "second", "third", "fourth") for each in backend.ingestion.to_delete(run)]
    assert sorted(left) == sorted(f"objects/{content}" for content in contents)


class World:
    """Several runs that do at random what runs do, and a storage that knows which objects are in it."""

    def __init__(self, backend: Backend, collection: CollectionId, storage: StorageId, seed: int) -> None:
        self.backend, self.collection, self.storage = backend, collection, storage
        self.random = random.Random(seed)  # noqa: S311  # as above
        self.objects = set[str]()
        self.sent: dict[str, dict[DataFileId, str]] = defaultdict(dict)
        self.withdrawn = set[str]()

    def step(self) -> None:
        """Let one run do one thing."""
        run = f"run-{self.random.randrange(6)}"
        if run in self.withdrawn:
            self.delete(run)
            return
        actions = [self.reserve, self.reserve, self.register, self.register, self.publish, self.withdraw, self.remove]
        self.random.choice(actions)(run)
        self.check()

    def reserve(self, run: str) -> None:
        """Reserve contents, and put some of those that have to be sent."""
        contents = self.random.sample("abcdefgh", 3)
        try:
            reserved = self.backend.ingestion.reserve(
                run, self.collection, self.storage, [(each, 1, each) for each in contents]
            )
        except BackendUnavailableError:
            return
        for each in reserved:
            if not each.must_send:
                assert each.file.key in self.objects, "a file that need not be sent is there"
                self.sent[run][each.file.id] = each.file.key
            elif self.random.random() < 0.7:
                self.objects.add(each.file.key)
                self.sent[run][each.file.id] = each.file.key

    def register(self, run: str) -> None:
        """Register what was put, as units with one file."""
        sent = self.sent[run]
        units = [
            NewUnit(key=f"{key}{self.random.randrange(2)}", files={"images": (file_id, key)})
            for file_id, key in sent.items()
        ]
        self.backend.ingestion.register(run, self.collection, units, stored=list(sent))
        self.sent[run] = {}

    def publish(self, run: str) -> None:
        """Publish, then delete what was sent in vain."""
        self.backend.ingestion.publish(run)
        self.sent[run] = {}
        self.delete(run)

    def withdraw(self, run: str) -> None:
        """Withdraw; deleting comes later."""
        self.backend.ingestion.withdraw(run)
        self.withdrawn.add(run)

    def remove(self, _run: str) -> None:
        """Remove some live unit, and the objects it leaves."""
        live = self.backend.data_units.list(self.collection)
        if live:
            self._drop(self.backend.data_units.remove([self.random.choice(live).id]))

    def delete(self, run: str | None) -> None:
        """Delete some of what a run has left."""
        self._drop(self.backend.ingestion.to_delete(run, limit=2))

    def _drop(self, files: Sequence[DataFile]) -> None:
        for each in files:
            self.objects.discard(each.key)
            self.backend.ingestion.finish_removal([each.id])

    def check(self) -> None:
        """See that every unit has its objects, and that every object is somebody's."""
        for each in self.backend.data_units.list(self.collection, state=None):
            assert {file.key for file in each.files.values()} <= self.objects, "a unit has lost an object"
        known = {each.key for each in self.backend.data_files.list(self.collection)}
        assert self.objects <= known, "an object is lost sight of"


@pytest.mark.parametrize("seed", range(4))
def test_no_schedule_of_runs_loses_an_object_or_leaves_one(
    backend: Backend, collection: CollectionId, storage: StorageId, seed: int
) -> None:
    """Nothing that a unit needs is handed out for deletion, and in the end nothing is left."""
    world = World(backend, collection, storage, seed)
    for _ in range(100):
        world.step()

    for run in [f"run-{number}" for number in range(6)]:
        world.withdraw(run)
        while backend.ingestion.to_delete(run):
            world.delete(run)
    assert backend.data_units.count(collection, state=None) == 0
    assert world.objects == set()
    assert backend.data_files.list(collection) == []


def test_what_a_run_has_reserved_and_not_used_is_known(
    backend: Backend, collection: CollectionId, storage: StorageId
) -> None:
    """Until it lets go of it; what its units have, and what others have reserved, is not among it."""
    bring_in(backend, "first", collection, storage, "aa")
    bring_in(backend, "second", collection, storage, "dd")
    files = [(content, 2, f"k/{content}") for content in ("aa", "bb", "cc", "dd")]
    _, bb, cc, dd = (each.file.id for each in backend.ingestion.reserve("first", collection, storage, files))

    assert [file.id for file in backend.ingestion.unused("first")] == sorted([bb, cc, dd])
    assert [file.id for file in backend.ingestion.unused("first", state=RESERVED)] == sorted([bb, cc])
    assert [file.id for file in backend.ingestion.unused("first", after=min(bb, cc, dd), limit=1)] == [
        sorted([bb, cc, dd])[1]
    ]
    assert backend.ingestion.unused("second") == []
    backend.ingestion.publish("first")
    assert backend.ingestion.unused("first") == []


def test_an_object_that_a_run_disowns_is_not_deleted(
    backend: Backend, collection: CollectionId, storage: StorageId
) -> None:
    """Neither by it nor for it; who else has reserved it answers for it then, and what is stored stays."""
    files = [(content, 2, f"k/{content}") for content in ("aa", "bb", "cc")]
    aa, bb, cc = (each.file.id for each in backend.ingestion.reserve("first", collection, storage, files))
    backend.ingestion.reserve("second", collection, storage, files[1:2])
    backend.ingestion.register("first", collection, [], stored=[cc])

    backend.ingestion.disown("first", [aa, bb, cc])
    backend.ingestion.withdraw("first")

    assert [file.id for file in backend.ingestion.to_delete("first")] == [cc]
    left = {file.id: (file.state, file.owner) for file in backend.data_files.list(collection)}
    assert left == {bb: (RESERVED, "second"), cc: (DELETING, "first")}
    backend.ingestion.withdraw("second")
    assert [file.id for file in backend.ingestion.to_delete("second")] == [bb]

"""What every backend promises about its records (`synapse_sdk.backend.ports`), over every database there is."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta, timezone
from pathlib import Path

import pytest

from synapse_sdk.backend import (
    AssignmentFilter,
    AssignmentId,
    Backend,
    Category,
    CollectionId,
    DataUnitId,
    FileSpecification,
    FileType,
    GroundTruth,
    GroundTruthFilter,
    JobStatus,
    ModelFile,
    NewGroundTruth,
    NewUnit,
    ProjectId,
    StorageId,
    TaskFilter,
    TaskId,
    TaskState,
)
from synapse_sdk.backend.paging import every, pages
from synapse_sdk.errors import ConfigurationError, ConflictError, RecordNotFoundError
from synapse_sdk.types import JobId, JsonObject
from tests.conformance.backends import STORES, Opener, bring_in, opener_of

IMAGES = FileSpecification(name="images", file_type=FileType.IMAGE, is_primary=True, extensions=(".jpg", ".png"))
LABELS = FileSpecification(name="labels", is_required=False)


@pytest.fixture(params=STORES)
def opener(request: pytest.FixtureRequest, tmp_path: Path) -> Opener:
    """What opens one and the same backend."""
    return opener_of(request.param, request, tmp_path)


@pytest.fixture
def backend(opener: Opener) -> Iterator[Backend]:
    """An empty backend."""
    with opener() as backend:
        yield backend


@pytest.fixture
def storage(backend: Backend) -> StorageId:
    """A storage."""
    return backend.storages.ensure("file:///photos").id


@pytest.fixture
def collection(backend: Backend) -> CollectionId:
    """A collection of images."""
    return backend.collections.create("birds", specifications=[IMAGES, LABELS]).id


@pytest.fixture
def units(backend: Backend, collection: CollectionId, storage: StorageId) -> list[DataUnitId]:
    """Three live units of the collection."""
    bring_in(backend, "first", collection, storage, "a", "b", "c")
    backend.ingestion.publish("first")
    return [each.id for each in backend.data_units.list(collection)]


@pytest.fixture
def project(backend: Backend, collection: CollectionId) -> ProjectId:
    """A project on the collection."""
    return backend.projects.create("boxes", collection, configuration={"schema": "dm_v2"}).id


# Storages


def test_the_first_storage_becomes_the_default_until_another_one_is_made_it(backend: Backend) -> None:
    """There is always one, as long as there is any."""
    with pytest.raises(RecordNotFoundError, match="no storage yet"):
        backend.storages.default()
    first = backend.storages.create("disk", "file:///a")
    backend.storages.create("other", "file:///b")
    assert backend.storages.default() == first

    third = backend.storages.create("cloud", "s3://bucket", credentials={"secret_key": "x"}, is_default=True)

    assert backend.storages.default() == third == backend.storages.get("cloud") == backend.storages.get(third.id)
    assert [each.is_default for each in backend.storages.list()] == [False, False, True]
    assert "secret_key" not in repr(third)
    backend.storages.remove(third.id)
    assert backend.storages.default().name == "disk"


def test_a_storage_is_ensured_once(backend: Backend) -> None:
    """Whoever names the same URL gets the same storage."""
    assert backend.storages.ensure("file:///a") == backend.storages.ensure("file:///a")
    assert backend.storages.get("file:///a").name == "file:///a"


def test_storages_have_names_and_urls_of_their_own(backend: Backend) -> None:
    """Two of one URL would delete each other's objects."""
    backend.storages.create("disk", "file:///a")

    with pytest.raises(ConflictError, match="named 'disk'"):
        backend.storages.create("disk", "file:///b")
    with pytest.raises(ConflictError, match="of this URL: 'disk'"):
        backend.storages.create("other", "file:///a")


def test_a_storage_with_files_cannot_be_forgotten(
    backend: Backend, storage: StorageId, units: list[DataUnitId]
) -> None:
    """Their objects could not be found again."""
    assert units
    with pytest.raises(ConflictError, match="data files lie in it"):
        backend.storages.remove(storage)
    with pytest.raises(RecordNotFoundError):
        backend.storages.remove(StorageId(99))


# Collections


def test_a_collection_comes_back_as_it_was_made(backend: Backend, opener: Opener) -> None:
    """Its specifications in their order, by name and by id, for everybody."""
    made = backend.collections.create("birds", description="of Korea", specifications=[LABELS, IMAGES])

    assert made.specifications == (LABELS, IMAGES)
    assert backend.collections.get("birds") == backend.collections.get(made.id) == made
    assert backend.collections.get(str(made.id)) == made
    assert opener().collections.list() == [made]
    assert backend.collections.list(after=made.id) == []


def test_a_mistyped_name_is_answered_with_the_nearest(backend: Backend) -> None:
    """For collections as for everything that has a name."""
    backend.collections.create("birds")

    with pytest.raises(RecordNotFoundError, match=r"no collection 'brids'.*Did you mean 'birds'"):
        backend.collections.get("brids")


def test_a_name_of_digits_is_a_name_first(backend: Backend) -> None:
    """And an id only if nothing has the name."""
    first = backend.collections.create("7")
    assert backend.collections.get("7") == first
    assert backend.collections.get(str(first.id)) == first


@pytest.mark.parametrize("name", ["", " ", " birds", "a\nb", "a\x1b[2Jb", "nul\0", "caf\udce9"])
def test_names_that_nobody_could_write_are_refused(backend: Backend, name: str) -> None:
    """For everything that people name; nothing is made."""
    collection = backend.collections.create("birds").id
    for make in (
        backend.collections.create,
        lambda name: backend.projects.create(name, collection),
        lambda name: backend.storages.create(name, "file:///a"),
        backend.ground_truths.create_dataset,
    ):
        with pytest.raises(ConfigurationError, match="cannot be named"):
            make(name)

    assert not (backend.projects.list())
    assert not (backend.storages.list())
    assert not (backend.ground_truths.datasets())


@pytest.mark.parametrize("name", ["a/b", "s3://a", ".."])
def test_a_storage_is_not_named_like_a_path(backend: Backend, name: str) -> None:
    """Whoever wrote the name would be taken to mean the folder."""
    with pytest.raises(ConfigurationError, match="taken for a path"):
        backend.storages.create(name, "file:///a")


def test_collections_have_names_of_their_own(backend: Backend) -> None:
    """And random ids that no other backend gives."""
    first, second = backend.collections.create("a"), backend.collections.create("b")
    assert first.uid != second.uid
    with pytest.raises(ConflictError, match="named 'a'"):
        backend.collections.create("a")


@pytest.mark.parametrize(
    "specifications",
    [
        [IMAGES, IMAGES],
        [IMAGES, FileSpecification(name="Images")],
        [IMAGES, FileSpecification(name="more", is_primary=True)],
        [FileSpecification(name="")],
        [FileSpecification(name="a/b")],
        [FileSpecification(name="..")],
        [FileSpecification(name="a", extensions=("jpg",))],
        [FileSpecification(name="a", extensions=(".JPG",))],
    ],
)
def test_specifications_that_cannot_be_are_refused(backend: Backend, specifications: list[FileSpecification]) -> None:
    """Nothing is made."""
    with pytest.raises(ConfigurationError):
        backend.collections.create("birds", specifications=specifications)
    assert backend.collections.list() == []


def test_a_collection_in_use_cannot_be_removed(
    backend: Backend, collection: CollectionId, units: list[DataUnitId], project: ProjectId
) -> None:
    """Neither with units, nor with a project."""
    with pytest.raises(ConflictError, match="it has data units"):
        backend.collections.remove(collection)
    files = backend.data_units.remove(units)
    with pytest.raises(ConflictError, match="files to delete"):
        backend.collections.remove(collection)
    backend.ingestion.finish_removal(each.id for each in files)
    with pytest.raises(ConflictError, match="a project works on it"):
        backend.collections.remove(collection)
    backend.projects.remove(project)

    backend.collections.remove(collection)

    assert backend.collections.list() == []
    with pytest.raises(RecordNotFoundError):
        backend.collections.remove(collection)


def test_a_collection_that_a_run_brings_units_into_cannot_be_removed(
    backend: Backend, collection: CollectionId, storage: StorageId
) -> None:
    """Nobody sees these units, so the way out is to end the run."""
    (reserved,) = backend.ingestion.reserve("run", collection, storage, [("aa", 1, "aa")])
    unit = NewUnit(key="wren", files={"images": (reserved.file.id, "wren.jpg")})
    backend.ingestion.register("run", collection, [unit], stored=[reserved.file.id])

    with pytest.raises(ConflictError, match=r"a run is bringing data units in.*synapse runs list"):
        backend.collections.remove(collection)


def test_units_are_read_by_their_ids_with_their_files(
    backend: Backend, collection: CollectionId, storage: StorageId, units: list[DataUnitId]
) -> None:
    """In order of their ids, each once, of whatever state; more of them than a statement takes variables."""
    bring_in(backend, "second", collection, storage, "hidden")
    everything = backend.data_units.list(collection, state=None)

    ids = [DataUnitId(9_999_999), everything[3].id, *units[::-1], units[0]]
    assert backend.data_units.many(ids) == everything
    assert [set(each.files) for each in everything] == [{"images"}] * 4
    assert backend.data_units.many([]) == []
    assert len(backend.data_units.many(DataUnitId(number) for number in range(300_000))) == 4
    keys = ["c", "a", "hidden", *map(str, range(40_000))]
    assert [each.id for each in backend.data_units.with_keys(collection, keys)] == [units[0], units[2]]


# Tasks and assignments


def test_a_project_is_configured_anew(backend: Backend, project: ProjectId, opener: Opener) -> None:
    """As a whole: what is left out is gone."""
    assert backend.projects.configure(project, {"classes": ["bird"]}).configuration == {"classes": ["bird"]}
    assert opener().projects.get("boxes").configuration == {"classes": ["bird"]}
    with pytest.raises(RecordNotFoundError, match="no project 99"):
        backend.projects.configure(ProjectId(99), {})


def test_tasks_are_made_once_a_unit(backend: Backend, project: ProjectId, units: list[DataUnitId]) -> None:
    """Whatever is repeated."""
    assert backend.tasks.create(project, units[:2]) == 2
    assert backend.tasks.create(project, units) == 1

    tasks = backend.tasks.list(TaskFilter(project=project))

    assert [task.unit_id for task in tasks] == units
    assert backend.tasks.count(TaskFilter(data_units=(units[0],), state=TaskState.OPEN, has_data=False)) == 1
    assert backend.tasks.list(TaskFilter(ids=(tasks[2].id,)), after=0, limit=1) == [tasks[2]]


def test_there_are_no_tasks_of_hidden_or_strange_units(
    backend: Backend, project: ProjectId, collection: CollectionId, storage: StorageId, units: list[DataUnitId]
) -> None:
    """Nothing is made for the others either."""
    bring_in(backend, "second", collection, storage, "hidden")
    hidden = backend.data_units.list(collection, state=None)[-1].id

    with pytest.raises(ConflictError, match="not a live one"):
        backend.tasks.create(project, [*units, hidden])
    assert backend.tasks.count(TaskFilter()) == 0
    with pytest.raises(RecordNotFoundError):
        backend.tasks.create(ProjectId(99), units)


def test_data_of_a_task_that_changed_meanwhile_is_kept(
    backend: Backend, project: ProjectId, units: list[DataUnitId]
) -> None:
    """Of several writers who have read the same version, one wins."""
    backend.tasks.create(project, units[:1])
    (task,) = backend.tasks.list(TaskFilter())

    def write(number: int) -> bool:
        try:
            backend.tasks.set_data(task.id, {"writer": number}, task.version)
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        won = list(pool.map(write, range(4)))

    assert won.count(True) == 1
    now = backend.tasks.get(task.id)
    assert (now.data, now.version, now.state) == ({"writer": won.index(True)}, 1, TaskState.SUBMITTED)
    before = backend.tasks.set_data(task.id, task.data, now.version, state=task.state)
    assert (before.data, before.state, before.version) == (None, TaskState.OPEN, 2)
    with pytest.raises(RecordNotFoundError):
        backend.tasks.set_data(TaskId(99), {}, 0)


def test_annotation_data_comes_back_character_by_character(
    backend: Backend, project: ProjectId, units: list[DataUnitId]
) -> None:
    """In its order, with whatever JSON can hold; what it cannot hold is refused."""
    backend.tasks.create(project, units[:1])
    (task,) = backend.tasks.list(TaskFilter())
    data: JsonObject = {"b": [1, 2.5, None, True], "a": "한 \x00 \ud800", "c": {}}

    assert backend.tasks.set_data(task.id, data, 0).data == data
    assert list(backend.tasks.get(task.id).data or {}) == ["b", "a", "c"]
    with pytest.raises(ConfigurationError, match="not JSON"):
        backend.tasks.set_data(task.id, {"a": float("nan")}, 1)


def test_a_page_of_large_documents_has_fewer_records(
    backend: Backend, project: ProjectId, units: list[DataUnitId]
) -> None:
    """So that it fits into memory; page by page all come, in their order, and no page is empty before the end."""
    backend.tasks.create(project, units)
    large: JsonObject = {"mask": "x" * 3_000_000}
    for task in backend.tasks.list(TaskFilter()):
        backend.tasks.set_data(task.id, large, 0)
    tasks = [task.id for task in every(lambda after, size: backend.tasks.list(TaskFilter(), after=after, limit=size))]
    backend.assignments.create(tasks, "ada")
    for number in range(1, 4):
        backend.assignments.set_data(AssignmentId(number), large)
    dataset = backend.ground_truths.create_dataset("birds")
    items = [NewGroundTruth(category=Category.TRAIN, task_id=task) for task in tasks]
    version = backend.ground_truths.create_version(dataset.id, items).id

    def ground_truths(after: int, size: int) -> Sequence[GroundTruth]:
        return backend.ground_truths.list(version, after=after, limit=size)

    assert len(tasks) == 3
    for found in (
        pages(lambda after, size: backend.tasks.list(TaskFilter(), after=after, limit=size)),
        pages(lambda after, size: backend.assignments.list(AssignmentFilter(), after=after, limit=size)),
        pages(ground_truths),
    ):
        assert [len(page) for page in found] == [2, 1]


def test_units_with_tasks_cannot_be_removed(
    backend: Backend, project: ProjectId, units: list[DataUnitId], collection: CollectionId
) -> None:
    """Neither one by one, nor by withdrawing the run that brought them in: the work on them would be lost."""
    backend.tasks.create(project, units[:1])

    with pytest.raises(ConflictError, match="there is a task of it"):
        backend.data_units.remove(units)
    with pytest.raises(ConflictError, match="there is a task of it"):
        backend.ingestion.withdraw("first")
    with pytest.raises(ConflictError, match="it has tasks"):
        backend.projects.remove(project)
    assert backend.data_units.count(collection) == 3

    backend.tasks.remove(task.id for task in backend.tasks.list(TaskFilter()))
    backend.ingestion.withdraw("first")
    assert backend.data_units.count(collection, state=None) == 0


def test_tasks_are_assigned_once_a_user(backend: Backend, project: ProjectId, units: list[DataUnitId]) -> None:
    """Several users may have one."""
    backend.tasks.create(project, units)
    tasks = [task.id for task in backend.tasks.list(TaskFilter())]
    assert backend.assignments.create(tasks[:2], "ada") == 2
    assert backend.assignments.create(tasks, "ada") == 1
    assert backend.assignments.create(tasks[:1], "bob") == 1
    with pytest.raises(RecordNotFoundError):
        backend.assignments.create([*tasks, TaskId(99)], "eve")

    (mine,) = backend.assignments.list(AssignmentFilter(project=project, user="bob", tasks=tuple(tasks)))

    done = backend.assignments.set_data(mine.id, {"box": 1})
    assert backend.assignments.get(mine.id) == done
    assert [each.user for each in backend.assignments.list(AssignmentFilter(state=done.state))] == ["bob"]
    assert len(backend.assignments.list(AssignmentFilter(), limit=2)) == 2
    assert backend.assignments.count(AssignmentFilter()) == 4
    assert backend.assignments.count(AssignmentFilter(ids=(mine.id,), has_data=True)) == 1
    assert backend.assignments.count(AssignmentFilter(project=project, user="ada", id__lt=mine.id)) == 3
    assert backend.assignments.count(AssignmentFilter(project=ProjectId(99))) == 0


def test_filters_narrow_between_ids_and_instants(backend: Backend, project: ProjectId, units: list[DataUnitId]) -> None:
    """With and without the bound itself, alone and together."""
    backend.tasks.create(project, units)
    first, second, third = backend.tasks.list(TaskFilter())
    moment, microsecond = first.created_at, timedelta(microseconds=1)

    def found(which: TaskFilter) -> list[TaskId]:
        ids = [task.id for task in backend.tasks.list(which)]
        assert backend.tasks.count(which) == len(ids)
        return ids

    assert found(TaskFilter(id__gt=first.id)) == [second.id, third.id]
    assert found(TaskFilter(id__gte=second.id)) == [second.id, third.id]
    assert found(TaskFilter(id__lt=third.id)) == [first.id, second.id]
    assert found(TaskFilter(id__lte=second.id, id__gt=first.id, state=TaskState.OPEN)) == [second.id]
    assert found(TaskFilter(created__gte=moment, created__lte=moment)) == [first.id, second.id, third.id]
    assert found(TaskFilter(created__gt=moment)) == found(TaskFilter(created__lt=moment)) == []
    assert len(found(TaskFilter(created__gt=moment - microsecond, created__lt=moment + microsecond))) == 3
    elsewhere = moment.astimezone(timezone(timedelta(hours=9)))
    assert len(found(TaskFilter(created__gte=elsewhere))) == 3


def test_a_filter_may_name_any_number_of_records(backend: Backend, project: ProjectId, units: list[DataUnitId]) -> None:
    """More than a statement takes variables; none at all fits nothing."""
    backend.tasks.create(project, units)
    many = tuple(range(300_000))

    tasks = backend.tasks.list(TaskFilter(ids=tuple(map(TaskId, many)), data_units=tuple(map(DataUnitId, many))))

    assert [task.unit_id for task in tasks] == units
    assert backend.tasks.count(TaskFilter(ids=())) == 0
    backend.assignments.create([task.id for task in tasks], "ada")
    assert backend.assignments.count(AssignmentFilter(tasks=tuple(map(TaskId, many)))) == 3


def test_unknown_filters_are_refused() -> None:
    """A filter that is ignored would mean everything."""
    assert TaskFilter.parse({"ids": [1, 2], "state": "open"}) == TaskFilter(
        ids=(TaskId(1), TaskId(2)), state=TaskState.OPEN
    )
    for wrong in ({"stat": "open"}, {"state": "opne"}, {"project": "x"}, {"has_data": 1}, {"project": True}):
        with pytest.raises(ConfigurationError, match="filter"):
            TaskFilter.parse(wrong)
    with pytest.raises(ConfigurationError, match="Did you mean 'category'"):
        GroundTruthFilter.parse({"categroy": "train"})
    assert AssignmentFilter.parse({"user": "ada", "tasks": 3}).tasks == (3,)


# Ground truths


def test_a_version_of_ground_truths_never_changes(
    backend: Backend, project: ProjectId, units: list[DataUnitId]
) -> None:
    """It keeps what its tasks had, whatever becomes of them."""
    backend.tasks.create(project, units)
    first, second, _ = backend.tasks.list(TaskFilter())
    backend.tasks.set_data(first.id, {"box": 1}, 0)
    dataset = backend.ground_truths.create_dataset("birds")
    items = [
        NewGroundTruth(category=Category.TRAIN, task_id=first.id),
        NewGroundTruth(category=Category.TEST, unit_id=units[2], data={"box": 3}),
    ]

    version = backend.ground_truths.create_version(dataset.id, items)
    backend.tasks.set_data(first.id, {"box": 2}, 1)
    backend.tasks.remove([first.id])

    train, test = backend.ground_truths.list(version.id)
    assert (train.unit_id, train.data, train.task_id) == (units[0], {"box": 1}, None)
    assert (test.unit_id, test.data, test.category) == (units[2], {"box": 3}, Category.TEST)
    assert backend.ground_truths.list(version.id, GroundTruthFilter(category=Category.TEST)) == [test]
    assert backend.ground_truths.count(version.id, GroundTruthFilter(data_units=(units[0],))) == 1
    with pytest.raises(ConflictError, match="there is a ground truth of it"):
        backend.data_units.remove([units[0]])
    with pytest.raises(ConflictError, match="no data"):
        backend.ground_truths.create_version(
            dataset.id, [*items[1:], NewGroundTruth(category=Category.TEST, task_id=second.id)]
        )
    assert backend.ground_truths.versions(dataset.id) == [version]
    assert backend.ground_truths.create_version(dataset.id, items[1:]).number == 2
    assert backend.ground_truths.dataset("birds") == dataset
    backend.ground_truths.remove_version(version.id)
    assert backend.ground_truths.count(version.id) == 0


def test_versions_are_found_by_name_and_number(backend: Backend, units: list[DataUnitId]) -> None:
    """Without a number the newest; what there is not is answered with what there is."""
    dataset = backend.ground_truths.create_dataset("birds")
    with pytest.raises(RecordNotFoundError, match=r"'birds' has no version yet.*synapse datasets add birds"):
        backend.ground_truths.find_version("birds")
    items = [NewGroundTruth(category=Category.TEST, unit_id=units[0], data={})]
    made = [backend.ground_truths.create_version(dataset.id, items) for _ in range(12)]

    assert backend.ground_truths.find_version("birds") == made[-1]
    assert backend.ground_truths.find_version("birds@3") == made[2]
    assert backend.ground_truths.find_version(f"{dataset.id}@3") == made[2]
    with pytest.raises(RecordNotFoundError, match=r"no ground-truth dataset 'brids'. Did you mean 'birds'"):
        backend.ground_truths.find_version("brids@3")
    with pytest.raises(RecordNotFoundError, match=r"'birds' has no version '99'. The newest ones are 3, 4, "):
        backend.ground_truths.find_version("birds@99")
    for each in made[1:]:
        backend.ground_truths.remove_version(each.id)
    for wrong in ("birds@2", "birds@", "birds@01", "birds@1@1"):
        with pytest.raises(RecordNotFoundError, match=r"Use one of: 1$"):
            backend.ground_truths.find_version(wrong)


def test_datasets_are_listed_and_removed(backend: Backend) -> None:
    """One with versions stays: somebody may have trained with them."""
    first, second = (backend.ground_truths.create_dataset(name) for name in ("birds", "fish"))
    version = backend.ground_truths.create_version(first.id, [])
    assert backend.ground_truths.datasets() == [first, second]
    assert backend.ground_truths.datasets(after=first.id, limit=1) == [second]

    with pytest.raises(ConflictError, match="it has versions"):
        backend.ground_truths.remove_dataset(first.id)
    backend.ground_truths.remove_version(version.id)
    backend.ground_truths.remove_dataset(first.id)

    assert backend.ground_truths.datasets() == [second]
    with pytest.raises(RecordNotFoundError):
        backend.ground_truths.remove_dataset(first.id)
    with pytest.raises(ConfigurationError, match="before the number of a version"):
        backend.ground_truths.create_dataset("birds@1")


def test_ground_truths_are_narrowed(backend: Backend, project: ProjectId, units: list[DataUnitId]) -> None:
    """By what they are for, by themselves, by unit and by task."""
    backend.tasks.create(project, units)
    for task in backend.tasks.list(TaskFilter()):
        backend.tasks.set_data(task.id, {"task": task.id}, 0)
    tasks = [task.id for task in backend.tasks.list(TaskFilter())]
    dataset = backend.ground_truths.create_dataset("birds")
    items = [NewGroundTruth(category=Category.TRAIN, task_id=task) for task in tasks]
    version = backend.ground_truths.create_version(dataset.id, items)
    first, second, third = backend.ground_truths.list(version.id)

    for which, fitting in (
        (GroundTruthFilter(ids=(third.id, first.id)), [first, third]),
        (GroundTruthFilter(tasks=(tasks[1],)), [second]),
        (GroundTruthFilter(data_units=(units[1],), id__gt=second.id), []),
        (GroundTruthFilter(id__gte=second.id, category=Category.TRAIN), [second, third]),
    ):
        assert backend.ground_truths.list(version.id, which) == fitting
        assert backend.ground_truths.count(version.id, which) == len(fitting)


def test_a_version_is_made_of_what_is_being_read(backend: Backend, project: ProjectId, units: list[DataUnitId]) -> None:
    """The items may come page by page from the same backend, more of them than a statement takes."""
    backend.tasks.create(project, units)
    for task in backend.tasks.list(TaskFilter()):
        backend.tasks.set_data(task.id, {"task": task.id}, 0)
    dataset = backend.ground_truths.create_dataset("birds")

    def items(rounds: int) -> Iterator[NewGroundTruth]:
        for _ in range(rounds):
            for task in every(lambda after, size: backend.tasks.list(TaskFilter(), after=after, limit=size)):
                yield NewGroundTruth(category=Category.TRAIN, task_id=task.id)

    version = backend.ground_truths.create_version(dataset.id, items(400))

    assert backend.ground_truths.count(version.id) == 1200
    assert backend.ground_truths.list(version.id, limit=1)[0].data == {"task": 1}


def test_a_version_whose_items_end_in_an_error_is_not_made(backend: Backend, units: list[DataUnitId]) -> None:
    """However many of them were taken before, and whatever the error."""
    dataset = backend.ground_truths.create_dataset("birds")

    def items() -> Iterator[NewGroundTruth]:
        for _ in range(1200):
            yield NewGroundTruth(category=Category.TRAIN, unit_id=units[0], data={"box": 1})
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        backend.ground_truths.create_version(dataset.id, items())

    assert backend.ground_truths.versions(dataset.id) == []
    assert backend.ground_truths.create_version(dataset.id, []).number == 1


# Models and jobs


def test_a_model_is_known_when_it_is_registered(backend: Backend, storage: StorageId) -> None:
    """Until then only its run knows it."""
    file = ModelFile(storage_id=storage, key="models/1", sha256="ab", size=3)
    staged = backend.models.stage("train", "yolo", "1.0", file, configuration={"epochs": 3})
    assert backend.models.stage("train", "yolo", "1.0", file, configuration={"epochs": 3}) == staged
    assert backend.models.list() == []
    with pytest.raises(RecordNotFoundError):
        backend.models.find("yolo")

    made = backend.models.register(staged.id)

    assert backend.models.find("yolo") == backend.models.find("yolo", "1.0") == backend.models.get(made.id) == made
    assert backend.models.list() == backend.models.of_run("train") == [made]
    with pytest.raises(ConflictError):
        backend.models.stage("other", "yolo", "1.0", file)
    with pytest.raises(ConflictError):
        backend.models.stage("other", "yolo", "2.0", file)
    with pytest.raises(RecordNotFoundError, match="Did you mean 'yolo'"):
        backend.models.find("yool")
    backend.models.remove(made.id)
    assert backend.models.of_run("train") == []


def test_of_two_runs_that_stage_the_same_model_one_is_refused(backend: Backend, storage: StorageId) -> None:
    """Also before it is registered; the other may have the name once the first has taken it back."""
    mine, theirs = (ModelFile(storage_id=storage, key=f"models/{run}", sha256=run, size=3) for run in ("a", "b"))
    staged = backend.models.stage("a", "yolo", "1.0", mine)

    with pytest.raises(ConflictError, match="There is a model 'yolo'"):
        backend.models.stage("b", "yolo", "1.0", theirs)

    assert backend.models.of_run("b") == []
    backend.models.remove(staged.id)
    backend.models.remove(staged.id)
    assert backend.models.stage("b", "yolo", "1.0", theirs).run == "b"


def test_registering_again_changes_nothing(backend: Backend, storage: StorageId) -> None:
    """An answer may be lost; a model that was taken back meanwhile is not there to be registered."""
    staged = backend.models.stage("a", "yolo", "1", ModelFile(storage_id=storage, key="k", sha256="ab", size=3))
    made = backend.models.register(staged.id)

    assert backend.models.register(staged.id) == made
    assert backend.models.stage("a", "yolo", "1", made.file) == made
    backend.models.remove(staged.id)
    with pytest.raises(RecordNotFoundError):
        backend.models.register(staged.id)


def test_a_storage_in_which_models_lie_is_kept(backend: Backend, storage: StorageId) -> None:
    """Staged ones as well: their object may be on its way."""
    staged = backend.models.stage("a", "yolo", "1", ModelFile(storage_id=storage, key="k", sha256="ab", size=3))

    with pytest.raises(ConflictError, match="models lie in it"):
        backend.storages.remove(storage)

    backend.models.remove(staged.id)
    backend.storages.remove(storage)
    assert backend.storages.list() == []


def test_a_job_has_one_end(backend: Backend) -> None:
    """What comes later than its end does not change it."""
    job = backend.jobs.create(JobId("7f3a"), "upload", params={"storage": 1})
    assert (job.status, job.started_at) == (JobStatus.PENDING, None)
    backend.jobs.update(job.id, status=JobStatus.RUNNING, progress={"percent": 3})
    backend.jobs.update(job.id, metrics={"files": 3})

    ended = backend.jobs.update(job.id, status=JobStatus.SUCCEEDED, result={"units": 3})

    assert (ended.progress, ended.metrics, ended.result) == ({"percent": 3}, {"files": 3}, {"units": 3})
    assert ended.started_at is not None
    assert ended.ended_at is not None
    with pytest.raises(ConflictError, match="has ended"):
        backend.jobs.update(job.id, status=JobStatus.RUNNING)
    with pytest.raises(ConflictError, match="already"):
        backend.jobs.create(job.id, "upload")
    assert backend.jobs.list(status=JobStatus.SUCCEEDED) == [ended] == backend.jobs.list()
    assert backend.jobs.list(after=ended.number) == []

"""What every backend promises about what runs submit to tasks (`synapse_sdk.backend.ports.submissions`)."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from synapse_sdk.backend import (
    Backend,
    FileSpecification,
    Submission,
    SubmissionOutcome,
    TaskFilter,
    TaskId,
    TaskState,
    WithdrawalOutcome,
    WithdrawnTask,
)
from synapse_sdk.errors import ConfigurationError
from synapse_sdk.types import JsonObject
from tests.conformance.backends import STORES, Opener, bring_in, opener_of

OLD: JsonObject = {"b": 1, "a": "한 \ud800", "c": 2.50}
NEW: JsonObject = {"images": []}


@pytest.fixture(params=STORES)
def opener(request: pytest.FixtureRequest, tmp_path: Path) -> Opener:
    """What opens one and the same backend."""
    return opener_of(request.param, request, tmp_path)


@pytest.fixture
def backend(opener: Opener) -> Iterator[Backend]:
    """A backend with three tasks, the second of which has data."""
    with opener() as backend:
        specification = FileSpecification(name="images", is_primary=True)
        collection = backend.collections.create("birds", specifications=[specification]).id
        storage = backend.storages.ensure("file:///photos").id
        bring_in(backend, "first", collection, storage, "a", "b", "c")
        backend.ingestion.publish("first")
        project = backend.projects.create("boxes", collection).id
        backend.tasks.create(project, [each.id for each in backend.data_units.list(collection)])
        backend.tasks.set_data(tasks(backend)[1], OLD, 0)
        yield backend


def tasks(backend: Backend) -> list[TaskId]:
    """Return the ids of the tasks."""
    return [task.id for task in backend.tasks.list(TaskFilter())]


def submissions(backend: Backend) -> list[Submission]:
    """Return a submission for each task as it is."""
    found = backend.tasks.list(TaskFilter())
    return [Submission(task_id=task.id, data=NEW, expected_version=task.version) for task in found]


def seen(backend: Backend) -> list[tuple[JsonObject | None, TaskState]]:
    """Return what the tasks have."""
    return [(task.data, task.state) for task in backend.tasks.list(TaskFilter())]


def test_what_is_withdrawn_is_as_it_was(backend: Backend) -> None:
    """Data to the last character, and the state; one after the other, until there is nothing left."""
    before = seen(backend)

    outcomes = backend.submissions.submit("run", submissions(backend))

    assert set(outcomes.values()) == {SubmissionOutcome.SUBMITTED}
    assert seen(backend) == [(NEW, TaskState.SUBMITTED)] * 3
    withdrawn = [*backend.submissions.withdraw("run", limit=2), *backend.submissions.withdraw("run", limit=2)]
    assert withdrawn == [WithdrawnTask(task, WithdrawalOutcome.RESTORED) for task in tasks(backend)]
    assert backend.submissions.withdraw("run") == []
    assert seen(backend) == before
    assert list(backend.tasks.get(tasks(backend)[1]).data or {}) == ["b", "a", "c"]


def test_a_submission_that_is_repeated_is_no_other_one(backend: Backend) -> None:
    """As after an answer that was lost: what the task had before stays what it had before the run."""
    wanted = submissions(backend)
    backend.submissions.submit("run", wanted[:2])

    outcomes = backend.submissions.submit("run", wanted)

    assert set(outcomes.values()) == {SubmissionOutcome.SUBMITTED}
    assert [task.version for task in backend.tasks.list(TaskFilter())] == [1, 2, 1]
    backend.submissions.withdraw("run")
    assert [data for data, _ in seen(backend)] == [None, OLD, None]


def test_a_task_that_was_changed_meanwhile_keeps_what_it_has(backend: Backend) -> None:
    """One that is gone is told, too; the others get their data."""
    first, _, third = wanted = submissions(backend)
    backend.tasks.set_data(first.task_id, {"by": "ada"}, 0)
    backend.tasks.remove([third.task_id])

    outcomes = backend.submissions.submit("run", wanted)

    assert [*map(outcomes.get, [each.task_id for each in wanted])] == ["conflict", "submitted", "gone"]
    assert seen(backend) == [({"by": "ada"}, "submitted"), (NEW, "submitted")]


def test_what_a_person_has_changed_since_is_not_taken_back(backend: Backend) -> None:
    """It is a conflict, which is listed until the run is forgotten; so is a task that is gone."""
    first, second, third = tasks(backend)
    backend.submissions.submit("run", submissions(backend))
    backend.tasks.set_data(first, {"by": "ada"}, 1)
    backend.tasks.remove([third])

    withdrawn = backend.submissions.withdraw("run")

    assert [each.outcome for each in withdrawn] == ["conflict", "restored", "gone"]
    assert seen(backend) == [({"by": "ada"}, "submitted"), (OLD, "submitted")]
    assert backend.submissions.withdraw("run") == []
    assert [each.task_id for each in backend.submissions.conflicts("run")] == [first, third]
    assert [each.task_id for each in backend.submissions.conflicts("run", after=first, limit=1)] == [third]
    backend.submissions.forget("run")
    assert backend.submissions.conflicts("run") == []
    assert backend.tasks.get(second).data == OLD


def test_runs_know_nothing_of_each_other(backend: Backend) -> None:
    """What a later one has submitted is a change like any other; what is forgotten stays submitted."""
    backend.submissions.submit("first", submissions(backend))
    backend.submissions.submit("second", submissions(backend)[:1])

    assert [each.outcome for each in backend.submissions.withdraw("first")] == ["conflict", "restored", "restored"]
    backend.submissions.forget("second")
    assert backend.submissions.withdraw("second") == []
    assert [data for data, _ in seen(backend)] == [NEW, OLD, None]
    assert backend.submissions.submit("third", []) == {}


def test_a_document_that_cannot_be_kept_keeps_the_whole_batch_out(backend: Backend) -> None:
    """All or nothing."""
    before = seen(backend)
    first, *others = submissions(backend)
    broken = Submission(task_id=first.task_id, data={"a": float("nan")}, expected_version=0)

    with pytest.raises(ConfigurationError, match="not JSON"):
        backend.submissions.submit("run", [*others, broken])

    assert seen(backend) == before
    assert backend.submissions.withdraw("run") == []


def test_of_several_runs_at_once_one_gets_a_task(backend: Backend) -> None:
    """The others are told that it was changed."""
    wanted = submissions(backend)

    with ThreadPoolExecutor(4) as pool:
        outcomes = [*pool.map(lambda run: backend.submissions.submit(run, wanted), "abcd")]

    for task in tasks(backend):
        assert sorted(each[task] for each in outcomes) == ["conflict", "conflict", "conflict", "submitted"]


def test_what_was_submitted_is_there_when_the_backend_is_opened_again(opener: Opener, backend: Backend) -> None:
    """And can be withdrawn by whoever opens it."""
    backend.submissions.submit("run", submissions(backend))

    other = opener()

    assert len(other.submissions.withdraw("run")) == 3
    assert [data for data, _ in seen(backend)] == [None, OLD, None]

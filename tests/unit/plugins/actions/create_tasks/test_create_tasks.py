"""The action that makes tasks."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from synapse_sdk.backend import TaskFilter
from synapse_sdk.errors import StepFailedError
from synapse_sdk.journal import MemoryJournal
from synapse_sdk.plugins import run_action
from synapse_sdk.plugins.actions.create_tasks import CreateTasksAction
from tests.unit.plugins.actions.add_task_data.world import OLD, TaskWorld, picture


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TaskWorld]:
    """A project whose collection has a unit with a task, and three without."""
    with TaskWorld.made(tmp_path, monkeypatch) as world:
        world.add_tasks("wren.png")
        for name in ("owl.png", "jay.png", "crow.png"):
            world.add_unit(name, {"images": (name, picture(name))})
        yield world


def task_ids(world: TaskWorld) -> list[int]:
    """Return the ids of all tasks."""
    return [task.id for task in world.backend.tasks.list(TaskFilter())]


def test_each_unit_without_a_task_gets_one(world: TaskWorld) -> None:
    """Those that have one keep it; the second time there is nothing to do."""
    first = run_action(CreateTasksAction, {"project": world.project, "batch_size": 2})
    second = run_action(CreateTasksAction, {"project": world.project})

    assert (first.created, first.existing, len(task_ids(world))) == (3, 1, 4)
    assert (second.created, second.existing, len(task_ids(world))) == (0, 4, 4)
    assert [*first.summary_lines()] == ["Made 3 tasks in the project 'work'; 1 were there"]


def test_a_run_that_fails_removes_the_tasks_that_it_has_made(world: TaskWorld) -> None:
    """And no other."""
    before = task_ids(world)

    with pytest.raises(StepFailedError):
        run_action(CreateTasksAction, {"project": world.project, "batch_size": 2}, inject_failure="create_tasks")

    assert task_ids(world) == before


def test_a_task_that_somebody_has_worked_on_stays(world: TaskWorld) -> None:
    """It is listed, and the rollback counts as incomplete."""
    journal, worked_on = MemoryJournal(), list[int]()

    class WorkedOn(CreateTasksAction):  # type: ignore[type-arg]  # as the parameters are
        def commit(self, context: object) -> None:
            task = world.backend.tasks.list(TaskFilter())[-1]
            world.backend.tasks.set_data(task.id, OLD, task.version)
            worked_on.append(task.id)
            raise OSError

    with pytest.raises(OSError):  # noqa: PT011  # the one above
        run_action(WorkedOn, {"project": world.project}, journal=journal, job_id="a1b2")

    assert task_ids(world)[1:] == worked_on
    assert str(journal.run("a1b2").status) == "rollback_incomplete"

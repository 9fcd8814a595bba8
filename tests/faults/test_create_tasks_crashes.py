"""Killed at any moment, making tasks can be finished, and it can be undone: one task a unit, or none."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from synapse_sdk.backend import TaskFilter, open_backend
from synapse_sdk.failpoints import FAILPOINTS
from synapse_sdk.plugins.actions.create_tasks import CreateTasksAction
from synapse_sdk.testing import assert_crash_safe
from tests.faults import annotating

OURS = {name for name in FAILPOINTS if name.startswith("create_tasks.")}
PARAMS = {"project": "more", "batch_size": 2}


def make_world(template: Path) -> Callable[[Path], None]:
    """Return what fills an empty folder: seven units with a task each in one project, of which another has one yet."""
    fill_tasks = annotating.make_world(template.with_name("tasks"))

    def fill(folder: Path) -> None:
        if not template.exists():
            fill_tasks(folder)
            with open_backend(folder / ".synapse" / "backend.db") as backend:
                things = backend.collections.get("things").id
                project = backend.projects.create("more", things)
                backend.tasks.create(project.id, [backend.data_units.list(things)[0].id])
            shutil.copytree(folder, template)
        shutil.copytree(template, folder, dirs_exist_ok=True)

    return fill


def look(folder: Path) -> dict[str, Any]:
    """Return which unit has a task in which project."""
    with open_backend(folder / ".synapse" / "backend.db") as backend:
        tasks = backend.tasks.list(TaskFilter())
        return {"tasks": sorted((int(task.project_id), int(task.unit_id), str(task.state)) for task in tasks)}


def test_making_tasks_survives_a_few_moments(tmp_path: Path) -> None:
    """A sample of what the test below tries, for every change."""
    world = make_world(tmp_path / "template")

    report = assert_crash_safe(CreateTasksAction, PARAMS, world=world, look=look, sandbox=tmp_path, limit=2)

    assert report.cases >= 6


@pytest.mark.full
def test_making_tasks_survives_every_moment(tmp_path: Path) -> None:
    """F1 to F3."""
    world = make_world(tmp_path / "template")

    report = assert_crash_safe(CreateTasksAction, PARAMS, world=world, look=look, sandbox=tmp_path, limit=100)

    assert {name for name in OURS if not report.kills.get(name)} == set()

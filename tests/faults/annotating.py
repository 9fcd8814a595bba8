"""Runs that annotate tasks and go wrong: their world, and what there is to be seen of it, the same in each try."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from synapse_sdk.backend import FileSpecification, NewUnit, TaskFilter, open_backend
from synapse_sdk.plugins.actions import AddTaskDataAction, AddTaskDataContext, AddTaskDataParams
from synapse_sdk.plugins.actions.add_task_data.steps import format_results, process_tasks
from synapse_sdk.plugins.steps import StepRegistry
from synapse_sdk.storage import open_storage
from tests.unit.inference.onnx_models import bright_box, names_of
from tests.unit.plugins.actions.add_task_data.world import OLD, coco, picture

__all__ = ["BY_FILE", "BY_MODEL", "BY_ONNX", "BY_SPECIFICATION", "NAMES", "CrashTasks", "look", "make_world"]

NAMES = ("wren.png", "owl.png", "deep/wren2.png", "jay.png", "고양이.png", "untouched.png", "unlabelled.png")
ANNOTATED, LABELLED = NAMES[:-2], NAMES[:-1]
BY_FILE = {"project": "birds", "file": "coco.json", "batch_size": 2, "download_max_retries": 0}
BY_SPECIFICATION = {
    "project": "birds",
    "target_specification_name": "labels",
    "batch_size": 2,
    "download_max_retries": 0,
}
BY_MODEL = {
    "project": "birds",
    "method": "inference",
    "model": "tests.unit.plugins.actions.add_task_data.models:classify",
    "batch_size": 2,
    "inference_batch_size": 2,
    "download_max_retries": 0,
}
BY_ONNX = {**BY_MODEL, "model": "model.onnx"}
BATCH = 2


class CrashTasks(AddTaskDataAction[AddTaskDataParams]):
    """Writes few tasks down at a time, so that there are many moments to die at; only for a process of its own."""

    def setup_steps(self, registry: StepRegistry[AddTaskDataContext]) -> None:
        """Register the steps."""
        process_tasks.BATCH = format_results.BATCH = BATCH
        super().setup_steps(registry)


def make_world(template: Path) -> Callable[[Path], None]:
    """Return what fills an empty folder with a project of seven tasks, of which some have data before.

    Args:
        template: Where what was made the first time is kept, to be copied from then on.
    """

    def fill(folder: Path) -> None:
        if not template.exists():
            _make_project(folder)
            shutil.copytree(folder, template)
        shutil.copytree(template, folder, dirs_exist_ok=True)

    return fill


def look(folder: Path) -> dict[str, Any]:
    """Return what is there: what the tasks have, what is kept of before, and what a run needs only while it lives."""
    with open_backend(folder / ".synapse" / "backend.db") as backend:
        tasks = backend.tasks.list(TaskFilter())
        return {
            "tasks": [(task.id, str(task.state), task.data) for task in tasks],
            "work": sorted(path.name for path in (folder / ".synapse").glob("runs/*/work")),
        }


def _make_project(folder: Path) -> None:
    (folder / ".synapse").mkdir()
    (folder / "coco.json").write_text(json.dumps(coco({name: [[1, 2, 3, 4]] for name in ANNOTATED})))
    (folder / "model.onnx").write_bytes(bright_box(metadata=names_of("cat", "dog")))
    with open_backend(folder / ".synapse" / "backend.db") as backend:
        specifications = [
            FileSpecification(name="images", is_primary=True),
            FileSpecification(name="labels", is_required=False),
        ]
        things = backend.collections.create("things", specifications=specifications).id
        record = backend.storages.create("store", "store", is_default=True)
        before = Path.cwd()
        os.chdir(folder)
        try:
            units = _add_files(backend, things, record.id, record.url)
        finally:
            os.chdir(before)
        stored = [file for unit in units for file, _ in unit.files.values()]
        backend.ingestion.register("before", things, units, stored=stored)
        backend.ingestion.publish("before")
        project = backend.projects.create("birds", things).id
        backend.tasks.create(project, [unit.id for unit in backend.data_units.list(things)])
        for number, task in enumerate(backend.tasks.list(TaskFilter())):
            if number % 2:
                backend.tasks.set_data(task.id, OLD, 0)


def _add_files(backend: Any, things: Any, storage: Any, url: str) -> list[NewUnit]:  # noqa: ANN401  # a backend, and ids of its records
    units = []
    with open_storage(url) as objects:
        for name in NAMES:
            document = {"images": [{"classification": [{"id": "1", "classification": name}]}]}
            contents = {"images": (name, picture(name)), "labels": (f"{name}.json", json.dumps(document).encode())}
            if name not in LABELLED:
                del contents["labels"]
            files = {}
            for specification, (called, content) in contents.items():
                digest = hashlib.sha256(content).hexdigest()
                (reserved,) = backend.ingestion.reserve("before", things, storage, [(digest, len(content), digest)])
                objects.put(digest, content)
                files[specification] = (reserved.file.id, called)
            units.append(NewUnit(key=name, files=files))
    return units

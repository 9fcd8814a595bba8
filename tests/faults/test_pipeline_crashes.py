"""A pipeline of built-in actions, killed at moments of all of them: pictures and boxes become a YOLO dataset."""

import json
import os
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from synapse_sdk.backend import FileSpecification, FileType, TaskFilter, open_backend
from tests.faults.laboratory import Laboratory
from tests.unit.plugins.actions.add_task_data.world import picture

NAMES = ("owl", "robin", "wren")
DOCUMENT = """
pipeline: birds
actions:
  - action: upload
    params:
      data_collection: birds
      storage: ./store
      use_single_path: false
      assets: {images: {path: pictures}, boxes: {path: boxes}}
  - {action: create_tasks, params: {project: labels}}
  - action: add_task_data
    params: {target_specification_name: boxes}
  - action: export
    params: {name: birds, storage: ./exports, target: task, filter: {project: "${create_tasks.project}"}}
  - action: dataset
    params: {operation: convert, path: "${export.output_path}", output: yolo}
"""
ENDS = ("rolled_back", "failed", "succeeded")
rounds = pytest.mark.parametrize(
    "number", [0, *(pytest.param(number, marks=pytest.mark.full) for number in range(1, 20))]
)


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laboratory]:
    """A project with pictures, boxes for them, and nothing in its backend yet."""
    place = tmp_path_factory.mktemp("birds").resolve()
    document = place / "birds.yaml"
    document.write_text(DOCUMENT)
    with Laboratory.set_up((document, "birds"), {}, place / "sandbox", make_world(place / "template"), look) as made:
        yield made


def make_world(template: Path) -> Callable[[Path], None]:
    """Return what fills an empty folder; what it made the first time is copied from then on."""

    def fill(folder: Path) -> None:
        if not template.exists():
            _make(folder)
            shutil.copytree(folder, template)
        shutil.copytree(template, folder, dirs_exist_ok=True)

    return fill


def _make(folder: Path) -> None:
    for name in ("pictures", "boxes", "store", ".synapse"):
        (folder / name).mkdir()
    for name in NAMES:
        (folder / "pictures" / f"{name}.png").write_bytes(picture(name))
        box = {"id": "1", "classification": name, "attrs": [], "data": [2, 2, 5, 5]}
        (folder / "boxes" / f"{name}.json").write_text(json.dumps({"images": [{"bounding_box": [box]}]}))
    specifications = [
        FileSpecification(name="images", file_type=FileType.IMAGE, is_primary=True),
        FileSpecification(name="boxes", extensions=(".json",)),
    ]
    with open_backend(folder / ".synapse" / "backend.db") as backend:
        backend.storages.create("store", os.fspath(folder / "store"), is_default=True)
        backend.projects.create("labels", backend.collections.create("birds", specifications=specifications).id)


def look(folder: Path) -> dict[str, Any]:
    """Return what is there of each action."""
    with open_backend(folder / ".synapse" / "backend.db") as backend:
        units = backend.data_units.list(backend.collections.get("birds").id)
        tasks = backend.tasks.list(TaskFilter())
    keys = {unit.id: unit.key for unit in units}
    return {
        "units": sorted(keys.values()),
        "objects": len([path for path in (folder / "store").rglob("*") if path.is_file()]),
        "tasks": sorted((keys[task.unit_id], task.data is not None) for task in tasks),
        "exports": sorted(path.name for path in (folder / "exports").glob("*")),
        "labels": sorted((path.name, path.read_text()) for path in (folder / "yolo").rglob("*.txt")),
        "hidden": sorted(path.name for path in folder.glob(".yolo*")),
    }


@rounds
def test_a_resumed_pipeline_makes_the_dataset(laboratory: Laboratory, lot: random.Random, number: int) -> None:  # noqa: ARG001  # part of the seed
    """F3: whichever action dies, and however often."""
    run_id = laboratory.begin_and_kill(lot)

    laboratory.check(laboratory.recover(run_id, lot, "resume"), "succeeded")


@rounds
def test_an_undone_pipeline_leaves_nothing(laboratory: Laboratory, lot: random.Random, number: int) -> None:  # noqa: ARG001  # as above
    """F3: neither units nor tasks, neither exports nor datasets; unless it was over before."""
    run_id = laboratory.begin_and_kill(lot)

    laboratory.check(laboratory.recover(run_id, lot, "rollback"), *ENDS)

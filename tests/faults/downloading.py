"""Datasets whose making goes wrong: their world, and what there is to be seen of it, the same in each try."""

import io
import json
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from PIL import Image

from synapse_sdk.backend import Category, FileSpecification, NewGroundTruth, open_backend
from synapse_sdk.plugins.actions.dataset import DatasetAction, DatasetContext, DatasetParams
from synapse_sdk.plugins.actions.dataset.cache import FACTS
from synapse_sdk.plugins.actions.export import saving, supply
from synapse_sdk.plugins.steps import StepRegistry
from synapse_sdk.types import JsonObject
from tests.faults.exporting import add_units

__all__ = ["CrashDataset", "look", "make_world"]

NAMES = ("wren.png", "owl.png", "deep/wren.png", "jay.png", "고양이.png")
BROKEN = "broken.png"
"""Its file is not what was stored."""
SOMEBODY_ELSE = {"out/.birds.0000.partial/theirs.json": b"not ours", "out/birds.old/a.json": b"older"}
"""What lies beside a dataset, and is none of its business."""
WORLDLY = ("run", "started_at", "contents")
"""What differs each time, of the documents at the root of a dataset."""


class CrashDataset(DatasetAction[DatasetParams]):
    """Settles few items at a time, so that there are many moments to die at; only for a process of its own."""

    def setup_steps(self, registry: StepRegistry[DatasetContext]) -> None:
        """Register the steps."""
        supply.BATCH, saving.BATCH = 3, 2
        super().setup_steps(registry)


def make_world(template: Path, *, is_broken: bool) -> Callable[[Path], None]:
    """Return what fills an empty folder with a version of ground truths, and with what lies where datasets go.

    Args:
        template: Where what was made the first time is kept, to be copied from then on.
        is_broken: Whether one item cannot be downloaded.
    """

    def fill(folder: Path) -> None:
        if not template.exists():
            _make_project(folder, [*NAMES, *([BROKEN] if is_broken else [])])
            shutil.copytree(folder, template)
        shutil.copytree(template, folder, dirs_exist_ok=True)

    return fill


def look(folder: Path) -> dict[str, Any]:
    """Return what is there: what was made, what is kept, and what a run needs only while it lives."""
    return {
        "out": _seen(folder / "out"),
        "kept": _seen(folder / ".synapse" / "datasets"),
        "work": sorted(path.name for path in (folder / ".synapse").glob("runs/*/work")),
    }


def _make_project(folder: Path, names: list[str]) -> None:
    (folder / ".synapse").mkdir()
    for name, content in SOMEBODY_ELSE.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    with open_backend(folder / ".synapse" / "backend.db") as backend:
        backend.collections.create("things", specifications=[FileSpecification(name="images", is_primary=True)])
        # The store lies beside the project, which is made anew for each try, with relative names.
        record = backend.storages.create("store", "store", is_default=True)
        before = Path.cwd()
        os.chdir(folder)
        try:
            add_units(backend, record.id, {name: _picture(name) for name in names})
        finally:
            os.chdir(before)
        units = {unit.key: unit for unit in backend.data_units.list(backend.collections.get("things").id)}
        if BROKEN in units:
            (folder / "store" / units[BROKEN].files["images"].key).write_bytes(b"is not any more")
        birds = backend.ground_truths.create_dataset("birds")
        categories = (Category.TRAIN, Category.VALIDATION)
        items = [
            NewGroundTruth(category=categories[number % 2], unit_id=unit.id, data=_document(number))
            for number, unit in enumerate(units.values())
        ]
        backend.ground_truths.create_version(birds.id, items)


def _document(number: int) -> JsonObject:
    box: JsonObject = {"id": "b1", "classification": ("cat", "dog")[number % 2], "attrs": [], "data": [number, 1, 2, 3]}
    return {"classification": {"bounding_box": [str(box["classification"])]}, "images": [{"bounding_box": [box]}]}


def _picture(name: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (32, 16)).save(buffer, "PNG")
    return buffer.getvalue() + name.encode()


def _seen(folder: Path) -> dict[str, object]:
    return {path.relative_to(folder).as_posix(): None if path.is_dir() else _told(path) for path in folder.rglob("*")}


def _told(path: Path) -> object:
    content = path.read_bytes()
    if path.name not in {"manifest.json", "conversion.json", FACTS}:
        return content
    document: dict[str, Any] = {key: value for key, value in json.loads(content).items() if key not in WORLDLY}
    if path.name == "manifest.json":
        _check_whole(path.parent, document)
        document["files"] = [each for each in document["files"] if each["path"] != FACTS]
    document.get("options", {}).pop("run", None)
    return document


def _check_whole(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Check that a manifest lists exactly what lies beside it."""
    listed = {each["path"]: each["size"] for each in manifest["files"]}
    found = {path.relative_to(folder).as_posix(): path.stat().st_size for path in folder.rglob("*") if path.is_file()}
    del found["manifest.json"]
    assert listed == found

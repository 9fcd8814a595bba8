"""A project to work on, for the tests of the commands about tasks and datasets."""

import hashlib
import io
import json
from collections.abc import Mapping
from pathlib import Path

from PIL import Image

from synapse_sdk.backend import (
    Category,
    FileSpecification,
    FileType,
    Model,
    ModelFile,
    NewGroundTruth,
    NewUnit,
    TaskFilter,
    open_backend,
)
from synapse_sdk.storage import open_storage
from synapse_sdk.types import JsonObject

__all__ = ["DM", "annotate_all", "bring_in", "leave_model", "make_birds", "make_datasets", "make_project"]

DM: JsonObject = {
    "images": [{"bounding_box": [{"id": "b1", "classification": "cat", "attrs": [], "data": [1, 2, 3, 4]}]}]
}
"""A DM document."""


def bring_in(names: Mapping[str, str], metas: Mapping[str, JsonObject] | None = None) -> None:
    """Make a collection `animals` whose units, by key, have primary files of these names."""
    images = FileSpecification(name="images", file_type=FileType.IMAGE, is_primary=True)
    with open_backend() as backend:
        collection = backend.collections.create("animals", specifications=[images]).id
        storage = backend.storages.ensure("memory:").id
        files = backend.ingestion.reserve("run", collection, storage, [(key, 1000, key) for key in names])
        units = [
            NewUnit(key=key, files={"images": (each.file.id, name)}, meta=(metas or {}).get(key, {}))
            for (key, name), each in zip(names.items(), files, strict=True)
        ]
        backend.ingestion.register("run", collection, units, stored=[each.file.id for each in files])
        backend.ingestion.publish("run")
        backend.projects.create("boxes", collection)


def make_project(*keys: str) -> None:
    """Make a project `boxes` with a task for each of these units."""
    bring_in({key: f"{key}.jpg" for key in keys})
    with open_backend() as backend:
        project = backend.projects.get("boxes")
        backend.tasks.create(project.id, [unit.id for unit in backend.data_units.list(project.collection_id)])


def leave_model(name: str, version: str, content: bytes, *, is_registered: bool = True) -> Model:
    """Leave a model in a storage `store` in the current folder, as a training would."""
    sha256 = hashlib.sha256(content).hexdigest()
    with open_backend() as backend:
        record = backend.storages.ensure((Path.cwd() / "store").as_uri())
        file = ModelFile(
            storage_id=record.id, key=f"models/{name}-{version}/{sha256}.npz", sha256=sha256, size=len(content)
        )
        with open_storage(record.url) as storage:
            storage.put(file.key, content)
        settings: JsonObject = {"hyperparameters": {"epochs": 3}}
        staged = backend.models.stage(f"run-{name}-{version}", name, version, file, configuration=settings)
        return backend.models.register(staged.id) if is_registered else staged


def annotate_all() -> None:
    """Give each task data."""
    with open_backend() as backend:
        for task in backend.tasks.list(TaskFilter()):
            backend.tasks.set_data(task.id, DM, task.version)


def make_birds(store: Path, *, versions: int = 1) -> None:
    """Make a dataset `birds` of three images, two for training and one for validation, with objects in a folder."""
    pictures = {f"cat{number}.png": _picture(number) for number in range(3)}
    keys = {name: hashlib.sha256(content).hexdigest() for name, content in pictures.items()}
    images = FileSpecification(name="images", file_type=FileType.IMAGE, is_primary=True)
    with open_backend() as backend, open_storage(store) as objects:
        collection = backend.collections.create("photos", specifications=[images]).id
        storage = backend.storages.ensure(store.as_uri()).id
        wanted = [(keys[name], len(content), keys[name]) for name, content in pictures.items()]
        for name, content in pictures.items():
            objects.put(keys[name], content)
        files = [each.file.id for each in backend.ingestion.reserve("birds", collection, storage, wanted)]
        units = [NewUnit(key=name, files={"images": (file, name)}) for name, file in zip(keys, files, strict=True)]
        made = backend.ingestion.register("birds", collection, units, stored=files)
        backend.ingestion.publish("birds")
        dataset = backend.ground_truths.create_dataset("birds").id
        for _ in range(versions):
            categories = (Category.TRAIN, Category.TRAIN, Category.VALIDATION)
            items = [
                NewGroundTruth(category=which, unit_id=unit.unit_id, data=DM)
                for which, unit in zip(categories, made, strict=True)
            ]
            backend.ground_truths.create_version(dataset, items)


def make_datasets(folder: Path) -> None:
    """Make datasets `birds-coco` and `birds-yolo` of the same three photos, with a box in each."""
    photos = ("robin", "wren", "owl")
    classes = [{"id": number, "name": name} for number, name in enumerate(photos, 1)]
    images = [{"id": n, "file_name": f"{name}.jpg", "width": 40, "height": 20} for n, name in enumerate(photos, 1)]
    boxes = [{"id": n, "image_id": n, "category_id": n, "bbox": [10, 5, 20, 10]} for n in (1, 2, 3)]
    document = {"images": images, "annotations": boxes, "categories": classes}
    coco, yolo = folder / "birds-coco", folder / "birds-yolo"
    for each in (coco, yolo / "images", yolo / "labels"):
        each.mkdir(parents=True)
    (coco / "annotations.json").write_text(json.dumps(document))
    (yolo / "dataset.yaml").write_text(f"train: images\nval: images\nnames: [{', '.join(photos)}]\n")
    for number, name in enumerate(photos):
        for each in (coco, yolo / "images"):
            Image.new("RGB", (40, 20)).save(each / f"{name}.jpg")
        (yolo / "labels" / f"{name}.txt").write_text(f"{number} 0.5 0.5 0.5 0.5\n")


def _picture(number: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (32, 16), (number, 0, 0)).save(buffer, "PNG")
    return buffer.getvalue()

"""A project to work on, for the tests of the commands about tasks and datasets."""

from collections.abc import Mapping

from synapse_sdk.backend import FileSpecification, FileType, NewUnit, TaskFilter, open_backend
from synapse_sdk.types import JsonObject

__all__ = ["DM", "annotate_all", "bring_in", "make_project"]

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


def annotate_all() -> None:
    """Give each task data."""
    with open_backend() as backend:
        for task in backend.tasks.list(TaskFilter()):
            backend.tasks.set_data(task.id, DM, task.version)

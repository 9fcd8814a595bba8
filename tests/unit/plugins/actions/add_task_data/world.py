"""A project whose tasks get annotations, and what there is to be seen of it."""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from synapse_sdk.backend import TaskFilter, TaskState
from synapse_sdk.plugins import run_action
from synapse_sdk.plugins.actions import AddTaskDataAction, AddTaskDataResult
from synapse_sdk.types import JsonObject
from tests.unit.plugins.actions.export.world import ExportWorld

__all__ = ["OLD", "SIZE", "TaskWorld", "boxes_of", "coco", "picture"]

OLD: JsonObject = {"images": [{"classification": [{"id": "c1", "classification": "old"}]}]}
"""What a task may have had before."""
SIZE = (40, 20)
"""Width and height of all images."""


@dataclass
class TaskWorld(ExportWorld):
    """A project whose things are worked on in the project `work`."""

    def add_tasks(self, *names: str, data: JsonObject | None = None, labels: tuple[str, bytes] | None = None) -> None:
        """Make a unit of an image of each name, maybe with labels, with a task that has this data."""
        for name in names:
            if labels is None:
                self.add(name, picture(name), data)
            else:
                self.add(name, picture(name), data, labels=labels)

    def write_coco(self, boxes: Mapping[str, Sequence[Sequence[float]]], name: str = "coco.json") -> Path:
        """Write a COCO file with these boxes of cats, by name of the image."""
        path = self.folder / name
        path.write_text(json.dumps(coco(boxes)), encoding="utf-8")
        return path

    def annotate(self, action: type[AddTaskDataAction[Any]] = AddTaskDataAction, **params: Any) -> AddTaskDataResult:  # noqa: ANN401  # those of the action
        """Give the tasks of `work` annotations, and see that everything is accounted for and nothing is left."""
        result: AddTaskDataResult = run_action(action, self.task_params(**params))
        report = json.loads(Path(result.report_path).read_text())
        assert len(report["tasks"]) == result.total_tasks
        assert self.work() == []
        return result

    def task_params(self, **params: Any) -> dict[str, Any]:  # noqa: ANN401  # as above
        """Return parameters for the tasks of `work`."""
        usual: dict[str, Any] = {"project": self.project, "download_max_retries": 0}
        return {key: str(value) if isinstance(value, Path) else value for key, value in {**usual, **params}.items()}

    def data(self) -> dict[str, JsonObject | None]:
        """Return what the tasks have, by unit key."""
        tasks = self.backend.tasks.list(TaskFilter())
        keys = {unit.id: unit.key for unit in self.backend.data_units.many(task.unit_id for task in tasks)}
        return {keys[task.unit_id]: task.data for task in tasks}

    def states(self) -> list[TaskState]:
        """Return the states of the tasks."""
        return [task.state for task in self.backend.tasks.list(TaskFilter())]

    def work(self) -> list[Path]:
        """Return the folders of runs that are still at work."""
        return [*(self.folder / ".synapse").glob("runs/*/work")]

    def undone(self) -> dict[str, Any]:
        """Return the report of the only run that was undone."""
        (path,) = (self.folder / ".synapse").glob("runs/*/report.json")
        report: dict[str, Any] = json.loads(path.read_text())
        assert report["status"] == "rolled_back"
        assert self.work() == []
        return report


def coco(boxes: Mapping[str, Sequence[Sequence[float]]]) -> JsonObject:
    """Return a COCO document with boxes of cats, by name of the image."""
    width, height = SIZE
    images: list[Any] = []
    annotations: list[Any] = []
    for number, (name, some) in enumerate(boxes.items(), 1):
        images.append({"id": number, "file_name": name, "width": width, "height": height})
        for box in some:
            row = {"id": len(annotations) + 1, "image_id": number, "category_id": 1, "bbox": [*box]}
            annotations.append(row)
    return {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "cat"}]}


def picture(name: str) -> bytes:
    """Return an image that no other name has."""
    buffer = io.BytesIO()
    Image.new("RGB", SIZE).save(buffer, "PNG")
    return buffer.getvalue() + name.encode()


def boxes_of(document: JsonObject | None) -> list[tuple[str, list[float]]]:
    """Return class and place of every box in a DM document of version 2."""
    assert document is not None
    images: Any = document["images"]
    return [(box["classification"], box["data"]) for image in images for box in image.get("bounding_box", [])]

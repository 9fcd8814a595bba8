"""A project with ground truths, and what there is to be seen after they were downloaded."""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from synapse_sdk.backend import Category, GroundTruthVersion, NewGroundTruth, TaskId
from synapse_sdk.plugins import run_action
from synapse_sdk.plugins.action import BaseAction
from synapse_sdk.plugins.actions.dataset import DatasetAction, DatasetResult
from synapse_sdk.plugins.actions.dataset.cache import cache_folder
from synapse_sdk.types import JsonObject, JsonValue
from tests.unit.plugins.actions.export.world import ExportWorld, files_in

__all__ = ["DM", "DatasetWorld", "boxes", "picture"]

TRAIN, VALIDATION, TEST = Category.TRAIN, Category.VALIDATION, Category.TEST


def boxes(*labels: str) -> JsonObject:
    """Return a DM v2 document with a box for each label."""
    found: list[JsonValue] = [
        {"id": f"b{number}", "classification": label, "attrs": [], "data": [number, 2.5, 3, 4]}
        for number, label in enumerate(labels, 1)
    ]
    return {"classification": {"bounding_box": sorted(set(labels))}, "images": [{"bounding_box": found}]}


DM: JsonObject = boxes("cat", "dog")
"""An annotation like any other."""


def picture(name: str) -> bytes:
    """Return an image of 64 x 48 pixels, another one for each name."""
    buffer = io.BytesIO()
    color = tuple(name.encode().ljust(3, b"\0")[:3])
    Image.new("RGB", (64, 48), color).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue() + name.encode()  # behind the end, which no reader minds


@dataclass
class DatasetWorld(ExportWorld):
    """A project whose things are frozen as ground truths."""

    def freeze(
        self, items: Mapping[TaskId, Category] | None = None, name: str = "birds", **data: JsonObject
    ) -> GroundTruthVersion:
        """Make a version of these tasks; without any, of two for training and one for validation."""
        if items is None:
            names = {"wren.png": TRAIN, "owl.png": TRAIN, "jay.png": VALIDATION}
            items = {self.add(each, picture(each), data.get(each, DM)): which for each, which in names.items()}
        truths = self.backend.ground_truths
        known = {each.name for each in truths.datasets()}
        dataset = truths.dataset(name) if name in known else truths.create_dataset(name)
        return truths.create_version(
            dataset.id, [NewGroundTruth(category=which, task_id=task) for task, which in items.items()]
        )

    def run(
        self,
        action: type[BaseAction[Any]] = DatasetAction,
        *,
        job_id: str | None = None,
        **params: Any,  # noqa: ANN401  # those of the action
    ) -> DatasetResult:
        """Run the action, by default on the newest version of `birds`, and see that nothing is half done."""
        usual: dict[str, Any] = {"download_max_retries": 0}
        if "path" not in params:
            usual["dataset"] = "birds"
        result: DatasetResult = run_action(action, {**usual, **params}, job_id=job_id)
        assert not [path for path in self.folder.rglob("*") if path.name.endswith(".partial")]
        assert not [path for path in self.folder.rglob("*") if path.name.startswith(".synapse-")]
        assert not (self.folder / ".synapse" / "runs" / result.run / "work").exists()
        return result

    @property
    def cached(self) -> list[str]:
        """The names of what was downloaded, unfinished things included."""
        return sorted(path.name for path in cache_folder().iterdir()) if cache_folder().exists() else []

    @staticmethod
    def data_of(result: DatasetResult) -> dict[str, bytes]:
        """Return the files of a dataset that are its data, by path."""
        found = files_in(result.path)
        return {path: each for path, each in found.items() if path not in {"manifest.json", "dataset.json"}}

    @staticmethod
    def documents_of(result: DatasetResult) -> dict[str, Any]:
        """Return the documents of a downloaded dataset by path."""
        found = files_in(result.path)
        return {path: json.loads(each) for path, each in found.items() if Path(path).parent.name == "json"}

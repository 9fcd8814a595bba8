"""A project with annotated things, and what there is to be seen after an export."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from synapse_sdk.backend import DataUnitId, NewUnit, ProjectId, TaskFilter, TaskId
from synapse_sdk.plugins import run_action
from synapse_sdk.plugins.action import BaseAction
from synapse_sdk.plugins.actions.export import BaseExporter, DefaultExportAction, ExportContext, ExportResult
from synapse_sdk.plugins.steps import BaseStep, StepRegistry, StepResult
from synapse_sdk.storage import open_storage
from synapse_sdk.types import JsonObject
from tests.unit.plugins.actions.upload.world import World

__all__ = [
    "BAD",
    "BOX",
    "ExportWorld",
    "Step",
    "changed",
    "check_manifest",
    "exporting",
    "files_in",
    "is_bad",
    "reported",
]

BOX: JsonObject = {"classification": {}, "images": [{"bounding_box": [{"id": "b1", "data": [1, 2.5, 3, 4]}]}]}
"""An annotation like any other."""
RUNS = count(1)


@dataclass
class ExportWorld(World):
    """A project whose things are worked on in the project `work`."""

    @property
    def exports(self) -> Path:
        """The folder into which exports go."""
        return self.folder / "exports"

    @property
    def project(self) -> ProjectId:
        """The project `work`, which is made when it is asked for first."""
        if not self.backend.projects.list():
            things = self.backend.collections.get("things")
            self.backend.projects.create("work", things.id, configuration={"classes": ["cat"]})
        return self.backend.projects.get("work").id

    def add_unit(self, key: str, files: Mapping[str, tuple[str, bytes]], *, storage: str = "") -> DataUnitId:
        """Store files, each under the name of its specification, and make a unit of them."""
        backend, run = self.backend, f"adding-{next(RUNS)}"
        things = backend.collections.get("things")
        record = backend.storages.get(storage) if storage else backend.storages.ensure(self.store.as_uri())
        digests = {name: hashlib.sha256(content).hexdigest() for name, (_, content) in files.items()}
        sizes = {digests[name]: len(content) for name, (_, content) in files.items()}
        wanted = [(digest, size, self.object_key(digest)) for digest, size in sizes.items()]
        reserved = {
            each.file.sha256: each.file.id for each in backend.ingestion.reserve(run, things.id, record.id, wanted)
        }
        with open_storage(record.url, credentials=record.credentials) as opened:
            for _, content in files.values():
                opened.put(self.object_key(hashlib.sha256(content).hexdigest()), content)
        of_unit = {name: (reserved[digests[name]], called) for name, (called, _) in files.items()}
        unit = NewUnit(key=key, files=of_unit)
        registered = backend.ingestion.register(run, things.id, [unit], stored=[*reserved.values()])
        backend.ingestion.publish(run)
        return registered[0].unit_id

    def object_key(self, sha256: str) -> str:
        """Return the key under which a content is stored."""
        return f"objects/{sha256}"

    def add(
        self,
        name: str,
        content: bytes | None = None,
        data: JsonObject | None = BOX,
        *,
        key: str | None = None,
        storage: str = "",
        **others: tuple[str, bytes],
    ) -> TaskId:
        """Add a unit of an image of this name, and others, with a task that has this data; return the task."""
        files = {"images": (name, name.encode() if content is None else content), **others}
        unit = self.add_unit(name if key is None else key, files, storage=storage)
        self.backend.tasks.create(self.project, [unit])
        task = self.backend.tasks.list(TaskFilter(data_units=(unit,)))[0]
        if data is not None:
            self.backend.tasks.set_data(task.id, data, task.version)
        return task.id

    def export(
        self,
        action: type[BaseAction[Any]] = DefaultExportAction,
        *,
        job_id: str | None = None,
        **params: Any,  # noqa: ANN401  # those of the action
    ) -> ExportResult:
        """Export the tasks of `work`, and see that everything is accounted for."""
        result: ExportResult = run_action(action, self.export_params(**params), job_id=job_id)
        if "://" not in result.output_path:
            self.check_export(result)
        return result

    def export_params(self, **params: Any) -> dict[str, Any]:  # noqa: ANN401  # as above
        """Return parameters for an export of the tasks of `work` into `exports/out`."""
        usual: dict[str, Any] = {"name": "out", "storage": str(self.exports), "target": "task"}
        if params.get("target", "task") != "ground_truth":
            usual["filter"] = {"project": self.project}
        return {**usual, "download_max_retries": 0, **params}

    def left(self) -> set[str]:
        """Return what is in the folder of exports, hidden names included."""
        return {path.name for path in self.exports.iterdir()} if self.exports.exists() else set()

    def check_export(self, result: ExportResult) -> None:
        """Make sure that manifest, report and files tell the same, and that nothing is half done."""
        folder = Path(result.output_path)
        check_manifest(files_in(folder), result)
        report = json.loads(Path(result.report_path).read_text())
        assert report["counts"]["total"] == result.total_count
        assert not [path for path in folder.parent.iterdir() if path.name.endswith(".partial")]
        assert not [path for path in folder.rglob("*") if path.name.startswith(".synapse")]


def check_manifest(found: Mapping[str, bytes], result: ExportResult) -> None:
    """Make sure that a manifest lists exactly the files that there are, and counts as the result does."""
    manifest = json.loads(found["manifest.json"])
    listed = {each["path"]: (each["size"], each["sha256"]) for each in manifest["files"]}
    others = {path: content for path, content in found.items() if path != "manifest.json"}
    assert listed == {path: (len(each), hashlib.sha256(each).hexdigest()) for path, each in others.items()}
    counts = manifest["counts"]
    assert counts["total"] == counts["exported"] + counts["failed"] + counts["skipped"]
    assert (counts["total"], counts["exported"]) == (result.total_count, result.exported_count)
    assert (counts["failed"], counts["skipped"]) == (result.failed_count, result.skipped_count)


def files_in(folder: Path | str) -> dict[str, bytes]:
    """Return the files below a folder by path."""
    root = Path(folder)
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def exporting(exporter: type[BaseExporter]) -> type[DefaultExportAction]:
    """Return an export with hooks of its own."""

    class Exporting(DefaultExportAction):
        exporter_class = exporter

    return Exporting


def reported(result: ExportResult) -> dict[int, dict[str, Any]]:
    """Return what the report says of each item."""
    items: Iterable[dict[str, Any]] = json.loads(Path(result.report_path).read_text())["items"]
    return {item["id"]: item for item in items}


BAD = "bad.jpg"
"""The file of the item for which a hook misbehaves."""


def is_bad(item: Mapping[str, Any]) -> bool:
    """Whether an item is the one for which a hook misbehaves."""
    return any(file["file_name_original"] == BAD for file in item["files"].values())


class Step(BaseStep[ExportContext]):
    """A step of one's own, which does something with the context."""

    progress_weight = 0.1

    def __init__(self, name: str, do: Any) -> None:  # noqa: ANN401  # a function of the context
        self._name, self._do = name, do

    @property
    def name(self) -> str:
        """What it is called."""
        return self._name

    def execute(self, context: ExportContext) -> StepResult:
        """Do it."""
        self._do(context)
        return StepResult()


def changed(*, before: dict[str, Any] | None = None, after: dict[str, Any] | None = None) -> type[DefaultExportAction]:
    """Return an export that does something before or after some steps."""

    class Changed(DefaultExportAction):
        def setup_steps(self, registry: StepRegistry[ExportContext]) -> None:
            super().setup_steps(registry)
            for name, do in (before or {}).items():
                registry.insert_before(name, Step(f"before_{name}", do))
            for name, do in (after or {}).items():
                registry.insert_after(name, Step(f"after_{name}", do))

    return Changed

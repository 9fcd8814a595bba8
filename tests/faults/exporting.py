"""Exports that go wrong: their world, and what there is to be seen of it, the same in each try."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from synapse_sdk.backend import Backend, FileSpecification, NewUnit, StorageId, TaskFilter, open_backend
from synapse_sdk.plugins.actions.export import BaseExporter, DefaultExportAction, ExportContext, saving, supply
from synapse_sdk.plugins.actions.export.steps import convert_data
from synapse_sdk.plugins.steps import StepRegistry
from synapse_sdk.storage import Storage, open_storage
from tests.unit.plugins.actions.upload.world import World

__all__ = [
    "CrashExport",
    "ExtraExport",
    "add_units",
    "check_whole",
    "contents_of",
    "documents_of",
    "look_at",
    "make_world",
    "params_of",
    "seen",
    "store",
]

SOMEBODY_ELSE = {
    "exports/.birds.0000.partial/json/theirs.json": b"not ours",
    "exports/birds(7)/manifest.json": b'{\n  "run": "0000",\n  "files": []\n}\n',
    "exports/birds.old/a.json": b"older",
    "exports/notes.txt": b"notes",
}
"""What lies beside an export, and is none of its business."""
PICTURES = {
    "a.jpg": b"a" * 100,
    "deep/b.jpg": b"b" * 2000,
    "other/a.jpg": b"another a",
    "고양이.jpg": b"cat" * 30,
    "x" * 300 + ".jpg": b"long",
    "broken.jpg": b"was whole once",
    "empty.jpg": b"",
}
PLACE = "exports/birds"
UNANNOTATED, BROKEN = "unannotated.jpg", "broken.jpg"
ALL = {**PICTURES, UNANNOTATED: b"nobody has seen it"}


class Exporter(BaseExporter):
    """Skips nothing, and adds a file to the whole."""

    def additional_file_saving(self, unique_export_path: Path) -> None:
        """Write a file of its own."""
        folder = unique_export_path / "extras"
        folder.mkdir(exist_ok=True)
        (folder / "labels.txt").write_text("cat\ndog\n")


class ExtraExport(DefaultExportAction):
    """Writes a file besides the items."""

    exporter_class = Exporter


class CrashExport(ExtraExport):
    """Settles few items at a time, so that there are many moments to die at; only for a process of its own."""

    def setup_steps(self, registry: StepRegistry[ExportContext]) -> None:
        """Register the six steps."""
        supply.BATCH, saving.BATCH, convert_data.AT_ONCE = 3, 2, 4
        super().setup_steps(registry)


def add_units(backend: Backend, storage_id: int, contents: Mapping[str, bytes], *, size: int | None = None) -> None:
    """Put files into a storage and the collection `things`, and make a task of each in the project `birds`.

    Each is annotated with the name of its file, but for the one that is called unannotated. The project is made if it
    is not there.
    """
    things = backend.collections.get("things")
    record = backend.storages.get(StorageId(storage_id))
    run = f"before-{hashlib.sha256(repr(sorted(contents)).encode()).hexdigest()[:8]}"
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    files = [
        (digests[name], size or len(content), f"{things.uid}/{digests[name]}") for name, content in contents.items()
    ]
    with open_storage(record.url, credentials=record.credentials) as opened:
        for (_, _, key), content in zip(files, contents.values(), strict=True):
            if size is None and not opened.exists(key):
                opened.put(key, content)
    reserved = [each.file.id for each in backend.ingestion.reserve(run, things.id, record.id, files)]
    units = [
        NewUnit(key=name, files={"images": (file_id, name)}) for name, file_id in zip(contents, reserved, strict=True)
    ]
    backend.ingestion.register(run, things.id, units, stored=set(reserved))
    backend.ingestion.publish(run)
    make_tasks(backend)


def make_tasks(backend: Backend) -> None:
    """Make and annotate a task of every unit that has none."""
    things = backend.collections.get("things")
    names = {project.name for project in backend.projects.list()}
    project = backend.projects.get("birds") if "birds" in names else backend.projects.create("birds", things.id)
    after = 0
    while units := backend.data_units.list(things.id, after=after):
        after = units[-1].id
        backend.tasks.create(project.id, [unit.id for unit in units])
    after = 0
    while tasks := backend.tasks.list(TaskFilter(project=project.id), after=after):
        after = tasks[-1].id
        known = {unit.id: unit for unit in backend.data_units.many([task.unit_id for task in tasks])}
        for task in tasks:
            key = known[task.unit_id].key
            if task.data is None and key != UNANNOTATED:
                backend.tasks.set_data(task.id, {"name": key, "classes": ["cat"]}, task.version)


def make_world(storage: str, template: Path, pictures: Mapping[str, bytes] = ALL) -> Callable[[Path], None]:
    """Return what fills an empty folder with a project to export, and with what lies where the export goes.

    Of all pictures one item has no annotation, and the file of another is not what it was.

    Args:
        storage: URL of a storage into which the export goes, of which everything is deleted each time; empty for a
            folder of the project, in a new folder.
        template: Where what was made the first time is kept, to be copied from then on.
        pictures: The files of the items, by name.
    """

    def fill(folder: Path) -> None:
        if not template.exists():
            _make_project(folder, pictures)
            shutil.copytree(folder, template)
        shutil.copytree(template, folder, dirs_exist_ok=True)
        if storage:
            with open_storage(storage) as opened:
                opened.delete([info.key for info in opened.list()])
                opened.abort_unfinished()
                for key, content in SOMEBODY_ELSE.items():
                    opened.put(key, content)

    return fill


def _make_project(folder: Path, pictures: Mapping[str, bytes]) -> None:
    (folder / ".synapse").mkdir()
    for name, content in SOMEBODY_ELSE.items():
        path = folder / "out" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    with open_backend(folder / ".synapse" / "backend.db") as backend:
        backend.collections.create("things", specifications=[FileSpecification(name="images", is_primary=True)])
        # The store lies beside the project, which is made anew for each try, with relative names.
        record = backend.storages.create("store", "store", is_default=True)
        before = Path.cwd()
        os.chdir(folder)
        try:
            add_units(backend, record.id, pictures)
            if BROKEN in pictures:
                _break(backend, record.url)
        finally:
            os.chdir(before)


def _break(backend: Backend, storage: str) -> None:
    """Have the file of one item be another than it was."""
    units = backend.data_units.list(backend.collections.get("things").id)
    key = next(unit.files["images"].key for unit in units if unit.key == BROKEN)
    with open_storage(storage) as opened:
        opened.delete([key])
        opened.put(key, b"is not any more")


def look_at(storage: str) -> Callable[[Path], dict[str, Any]]:
    """Return what says what is there: everything in the project's folders, and where the export goes."""

    def look(folder: Path) -> dict[str, Any]:
        found: dict[str, Any] = {
            "files": seen(folder / "out"),
            "store": contents_of(folder / "store"),
            "manifests": {str(path): check_whole(contents_of(path.parent)) for path in _manifests(folder / "out")},
            "work": sorted(path.name for path in (folder / ".synapse").glob("runs/*/work")),
        }
        if storage:
            with open_storage(storage) as opened:
                objects = documents_of(opened, "")
                found["objects"] = {key: _told(key, content) for key, content in objects.items()}
                exported = {
                    key.removeprefix(f"{PLACE}/"): objects[key] for key in objects if key.startswith(f"{PLACE}/")
                }
                if f"{PLACE}/manifest.json" in objects:
                    check_whole(exported)
                found["unfinished"] = opened.abort_unfinished()
        return found

    return look


def seen(folder: Path) -> dict[str, object]:
    """Return everything below a folder by name; folders as well, and of manifests what is the same each time."""
    return {
        path.relative_to(folder).as_posix(): None if path.is_dir() else _told(path.name, path.read_bytes())
        for path in folder.rglob("*")
    }


def check_whole(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Check that a manifest tells the truth of everything that lies beside it, and return the other files."""
    rest = {path: content for path, content in files.items() if path != "manifest.json"}
    listed = {each["path"]: (each["size"], each["sha256"]) for each in json.loads(files["manifest.json"])["files"]}
    assert listed == {path: (len(content), hashlib.sha256(content).hexdigest()) for path, content in rest.items()}
    return rest


def contents_of(folder: Path) -> dict[str, bytes]:
    """Return the contents of all files below a folder."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def documents_of(storage: Storage, prefix: str) -> dict[str, bytes]:
    """Return the contents of all objects below a prefix."""
    return {info.key.removeprefix(prefix): storage.get(info.key) for info in storage.list(prefix)}


def _manifests(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("manifest.json") if path.parent.name == "birds"]


def _told(name: str, content: bytes) -> object:
    if not name.endswith("manifest.json"):
        return content
    manifest = json.loads(content)
    return {key: value for key, value in manifest.items() if key not in {"run", "started_at"}}


def params_of(world: World, **params: Any) -> dict[str, Any]:  # noqa: ANN401  # those of the action
    """Return parameters for an export of the project `birds` into `out/birds`."""
    usual = {"name": "birds", "storage": str(world.folder / "out"), "target": "task", "filter": {"project": "birds"}}
    return usual | params


def store(world: World, contents: Mapping[str, bytes], storage: str = "store", *, size: int | None = None) -> None:
    """Put files into a storage, by default the folder `store`, and make annotated tasks of them."""
    names = {record.name for record in world.backend.storages.list()}
    if storage not in names:
        world.backend.storages.create(storage, str(world.folder / storage))
    add_units(world.backend, world.backend.storages.get(storage).id, contents, size=size)

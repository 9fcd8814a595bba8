"""An upload that is killed: its world, and what there is to be seen of it, the same in each try."""

import hashlib
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from synapse_sdk.backend import DataUnit, FileSpecification, NewUnit, open_backend
from synapse_sdk.storage import open_storage
from synapse_sdk.testing import snapshot_tree

__all__ = ["look_at", "make_world"]

BEFORE = b"c" * 300
FILES = {
    "images/a.jpg": b"a" * 100,
    "images/deep/b.jpg": b"b" * 2000,
    "images/twin.jpg": b"a" * 100,
    "images/c.jpg": BEFORE,
    "labels/a.json": b"{}",
    "meta.csv": b"filename,place\na.jpg,Rome\nnobody.jpg,Oslo\n",
}


def make_world(storage: str, template: Path) -> Callable[[Path], None]:
    """Return what fills an empty folder with a project that has a collection, files, and an upload from before.

    Args:
        storage: URL of a storage of which everything is deleted each time; empty for a folder of the project.
        template: Where what was made the first time is kept, to be copied from then on.
    """

    def fill(folder: Path) -> None:
        place = storage or str(folder / "store")
        if not template.exists():
            _make_project(folder, place)
            shutil.copytree(folder, template)
        shutil.copytree(template, folder, dirs_exist_ok=True)
        if storage:
            with open_storage(storage) as opened:
                opened.delete([info.key for info in opened.list()])
                opened.abort_unfinished()
                opened.put((template / "key").read_text(), BEFORE)

    return fill


def _make_project(folder: Path, place: str) -> None:
    (folder / ".synapse").mkdir()
    for name, content in FILES.items():
        path = folder / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    with open_backend(folder / ".synapse" / "backend.db") as backend:
        specifications = [FileSpecification(name="images"), FileSpecification(name="labels", is_required=False)]
        things = backend.collections.create("things", specifications=specifications)
        record = backend.storages.create("store", place, is_default=True)
        # What another run has brought in, with a content that this one has as well.
        key, sha256 = f"{things.uid}/before", hashlib.sha256(BEFORE).hexdigest()
        with open_storage(place) as opened:
            opened.put(key, BEFORE)
        (reserved,) = backend.ingestion.reserve("before", things.id, record.id, [(sha256, len(BEFORE), key)])
        unit = NewUnit(key="before", files={"images": (reserved.file.id, "before.jpg")})
        backend.ingestion.register("before", things.id, [unit], stored=[reserved.file.id])
        backend.ingestion.publish("before")
    (folder / "key").write_text(key)


def look_at(storage: str) -> Callable[[Path], dict[str, Any]]:
    """Return what says what is there: the user's files, the units, and the objects, unfinished ones included."""

    def look(folder: Path) -> dict[str, Any]:
        place = storage or str(folder / "store")
        with open_backend(folder / ".synapse" / "backend.db") as backend, open_storage(place) as opened:
            things = backend.collections.get("things")
            units = backend.data_units.list(things.id, state=None)
            files = backend.data_files.list(things.id)
            digests = {info.key: opened.checksum(info.key) for info in opened.list()}
            return {
                "data": snapshot_tree(folder / "data"),
                "units": {unit.key: _of_unit(unit, digests) for unit in units},
                "objects": sorted(digests.values()),
                "files": sorted((file.sha256, str(file.state)) for file in files),
                "unfinished": opened.abort_unfinished(),
                "work": sorted(path.name for path in (folder / ".synapse").glob("runs/*/work")),
                "storages": [record.name for record in backend.storages.list()],
            }

    return look


def _of_unit(unit: DataUnit, digests: Mapping[str, str]) -> dict[str, Any]:
    meta = {name: value for name, value in unit.meta.items() if name != "created_at"}
    files = {name: (file.name, digests[file.key]) for name, file in unit.files.items()}
    return {"state": str(unit.state), "meta": meta, "files": files}

"""A project folder with a collection, and what there is to be seen after an upload."""

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pytest

from synapse_sdk.backend import Backend, DataUnit, DataUnitState, FileSpecification, open_backend
from synapse_sdk.plugins import run_action
from synapse_sdk.plugins.actions.upload import (
    BaseUploadAction,
    DefaultUploadAction,
    UploadContext,
    UploadParams,
    UploadResult,
)
from synapse_sdk.plugins.steps import BaseStep, StepRegistry, StepResult
from synapse_sdk.storage import Storage, open_storage


@dataclass
class World:
    """A project: its folder, the backend in it, and a storage beside."""

    folder: Path
    backend: Backend

    @classmethod
    @contextmanager
    def made(cls, folder: Path, patch: pytest.MonkeyPatch) -> Iterator[Self]:
        """Make a project with a collection `things` of images and optional labels, and work in it."""
        (folder / ".synapse").mkdir()
        patch.chdir(folder)
        for name in [name for name in os.environ if name.startswith("SYNAPSE")]:
            patch.delenv(name)
        with open_backend() as backend:
            backend.collections.create(
                "things",
                specifications=[
                    FileSpecification(name="images", is_primary=True, extensions=(".jpg", ".png")),
                    FileSpecification(name="labels", is_required=False),
                ],
            )
            yield cls(folder, backend)

    @property
    def store(self) -> Path:
        """The folder of the storage."""
        return self.folder / "store"

    def write(self, path: str, content: bytes | str = b"content") -> Path:
        """Write a file below `data/`."""
        full = self.folder / "data" / path
        full.parent.mkdir(parents=True, exist_ok=True)
        full.write_bytes(content if isinstance(content, bytes) else content.encode())
        return full

    def upload(self, **params: Any) -> UploadResult:  # noqa: ANN401  # those of the action
        """Upload `data/` into the collection `things`."""
        result: UploadResult = run_action(DefaultUploadAction, self.params(**params))
        return result

    def upload_after(self, change: Callable[[], None], *, before: str, **params: Any) -> UploadResult:  # noqa: ANN401  # as above
        """Upload as `upload` does, and change something before a step."""

        class Change(BaseStep[UploadContext]):
            name, progress_weight = "change", 0.1

            def execute(self, context: UploadContext) -> StepResult:
                change()
                return StepResult()

        class Changing(BaseUploadAction[UploadParams]):
            def setup_steps(self, registry: StepRegistry[UploadContext]) -> None:
                super().setup_steps(registry)
                registry.insert_before(before, Change())

        result: UploadResult = run_action(Changing, self.params(**params))
        return result

    def params(self, **params: Any) -> dict[str, Any]:  # noqa: ANN401  # as above
        """Return parameters for an upload of `data/` into the collection `things`."""
        usual: dict[str, Any] = {"data_collection": "things", "storage": str(self.store)}
        if params.get("use_single_path", True):
            usual["path"] = str(self.folder / "data")
        return usual | params

    def units(self, state: DataUnitState | None = DataUnitState.LIVE) -> dict[str, DataUnit]:
        """Return the units of the collection by key."""
        collection = self.backend.collections.get("things")
        return {unit.key: unit for unit in self.backend.data_units.list(collection.id, state=state)}

    def objects(self) -> set[str]:
        """Return the keys of everything in the storage, hidden and unfinished files included."""
        if not self.store.exists():
            return set()
        return {path.relative_to(self.store).as_posix() for path in self.store.rglob("*") if path.is_file()}

    def content(self, unit: DataUnit, specification: str) -> bytes:
        """Return the bytes of a unit's file."""
        with self.storage() as storage:
            return storage.get(unit.files[specification].key)

    def storage(self) -> Storage:
        """Open where the objects are."""
        return open_storage(self.store)

    def key_of(self, content: bytes) -> str:
        """Return the key under which a content is stored."""
        sha256 = hashlib.sha256(content).hexdigest()
        return f"{self.backend.collections.get('things').uid}/{sha256[:2]}/{sha256}"

    def check(self) -> None:
        """Make sure that storage and catalogue have the same objects, and that nothing is half done."""
        collection = self.backend.collections.get("things")
        known = {file.key: file.state for file in self.backend.data_files.list(collection.id)}
        assert self.objects() == known.keys()
        assert set(known.values()) <= {"stored"}
        used = {file.key for unit in self.units(None).values() for file in unit.files.values()}
        assert used == known.keys()
        assert self.units(DataUnitState.STAGED) == {}

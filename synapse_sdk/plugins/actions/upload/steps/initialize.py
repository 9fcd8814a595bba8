"""The first step: where the upload goes."""

from contextlib import suppress
from typing import TYPE_CHECKING

from synapse_sdk.backend import StorageRecord
from synapse_sdk.errors import ConflictError, RecordNotFoundError, StorageDeniedError
from synapse_sdk.folders import data_folder
from synapse_sdk.plugins.actions.references import find_storage
from synapse_sdk.plugins.actions.upload.context import UploadContext
from synapse_sdk.plugins.actions.upload.references import find_collection, find_project
from synapse_sdk.plugins.steps import BaseStep, StepResult

if TYPE_CHECKING:
    from synapse_sdk.backend import Backend

__all__ = ["InitializeStep"]

FIRST_STORAGE = "local"
"""Name of the storage that is made when the backend has none."""


class InitializeStep(BaseStep[UploadContext]):
    """Find collection, project and storage, and make sure that the storage can be written."""

    name = "initialize"
    progress_weight = 0.05

    def execute(self, context: UploadContext) -> StepResult:
        """Fill `collection_id`, `project_id` and `storage_id`.

        Raises:
            RecordNotFoundError: There is no such collection, project or storage.
            ConfigurationError: The project works on another collection.
            StorageError: The storage cannot be written.
        """
        params, backend = context.params, context.backend
        collection = find_collection(backend, params)
        context.collection_id = collection.id
        project = find_project(backend, params, collection)
        context.project_id = None if project is None else project.id
        record = self._storage_record(context, backend)
        context.storage_id = record.id
        storage = context.storage  # opened first: what cannot be opened has no probe to be taken back
        probe = f"{collection.uid}/probe-{context.run}"
        context.record_undo(probe=probe, storage_id=record.id)
        try:
            storage.put(probe, b"", overwrite=True)
        except StorageDeniedError:
            context.has_refused_probe = True
            raise
        storage.delete([probe])
        return StepResult(data={"collection": collection.name, "storage": record.name})

    def rollback(self, context: UploadContext, result: StepResult) -> None:
        """Take the probe back, and the storage that was made for this run."""
        for entry in reversed(result.rollback_data.get("undo_log", [])):
            if "probe" in entry:
                context.storage_id = entry["storage_id"]  # a process that died here had not written it down
                if not context.has_refused_probe:  # who may not write may not delete either
                    context.storage.delete([entry["probe"]])
            else:
                self._forget_storage(context, entry["storage"])

    def _storage_record(self, context: UploadContext, backend: "Backend") -> StorageRecord:
        found = find_storage(backend, context.params.storage)
        if isinstance(found, str):
            context.record_undo(storage=found)
            return backend.storages.ensure(found)
        if found is not None:
            return found
        folder = data_folder() / "storage"
        context.record_undo(storage=FIRST_STORAGE)
        context.log("storage_created", {"name": FIRST_STORAGE, "folder": str(folder)})
        return backend.storages.create(FIRST_STORAGE, str(folder), is_default=True)

    @staticmethod
    def _forget_storage(context: UploadContext, name: str) -> None:
        try:
            record = context.backend.storages.get(name)
        except RecordNotFoundError:
            return
        with suppress(ConflictError):  # somebody else uses it by now
            context.backend.storages.remove(record.id)

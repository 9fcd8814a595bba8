"""The first step: where the upload goes."""

from synapse_sdk.errors import StorageDeniedError
from synapse_sdk.plugins.actions.storages import forget_storage, storage_for
from synapse_sdk.plugins.actions.upload.context import UploadContext
from synapse_sdk.plugins.actions.upload.references import ask_storage, find_collection, find_project
from synapse_sdk.plugins.steps import BaseStep, StepResult

__all__ = ["InitializeStep"]


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
        record = storage_for(context, backend, params.storage)
        context.storage_id = record.id
        storage = context.storage  # opened first: what cannot be opened has no probe to be taken back
        probe = f"{collection.uid}/probe-{context.run}"
        ask_storage(storage, probe)
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
                forget_storage(context.backend, entry["storage"])

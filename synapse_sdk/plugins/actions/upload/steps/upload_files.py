"""The sixth step: the files are sent, and their data units registered."""

from synapse_sdk.backend import CollectionId, StorageId
from synapse_sdk.errors import ConflictError, LeaseLostError
from synapse_sdk.failpoints import hit
from synapse_sdk.plugins.actions.upload.context import UploadContext
from synapse_sdk.plugins.actions.upload.destination import Destination
from synapse_sdk.plugins.actions.upload.known import look_up
from synapse_sdk.plugins.actions.upload.ledger import ContextLedger, LossError
from synapse_sdk.plugins.actions.upload.losses import describe_losses
from synapse_sdk.plugins.actions.upload.removal import delete_unused, disown_strange, sweep_late
from synapse_sdk.plugins.actions.upload.transfer import Transfer
from synapse_sdk.plugins.steps import BaseStep, StepResult
from synapse_sdk.retry import RetryPolicy

__all__ = ["UploadFilesStep"]


class UploadFilesStep(BaseStep[UploadContext]):
    """Send files in parallel, and register each unit, still hidden, as soon as its files are there."""

    name = "upload_files"
    progress_weight = 0.50

    def execute(self, context: UploadContext) -> StepResult:
        """Fill `uploaded_files`, `duplicate_files`, `failed_files` and `unit_counts`.

        A run that was killed goes on with the units that are not registered yet.

        Raises:
            ConfigurationError: A step that should have run before has not.
            StorageError, BackendError: The storage or the backend cannot be used.
        """
        context.require(context.data_units, step="generate_data_units")
        # One entry for all: the backend knows, before each first byte, what this run may have put into the storage.
        context.record_undo(run=context.run, storage_id=context.storage_id)
        params = context.params
        ledger = ContextLedger(context)
        to = Destination(
            storage=context.storage,
            ingestion=context.backend.ingestion,
            run=context.run,
            collection_id=CollectionId(context.collection_id),
            storage_id=StorageId(context.storage_id),
            prefix=context.collection.uid,
        )
        transfer = Transfer(
            to,
            ledger,
            most_in_flight=params.upload_max_workers,
            batch=params.creating_data_unit_batch_size,
            retries=RetryPolicy(max_attempts=params.upload_max_retries + 1, delay=0.25, max_delay=10.0, jitter=0.5),
            held_signals=context.scope.held_signals,
        )
        try:
            transfer.run(look_up(context, ledger.units()))
        except LossError as loss:
            return StepResult(success=False, error=str(loss), data=ledger.counts())
        except (ConflictError, LeaseLostError):
            sweep_late(context, to, transfer.unregistered)
            raise
        ledger.show()
        if not context.uploaded_files and not context.duplicate_files:
            error = f"No unit could be uploaded: {describe_losses(context.failed_files)}"
            return StepResult(success=False, error=error, data=ledger.counts())
        return StepResult(data=ledger.counts())

    def rollback(self, context: UploadContext, result: StepResult) -> None:
        """Remove the units of this run, and the objects that it has put and that nobody else needs."""
        for entry in result.rollback_data.get("undo_log", [])[:1]:  # a resumed run has recorded the same again
            context.storage_id = entry["storage_id"]
            disown_strange(context, entry["run"])
            context.backend.ingestion.withdraw(entry["run"])
            hit("upload.withdrawn")
            delete_unused(context, entry["run"])

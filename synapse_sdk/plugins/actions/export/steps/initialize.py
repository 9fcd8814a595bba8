"""The first step: where the export goes."""

from datetime import UTC, datetime
from pathlib import Path

from synapse_sdk.failpoints import hit
from synapse_sdk.folders import remove_empty
from synapse_sdk.plugins.actions.export.context import ExportContext
from synapse_sdk.plugins.actions.export.documents import write_report
from synapse_sdk.plugins.actions.export.records import DOCUMENTS, ORIGINALS
from synapse_sdk.plugins.actions.export.target_format import check_target_format
from synapse_sdk.plugins.actions.reported import undone_status
from synapse_sdk.plugins.steps import BaseStep, StepResult

__all__ = ["InitializeStep"]


class InitializeStep(BaseStep[ExportContext]):
    """Find the storage, see that the name is free, and make the folder in which the export is put together."""

    name = "initialize"
    progress_weight = 0.05

    def execute(self, context: ExportContext) -> StepResult:
        """Fill `storage_url`, `path_root`, `unique_export_path`, `output_paths` and `output_path`.

        Raises:
            RecordNotFoundError: There is no such storage.
            ConfigurationError: The format that is wanted cannot be written there.
            ObjectExistsError: The name is taken, and no other may be used.
            StorageError: Nothing can be written there.
        """
        context.find_storage()
        check_target_format(context)
        destination = context.destination
        place = {"storage_url": context.storage_url, "storage_id": context.storage_id}
        context.record_undo(**place, new_folders=list(destination.new_folders()))
        is_published = destination.is_published  # the process died before it was recorded that this step had ended
        if not is_published:
            context.output_path = destination.expected()
            destination.prepare()
        context.path_root, context.unique_export_path = destination.root, destination.staging
        context.output_paths = {name: destination.staging / name for name in (DOCUMENTS, ORIGINALS)}
        if not is_published:
            context.output_paths[DOCUMENTS].mkdir(exist_ok=True)
            if context.params.save_original_file:
                context.output_paths[ORIGINALS].mkdir(exist_ok=True)
        Path(context.work_folder).mkdir(parents=True, exist_ok=True)  # while it is there, the report is not yet written
        context.started_at = datetime.now(UTC).isoformat(timespec="seconds")
        return StepResult(data={"output_path": context.output_path})

    def rollback(self, context: ExportContext, result: StepResult) -> None:
        """Remove the export, published or not, and the folders that were made for it if nothing else is in them."""
        for entry in result.rollback_data.get("undo_log", []):
            context.storage_url, context.storage_id = entry["storage_url"], entry["storage_id"]
            context.destination.withdraw()
            hit("export.withdrawn")
            remove_empty(entry["new_folders"])
        # Now, and not when the end is recorded: a process that died in between would leave the ledger for ever.
        if context.started_at and Path(context.work_folder).exists():
            try:
                write_report(context, undone_status(context))
            except OSError as error:  # what is undone is undone, told or not
                context.log("report_failed", {"folder": context.report_folder, "error": str(error)})
        if not context.errors:  # else the report is to be written again, when the rest is undone
            context.remove_work_folder()

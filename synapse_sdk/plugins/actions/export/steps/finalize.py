"""The last step: what belongs to the export as a whole."""

from synapse_sdk.plugins.actions.export.context import ExportContext
from synapse_sdk.plugins.actions.export.documents import write_documents
from synapse_sdk.plugins.actions.export.target_format import write_target_format
from synapse_sdk.plugins.steps import BaseStep, StepResult

__all__ = ["FinalizeStep"]


class FinalizeStep(BaseStep[ExportContext]):
    """Let the exporter save what else belongs to the export, and list errors and renames. It is never skipped."""

    name = "finalize"
    progress_weight = 0.10

    def execute(self, context: ExportContext) -> StepResult:
        """Fill `output_path`.

        Raises:
            StorageError: Something cannot be written.
            InvalidDatasetError: None of the documents can be written in the format that is wanted.
        """
        if context.destination.is_published:  # the process died before it was recorded that this step had ended
            return StepResult(data={"output_path": context.output_path, "lists": []})
        if context.total_count:
            context.exporter.additional_file_saving(context.unique_export_path)
        written = write_documents(context)
        write_target_format(context)
        context.output_path = context.output_path or str(context.unique_export_path)
        return StepResult(data={"output_path": context.output_path, "lists": written})

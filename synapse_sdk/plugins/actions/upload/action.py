"""The upload action: which steps run, on what, and what comes out."""

from pathlib import Path
from typing import Any

from synapse_sdk.backend import DataFileState
from synapse_sdk.failpoints import hit
from synapse_sdk.folders import remove_tree
from synapse_sdk.plugins.actions.reported import ReportedAction, undone_status
from synapse_sdk.plugins.actions.upload.context import UploadContext
from synapse_sdk.plugins.actions.upload.params import UploadParams
from synapse_sdk.plugins.actions.upload.removal import delete_unused, disown_strange
from synapse_sdk.plugins.actions.upload.report import counts_of, write_report
from synapse_sdk.plugins.actions.upload.result import MetadataCounts, UnitCounts, UploadResult, listed
from synapse_sdk.plugins.actions.upload.steps import (
    AnalyzeCollectionStep,
    GenerateDataUnitsStep,
    InitializeStep,
    OrganizeFilesStep,
    ProcessMetadataStep,
    UploadFilesStep,
    ValidateFilesStep,
)
from synapse_sdk.plugins.steps import StepRegistry

__all__ = ["BaseUploadAction", "DefaultUploadAction"]


class BaseUploadAction[P: UploadParams](ReportedAction[P, UploadContext]):
    """Bring the files of a folder, an archive or a storage into a data collection.

    Each file of the collection's specifications is sent to a storage, once however often its content occurs; the data
    units are registered hidden, and appear all at once when everything has succeeded. A run that fails takes back what
    it has brought in, and nothing else.

    A subclass that only says `pass` works. One that overrides `setup_steps` may add steps before, after and in place of
    the built-in ones.
    """

    action_name = "upload"
    category = "upload"
    result_model = UploadResult
    params_model = UploadParams

    def setup_steps(self, registry: StepRegistry[UploadContext]) -> None:
        """Register the seven steps."""
        registry.register(InitializeStep())
        registry.register(ValidateFilesStep())
        registry.register(AnalyzeCollectionStep())
        registry.register(OrganizeFilesStep())
        registry.register(GenerateDataUnitsStep())
        registry.register(UploadFilesStep())
        registry.register(ProcessMetadataStep())

    def create_context(self) -> UploadContext:
        """Give the parameters to the steps."""
        self._context = UploadContext(**self.facts_of_run())
        return self._context

    def commit(self, context: UploadContext) -> None:
        """Let the units appear, delete what was sent for units that came to nothing, and write the report."""
        disown_strange(context, context.run, DataFileState.RESERVED)
        context.backend.ingestion.publish(context.run)
        hit("upload.published")
        delete_unused(context, context.run)
        remove_tree(context.work_folder)
        write_report(context)

    def build_result(self, context: UploadContext, summary: dict[str, Any]) -> dict[str, Any]:
        """Account for every file that was found; the result model refuses a sum that does not come out."""
        return {
            **summary,
            **counts_of(context),
            "success": not context.failed_files,
            "run": context.run,
            "collection": context.collection.name,
            "storage": context.storage_record.name,
            "elsewhere": dict(context.elsewhere),
            "uploaded_bytes": context.uploaded_bytes,
            "data_units": UnitCounts(**context.unit_counts),
            "metadata": MetadataCounts(**context.metadata_counts) if context.metadata_counts else None,
            "failures": listed(context.failed_files),
            "report_path": str(Path(context.report_folder, "report.json")),
        }

    def report_undone(self, context: UploadContext) -> Path:
        """Write a report that says of every file that it is not in the collection, and whether anything is left."""
        return write_report(context, undone_status(context))


class DefaultUploadAction(BaseUploadAction[UploadParams]):
    """Bring the files of a folder, an archive or a storage into a data collection."""

    action_name = "upload"

"""The upload action: which steps run, on what, and what comes out."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synapse_sdk.backend import DataFileState, chosen_backend
from synapse_sdk.failpoints import hit
from synapse_sdk.folders import data_folder
from synapse_sdk.plugins.action import BaseAction
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
from synapse_sdk.plugins.runner import new_job_id
from synapse_sdk.plugins.steps import StepRegistry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from synapse_sdk.plugins.steps import RollbackError

__all__ = ["BaseUploadAction", "DefaultUploadAction"]


class BaseUploadAction[P: UploadParams](BaseAction[P]):
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
    _context: UploadContext | None = None

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
        run = str(self.ctx.job_id or new_job_id())
        folder = data_folder() / "runs" / run
        self._context = UploadContext(
            runtime_ctx=self.ctx,
            params=self.params,
            run=run,
            backend_url=chosen_backend(),
            work_folder=str(folder / "work"),
            report_folder=str(folder),
        )
        return self._context

    def commit(self, context: UploadContext) -> None:
        """Let the units appear, delete what was sent for units that came to nothing, and write the report."""
        disown_strange(context, context.run, DataFileState.RESERVED)
        context.backend.ingestion.publish(context.run)
        hit("upload.published")
        delete_unused(context, context.run)
        shutil.rmtree(context.work_folder, ignore_errors=not Path(context.work_folder).exists())
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

    def execute(self) -> Any:  # noqa: ANN401  # an instance of the result model, which a subclass may replace
        """Run the steps and return the result; raises as `BaseAction.execute`.

        When the run fails, the report says so of every file.
        """
        try:
            return super().execute()
        except BaseException:
            self._report_failure()
            raise
        finally:
            self._close()

    def rollback(self, reason: str, *, is_cancelled: bool = False) -> "Sequence[RollbackError]":
        """Undo what the run has done so far, as its journal tells."""
        try:
            errors = super().rollback(reason, is_cancelled=is_cancelled)
            self._report_failure()
            return errors
        finally:
            self._close()

    def _report_failure(self) -> None:
        context = self._context
        if context is None or not context.started_at:  # it failed before there was anything to report
            return
        try:
            path = write_report(context, is_undone=True)
        except OSError as error:  # a report must not hide why the run failed
            context.log("report_failed", {"folder": context.report_folder, "error": str(error)})
        else:
            context.log("report_written", {"path": str(path)})

    def _close(self) -> None:
        if self._context is not None:
            self._context.close()


class DefaultUploadAction(BaseUploadAction[UploadParams]):
    """Bring the files of a folder, an archive or a storage into a data collection."""

    action_name = "upload"

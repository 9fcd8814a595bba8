"""The export action: which steps run, on what, and what comes out."""

from pathlib import Path
from typing import Any, ClassVar

from synapse_sdk.failpoints import hit
from synapse_sdk.plugins.actions.export.context import ExportContext
from synapse_sdk.plugins.actions.export.documents import seal, write_report
from synapse_sdk.plugins.actions.export.exporter import BaseExporter
from synapse_sdk.plugins.actions.export.losses import VANISHED
from synapse_sdk.plugins.actions.export.params import ExportParams
from synapse_sdk.plugins.actions.export.result import ExportResult, ItemFailure
from synapse_sdk.plugins.actions.export.steps import (
    ConvertDataStep,
    FetchResultsStep,
    FinalizeStep,
    InitializeStep,
    PrepareExportStep,
    SaveFilesStep,
)
from synapse_sdk.plugins.actions.reported import ReportedAction, undone_status
from synapse_sdk.plugins.steps import StepRegistry

__all__ = ["BaseExportAction", "DefaultExportAction"]


class BaseExportAction[P: ExportParams](ReportedAction[P, ExportContext]):
    """Write tasks, assignments or ground truths into a folder or a storage, with the files that they are about.

    The export appears under its name all at once, when everything has succeeded; until then it has a hidden one. A run
    that fails removes it; one that was killed goes on where it was.

    A subclass that only says `pass` works. It may name an exporter with hooks of its own, and may override
    `setup_steps` to add steps before, after and in place of the built-in ones.
    """

    action_name = "export"
    category = "export"
    result_model = ExportResult
    params_model = ExportParams
    exporter_class: ClassVar[type[BaseExporter]] = BaseExporter
    """What converts and saves items."""

    def setup_steps(self, registry: StepRegistry[ExportContext]) -> None:
        """Register the six steps."""
        registry.register(InitializeStep())
        registry.register(FetchResultsStep())
        registry.register(PrepareExportStep())
        registry.register(ConvertDataStep())
        registry.register(SaveFilesStep())
        registry.register(FinalizeStep())

    def create_context(self) -> ExportContext:
        """Give the parameters to the steps."""
        self._context = ExportContext(**self.facts_of_run(), make_exporter=self.create_exporter)
        return self._context

    def create_exporter(self, context: ExportContext) -> BaseExporter:
        """Return what converts and saves items: by default an instance of `exporter_class`."""
        return self.exporter_class(self.ctx, context.export_items, context.path_root, **context.export_params)

    def commit(self, context: ExportContext) -> None:
        """Write the manifest, let the export appear under its name, and write the report."""
        destination = context.destination
        if not destination.is_published:
            seal(context)
        context.output_path = destination.publish()
        hit("export.published")
        if Path(context.work_folder).exists():  # else an earlier process has come to its end
            write_report(context)
            context.remove_work_folder()

    def build_result(self, context: ExportContext, summary: dict[str, Any]) -> dict[str, Any]:
        """Account for every item that was found; the result model refuses a sum that does not come out."""
        failures = [ItemFailure(id=identity, code=code, reason=words) for identity, code, words in context.failures]
        if context.missing_count:
            failures.append(ItemFailure(id=None, code=VANISHED.reason, reason=VANISHED.words))
        return {
            **summary,
            "success": not context.failed_count,
            "run": context.run,
            "target": context.params.target,
            "total_count": context.total_count,
            "exported_count": context.exported_count,
            "failed_count": context.failed_count,
            "skipped_count": context.skipped_count,
            "original_bytes": context.original_bytes,
            "renamed_count": context.renamed_count,
            "failures": failures,
            "output_path": context.output_path,
            "report_path": str(Path(context.report_folder, "report.json")),
        }

    def report_undone(self, context: ExportContext) -> Path:
        """Write a report that says of every item that it is not exported, unless undoing has written it."""
        path = Path(context.report_folder, "report.json")
        return write_report(context, undone_status(context)) if Path(context.work_folder).exists() else path

    def clean_up(self, context: ExportContext) -> None:
        """Remove the run's own folder: what it knew is in the report, of which nothing will change any more."""
        if not context.errors:
            context.remove_work_folder()


class DefaultExportAction(BaseExportAction[ExportParams]):
    """Write tasks, assignments or ground truths into a folder or a storage, with the files that they are about."""

    action_name = "export"

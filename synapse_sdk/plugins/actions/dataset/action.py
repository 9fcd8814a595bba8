"""The dataset action: which steps run, on what, and what comes out."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from synapse_sdk.folders import remove_tree
from synapse_sdk.plugins.actions.dataset.context import DatasetContext
from synapse_sdk.plugins.actions.dataset.params import DatasetOperation, DatasetParams
from synapse_sdk.plugins.actions.dataset.result import DatasetResult
from synapse_sdk.plugins.actions.dataset.steps import ConvertDatasetStep, ExportDatasetStep, PlaceDatasetStep
from synapse_sdk.plugins.actions.report_files import write_report
from synapse_sdk.plugins.actions.reported import ReportedAction, undone_status
from synapse_sdk.plugins.steps import StepRegistry

__all__ = ["DatasetAction"]


class DatasetAction[P: DatasetParams](ReportedAction[P, DatasetContext]):
    """Download a version of ground truths as a dataset in a folder, or convert a dataset into another format.

    With `operation` `convert` and a `dataset`, it is downloaded first. The dataset appears at its place all at once,
    when it is complete. A run that fails removes what it has written; one that was killed goes on where it was.

    A subclass that only says `pass` works. It may override `setup_steps` to add steps before, after and in place of
    the built-in ones.

    Example:
        >>> class MyDatasetAction(DatasetAction):
        ...     pass
        >>> MyDatasetAction.params_model.__name__
        'DatasetParams'
    """

    action_name = "dataset"
    category = "dataset"
    params_model = DatasetParams
    result_model = DatasetResult

    def setup_steps(self, registry: StepRegistry[DatasetContext]) -> None:
        """Register the steps that the operation needs."""
        if self.params.operation is DatasetOperation.DOWNLOAD:
            registry.register(ExportDatasetStep(weight=0.8))
            registry.register(PlaceDatasetStep(weight=0.2))
        elif self.params.dataset is not None:
            registry.register(ExportDatasetStep(weight=0.6))
            registry.register(ConvertDatasetStep(weight=0.4))
        else:
            registry.register(ConvertDatasetStep(weight=1.0))

    def create_context(self) -> DatasetContext:
        """Give the parameters to the steps."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        self._context = DatasetContext(**self.facts_of_run(), started_at=now)
        return self._context

    def commit(self, context: DatasetContext) -> None:
        """Write the report."""
        _write_report(context, "succeeded")
        self.clean_up(context)

    def build_result(self, context: DatasetContext, summary: dict[str, Any]) -> dict[str, Any]:
        """Account for everything; the result model refuses a sum that does not come out."""
        dataset = context.dataset
        result = {
            **summary,
            "run": context.run,
            "operation": context.params.operation,
            **{name: dataset.get(name) for name in ("path", "format", "is_categorized", "count")},
            **{name: dataset.get(name) for name in ("config_path", "source_path")},
            "download": context.download or None,
            "conversion": context.conversion or None,
            "report_path": str(Path(context.report_folder, "report.json")),
        }
        lost = context.download.get("failed", 0) + context.conversion.get("losses", 0)
        return {**result, "success": not lost}

    def report_undone(self, context: DatasetContext) -> Path:
        """Write a report that says whether anything is left."""
        return _write_report(context, str(undone_status(context)))

    def clean_up(self, context: DatasetContext) -> None:
        """Remove the run's own folder."""
        remove_tree(context.work_folder)


def _write_report(context: DatasetContext, status: str) -> Path:
    report = {
        "run": context.run,
        "status": status,
        "started_at": context.started_at,
        "params": context.params.model_dump(mode="json", exclude_defaults=True),
        "dataset": context.dataset,
        "download": context.download,
        "conversion": context.conversion,
        "errors": [error.partition("\n")[0] for error in context.errors],
    }
    return write_report(context.report_folder, report)

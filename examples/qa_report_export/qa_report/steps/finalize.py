"""The last step: the report of quality, and what an export is finished with anyway."""

from qa_report.figures import measure
from qa_report.report import REPORT, render_markdown
from synapse_sdk.plugins.actions.export import ExportContext
from synapse_sdk.plugins.actions.export.steps import FinalizeStep
from synapse_sdk.plugins.steps import StepResult

__all__ = ["FinalizeWithReportStep"]


class FinalizeWithReportStep(FinalizeStep):
    """Write `qa_report.md` into the export, and then what belongs there anyway.

    Args:
        most_listed: Boxes, and items without any, that the report lists.
    """

    def __init__(self, most_listed: int) -> None:
        self._most_listed = most_listed

    def execute(self, context: ExportContext) -> StepResult:
        """Write the report, and go on as usual.

        What is in the folder by then becomes part of the export, with size and SHA-256 in its manifest; it goes with
        the folder if the run is undone.

        Raises:
            OSError, StorageError: Something cannot be written.
        """
        figures = measure(context.export_items, self._most_listed)
        report = render_markdown(figures, context.params.name)
        (context.unique_export_path / REPORT).write_text(report, encoding="utf-8")
        result = super().execute(context)
        return StepResult(data={**result.data, "boxes": figures.boxes.total()})

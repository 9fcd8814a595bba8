"""The last step: what became of every image."""

from pathlib import Path

from image_report.context import ImageProcessingContext
from image_report.files import create_file, take_back
from image_report.outcome import count_outcomes
from image_report.report import render_json, render_markdown
from synapse_sdk.plugins.steps import BaseStep, StepResult

__all__ = ["GenerateReportStep"]


class GenerateReportStep(BaseStep[ImageProcessingContext]):
    """Write `report.json` and `report.md` beside the copies."""

    name = "generate_report"
    progress_weight = 0.2

    def execute(self, context: ImageProcessingContext) -> StepResult:
        """Fill `context.report_path`.

        Raises:
            FolderError: The report cannot be written.
            FileExistsError: Somebody else put a report there after `discover_images` had looked.
        """
        take_back(context.undo_log)  # as in resize_images: an earlier try may have been cut short
        output_dir = Path(context.output_dir)
        create_file(output_dir / "report.json", render_json(context.outcomes).encode(), context.record_undo)
        create_file(output_dir / "report.md", render_markdown(context.outcomes).encode(), context.record_undo)
        context.report_path = str(output_dir / "report.md")

        context.log("processing_complete", count_outcomes(context.outcomes))
        return StepResult(data={"report_path": context.report_path})

    def rollback(self, context: ImageProcessingContext, result: StepResult) -> None:
        """Delete what this run created, and nothing else."""
        context.errors += take_back(result.rollback_data.get("undo_log", []))

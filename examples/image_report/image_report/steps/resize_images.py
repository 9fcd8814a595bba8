"""The main step: a smaller copy of every image."""

from pathlib import Path

from image_report.context import ImageProcessingContext
from image_report.copies import CopySettings, describe_failures, make_copy
from image_report.files import create_folder, take_back
from image_report.outcome import count_outcomes
from synapse_sdk.plugins.steps import BaseStep, StepResult

__all__ = ["ResizeImagesStep"]


class ResizeImagesStep(BaseStep[ImageProcessingContext]):
    """Write a resized copy of every discovered image; one that cannot be resized does not stop the others."""

    name = "resize_images"
    progress_weight = 0.7

    def execute(self, context: ImageProcessingContext) -> StepResult:
        """Fill `context.outcomes`.

        Raises:
            FolderError: The output folder cannot be written.
        """
        done = self._take_up(context)
        for number, path in enumerate(context.image_paths[done:], start=done + 1):
            self._resize_one(context, Path(path))
            context.save_progress(done=number, recorded=len(context.undo_log))
            context.set_progress(number, len(context.image_paths))

        counts = count_outcomes(context.outcomes)
        context.set_metrics(counts)
        if not context.processed_images:
            error = f"None of the {counts['discovered']} images could be resized: {describe_failures(context.outcomes)}"
            return StepResult(success=False, error=error, data=counts)
        return StepResult(data=counts)

    def rollback(self, context: ImageProcessingContext, result: StepResult) -> None:
        """Delete what this run created, and nothing else."""
        context.errors += take_back(result.rollback_data.get("undo_log", []))

    def _take_up(self, context: ImageProcessingContext) -> int:
        """Return how many images an earlier try of this step has done; what it had begun besides them is taken back."""
        saved = context.saved_progress
        take_back(context.undo_log[saved.get("recorded", 0) :])
        if saved:
            return int(saved["done"])
        context.outcomes = list(context.rejected_images)
        create_folder(Path(context.output_dir), context.record_undo)
        return 0

    def _resize_one(self, context: ImageProcessingContext, image: Path) -> None:
        settings = CopySettings(
            width=context.resize_width, quality=context.quality, max_pixels=context.max_megapixels * 1_000_000
        )
        outcome = make_copy(image, Path(context.output_dir), settings, context.record_undo)
        context.outcomes.append(outcome)
        if outcome.error is not None:
            context.log("resize_failed", {"path": str(image), "error": outcome.error})

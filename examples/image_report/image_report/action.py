"""The action: which steps run, on what, and what comes out."""

from typing import Any

from image_report.context import ImageProcessingContext
from image_report.params import ImageReportParams
from image_report.result import FailedImage, ImageReportResult
from image_report.steps import DiscoverImagesStep, GenerateReportStep, ResizeImagesStep
from synapse_sdk.plugins.action import BaseAction
from synapse_sdk.plugins.steps import StepRegistry

__all__ = ["ImageReportAction"]


class ImageReportAction(BaseAction[ImageReportParams]):
    """Resize a folder of photos and report what became of each."""

    action_name = "image_report"
    result_model = ImageReportResult

    def setup_steps(self, registry: StepRegistry[ImageProcessingContext]) -> None:
        """Register the three steps."""
        registry.register(DiscoverImagesStep())
        registry.register(ResizeImagesStep())
        registry.register(GenerateReportStep())

    def create_context(self) -> ImageProcessingContext:
        """Give the parameters to the steps."""
        return ImageProcessingContext(
            runtime_ctx=self.ctx,
            input_dir=str(self.params.input_dir),
            output_dir=str(self.params.output_dir),
            resize_width=self.params.resize_width,
            quality=self.params.quality,
            max_megapixels=self.params.max_megapixels,
        )

    def build_result(self, context: ImageProcessingContext, summary: dict[str, Any]) -> ImageReportResult:
        """Account for every image that was found."""
        failed = [(outcome.file, outcome.error) for outcome in context.outcomes if outcome.error is not None]
        return ImageReportResult(
            discovered=len(context.image_paths) + len(context.rejected_images),
            processed=len(context.processed_images),
            failed=len(failed),
            bytes_saved=sum(outcome.bytes_saved for outcome in context.outcomes),
            failures=tuple(FailedImage(file=file, reason=reason) for file, reason in failed),
            output_dir=context.output_dir,
            report_path=context.report_path,
        )

"""The first step: which images are there."""

from pathlib import Path

from image_report.context import ImageProcessingContext
from image_report.folders import check_output_folder, find_images, is_text, reject_name
from image_report.report import REPORT_NAMES
from synapse_sdk.plugins.steps import BaseStep, StepResult

__all__ = ["DiscoverImagesStep"]


class DiscoverImagesStep(BaseStep[ImageProcessingContext]):
    """Find all images of the input folder, and make sure that the output folder can take copies and report."""

    name = "discover_images"
    progress_weight = 0.1

    def execute(self, context: ImageProcessingContext) -> StepResult:
        """Fill `context.image_paths`.

        Raises:
            FolderError: A folder cannot be used.
        """
        images = find_images(Path(context.input_dir))
        check_output_folder(Path(context.output_dir), Path(context.input_dir), REPORT_NAMES)

        context.image_paths = [str(path) for path in images if is_text(path.name)]
        context.rejected_images = [reject_name(path.name) for path in images if not is_text(path.name)]
        return StepResult(data={"image_count": len(images)})

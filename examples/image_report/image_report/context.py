"""What the steps share."""

from dataclasses import dataclass, field

from image_report.outcome import ImageOutcome
from synapse_sdk.plugins.steps import BaseStepContext

__all__ = ["ImageProcessingContext"]


@dataclass
class ImageProcessingContext(BaseStepContext):
    """Input, intermediate state and output of one run. Paths are text, so that a run can be written down."""

    # Input, set when the run starts.
    input_dir: str = ""
    output_dir: str = ""
    resize_width: int = 800
    quality: int = 85
    max_megapixels: int = 100

    # Filled in by the steps.
    image_paths: list[str] = field(default_factory=list)
    """The images to resize, sorted by name."""
    rejected_images: list[ImageOutcome] = field(default_factory=list)
    """Images that failed before anything was tried."""
    outcomes: list[ImageOutcome] = field(default_factory=list)
    """What became of each image so far."""
    report_path: str = ""
    """The report for people, once it is written."""

    @property
    def processed_images(self) -> list[str]:
        """Paths of the copies."""
        return [outcome.output_path for outcome in self.outcomes if outcome.output_path is not None]

    @property
    def failed_images(self) -> list[ImageOutcome]:
        """The images without a copy, each with its reason."""
        return [outcome for outcome in self.outcomes if outcome.error is not None]

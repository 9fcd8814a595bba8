"""The steps of the workflow, in the order in which they run."""

from image_report.steps.discover_images import DiscoverImagesStep
from image_report.steps.generate_report import GenerateReportStep
from image_report.steps.resize_images import ResizeImagesStep

__all__ = ["DiscoverImagesStep", "GenerateReportStep", "ResizeImagesStep"]

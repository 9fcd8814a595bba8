"""What a run returns."""

from typing import Self

from pydantic import BaseModel, ConfigDict, model_validator

__all__ = ["FailedImage", "ImageReportResult"]


class FailedImage(BaseModel):
    """An image without a copy."""

    model_config = ConfigDict(frozen=True)

    file: str
    reason: str


class ImageReportResult(BaseModel):
    """Result of the `image_report` action. Every image is accounted for: `discovered = processed + failed`."""

    model_config = ConfigDict(frozen=True)

    discovered: int
    processed: int
    failed: int
    bytes_saved: int
    """How much smaller the copies are; negative when they are larger."""
    failures: tuple[FailedImage, ...]
    output_dir: str
    report_path: str
    """The report for people; `report.json` beside it is the one for programs."""

    @model_validator(mode="after")
    def _check_that_none_is_lost(self) -> Self:
        if self.discovered != self.processed + self.failed or self.failed != len(self.failures):
            msg = f"{self.discovered} images discovered, but {self.processed} processed and {self.failed} failed"
            raise ValueError(msg)
        return self

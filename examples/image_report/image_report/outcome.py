"""What became of one image."""

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["ImageOutcome", "Size", "count_outcomes"]

type Size = tuple[int, int]
"""Width and height in pixels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageOutcome:
    """One image of the input folder: resized, or failed with a reason."""

    file: str
    """Name of the file; its copy has the same name."""
    error: str | None = None
    """Why there is no copy; None when there is one."""
    output_path: str | None = None
    """Path of the copy."""
    original_size: Size | None = None
    """Size as stored, before the photo was turned upright."""
    new_size: Size | None = None
    original_bytes: int = 0
    new_bytes: int = 0
    notes: tuple[str, ...] = ()
    """What was done besides resizing, such as `EXIF rotated`."""

    @property
    def bytes_saved(self) -> int:
        """How much smaller the copy is; negative when it is larger, 0 without a copy."""
        return 0 if self.output_path is None else self.original_bytes - self.new_bytes


def count_outcomes(outcomes: Sequence[ImageOutcome]) -> dict[str, int]:
    """Return the figures of a run: `discovered = processed + failed`, and `bytes_saved`."""
    failed = sum(outcome.error is not None for outcome in outcomes)
    return {
        "discovered": len(outcomes),
        "processed": len(outcomes) - failed,
        "failed": failed,
        "bytes_saved": sum(outcome.bytes_saved for outcome in outcomes),
    }

"""Put a resized copy of an image beside the others."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from image_report.errors import UnreadableImageError
from image_report.files import Announce, create_file, refuse_existing
from image_report.images import resize_image
from image_report.outcome import ImageOutcome

__all__ = ["CopySettings", "describe_failures", "make_copy"]

SHOWN_FAILURES = 5
"""How many reasons an error message gives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CopySettings:
    """How copies are made."""

    width: int
    """Greatest width in pixels."""
    quality: int
    """JPEG quality, 1 to 95."""
    max_pixels: int
    """Images with more pixels are refused unread."""


def make_copy(image: Path, output_dir: Path, settings: CopySettings, announce: Announce) -> ImageOutcome:
    """Write a resized copy under the same name, or say why there is none.

    Raises:
        FolderError: The output folder cannot take the copy, and so no other one.
    """
    copy = output_dir / image.name
    try:
        refuse_existing(copy)  # before the work of resizing
        resized = resize_image(image, width=settings.width, quality=settings.quality, max_pixels=settings.max_pixels)
        create_file(copy, resized.content, announce)
    except UnreadableImageError as error:
        return ImageOutcome(file=image.name, error=error.message)
    except FileExistsError:
        return ImageOutcome(file=image.name, error="the output folder already has a file of this name")
    return ImageOutcome(
        file=image.name,
        output_path=str(copy),
        original_size=resized.original_size,
        new_size=resized.new_size,
        original_bytes=resized.original_bytes,
        new_bytes=len(resized.content),
        notes=resized.notes,
    )


def describe_failures(failed: Sequence[ImageOutcome]) -> str:
    """Return one line that names the failed images, the first few with their reasons."""
    reasons = [f"{outcome.file}: {outcome.error}" for outcome in failed[:SHOWN_FAILURES]]
    rest = len(failed) - len(reasons)
    return "; ".join(reasons) + (f"; and {rest} more" if rest else "")

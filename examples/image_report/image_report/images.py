"""Make one photo upright, no wider than asked, and small."""

import io
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from image_report.errors import UnreadableImageError
from image_report.outcome import Size

__all__ = ["ResizedImage", "resize_image"]

KEPT_MODES = {"L", "LA", "RGB", "RGBA", "I;16"}
"""Kinds of pixels that are kept; palettes and bitmaps, for example, cannot be blended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResizedImage:
    """The smaller copy of a photo."""

    content: bytes
    """The copy as a file: JPEG for a JPEG, PNG for a PNG, whatever the original's name says."""
    original_bytes: int
    original_size: Size
    """Size as stored, before the photo was turned upright."""
    new_size: Size
    notes: tuple[str, ...]
    """What was done besides resizing."""


def resize_image(path: Path, *, width: int, quality: int, max_pixels: int) -> ResizedImage:
    """Return a copy of a photo that is upright and at most `width` pixels wide; a narrower photo keeps its size.

    Transparency and the colour profile are kept; EXIF data, such as where the photo was taken, is not. A photo that
    needs no change and would not take less space is returned as it is.

    Raises:
        UnreadableImageError: It is no JPEG or PNG, is broken, or has more than `max_pixels` pixels.
    """
    with decoding_errors_explained(), path.open("rb") as file, Image.open(file, formats=("JPEG", "PNG")) as image:
        refuse_bomb(image, max_pixels)
        notes = describe(image)
        pixels = shrink(savable(ImageOps.exif_transpose(image)), width)
        image_format = "PNG" if image.format == "PNG" else "JPEG"  # phones write MPO, which is JPEG with extras
        content = encode(pixels, image_format, quality)
        original_bytes = os.fstat(file.fileno()).st_size
        if pixels.size == image.size and len(content) >= original_bytes and not notes and not image.getexif():
            content, notes = path.read_bytes(), ("kept as it is",)
        return ResizedImage(
            content=content,
            original_bytes=original_bytes,
            original_size=image.size,
            new_size=pixels.size,
            notes=notes,
        )


def refuse_bomb(image: Image.Image, max_pixels: int) -> None:
    """Check the size that the header gives, before the pixels are unpacked.

    Raises:
        UnreadableImageError: It has more than `max_pixels` pixels.
    """
    if image.width * image.height > max_pixels:
        msg = f"has {image.width}x{image.height} pixels, more than max_megapixels allows"
        raise UnreadableImageError(msg)


def describe(image: Image.Image) -> tuple[str, ...]:
    """Return what a copy will not have in common with a photo, besides the size."""
    notes = {
        "EXIF rotated": image.getexif().get(ExifTags.Base.Orientation, 1) in range(2, 9),
        "CMYK converted": image.mode == "CMYK",
        "first of several pictures kept": getattr(image, "is_animated", False),
    }
    return tuple(note for note, applies in notes.items() if applies)


def savable(image: Image.Image) -> Image.Image:
    """Convert kinds of pixels that cannot be resized or shown well."""
    if image.mode == "CMYK":
        converted = image.convert("RGB")
        converted.info.pop("icc_profile", None)  # it describes inks
        return converted
    if image.has_transparency_data and image.mode not in {"LA", "RGBA"}:
        return image.convert("RGBA")
    if image.mode in KEPT_MODES:
        return image
    return image.convert("L" if image.mode == "1" else "RGB")


def shrink(image: Image.Image, width: int) -> Image.Image:
    """Resize to a width in pixels, keeping the proportions; what is narrower is returned as it is."""
    if image.width <= width:
        return image
    height = max(1, round(image.height * width / image.width))
    return image.resize((width, height), Image.Resampling.LANCZOS)


def encode(image: Image.Image, image_format: str, quality: int) -> bytes:
    """Return the image as the content of a file; `quality` counts for JPEG only."""
    buffer = io.BytesIO()
    image.save(buffer, image_format, quality=quality, optimize=True, icc_profile=image.info.get("icc_profile"))
    return buffer.getvalue()


@contextmanager
def decoding_errors_explained() -> Iterator[None]:
    """Turn whatever a decoder raises on a broken or hostile file into a reason that names no internals.

    Raises:
        UnreadableImageError: In place of the decoder's error.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about odd metadata; what matters is raised
            yield
    except UnreadableImageError:
        raise
    except UnidentifiedImageError as error:
        msg = "not a JPEG or PNG image"
        raise UnreadableImageError(msg) from error
    except OSError as error:
        raise UnreadableImageError(error.strerror or str(error)) from error
    except Exception as error:  # decoders raise almost anything on data that was made to break them
        msg = f"cannot be decoded: {error}"
        raise UnreadableImageError(msg) from error

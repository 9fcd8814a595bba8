"""From an image to the numbers that a model takes, and from places in them back to places in the image."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from synapse_sdk.errors import InvalidImageError
from synapse_sdk.inference.description import Channels, InputDescription, Layout, Resizing

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["Placement", "placed", "prepared"]

type Floats = npt.NDArray[np.float64]

SHORTENED = 256
"""By how much a value of 16 bits is divided to have 8."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where an image lies in the input of a model: `place in the input = place in the image * scale + offset`."""

    width: int
    """Of the image, in pixels."""
    height: int
    scale_x: float
    scale_y: float
    left: int
    """Where the image begins in the input, in pixels; below zero if its beginning is cut off."""
    top: int

    @property
    def resized(self) -> tuple[int, int]:
        """Width and height of the image in the input."""
        return round(self.width * self.scale_x), round(self.height * self.scale_y)

    def undone(self, boxes: Floats) -> Floats:
        """Return boxes of the input (left, top, right, bottom) in the image, cut at its edges."""
        found = (boxes - (self.left, self.top, self.left, self.top)) / (
            self.scale_x,
            self.scale_y,
            self.scale_x,
            self.scale_y,
        )
        return found.clip(0.0, (self.width, self.height, self.width, self.height))


def placed(width: int, height: int, size: tuple[int, int], resize: Resizing) -> Placement:
    """Return where an image of a size is put in the input of a model.

    Example:
        >>> placed(200, 100, (50, 50), Resizing.LETTERBOX)
        Placement(width=200, height=100, scale_x=0.25, scale_y=0.25, left=0, top=12)
    """
    wide, high = size
    if resize is Resizing.STRETCH:
        return Placement(width, height, wide / width, high / height, 0, 0)
    choose = min if resize is Resizing.LETTERBOX else max
    ratio = choose(wide / width, high / height)
    new_width, new_height = max(1, round(width * ratio)), max(1, round(height * ratio))
    # The image gets whole pixels: what it is scaled by is not the ratio, but what came of it.
    left, top = (wide - new_width) // 2, (high - new_height) // 2
    return Placement(width, height, new_width / width, new_height / height, left, top)


def prepared(
    image: "Image", size: tuple[int, int], described: InputDescription, dtype: type[np.generic]
) -> tuple[npt.NDArray[np.generic], Placement]:
    """Return an image as a model takes it, without the dimension of the batch, and where in it the image is.

    Args:
        image: As it is shown.
        size: Width and height of the input.
        described: What becomes of it.
        dtype: Of the input; as uint8 it gets the values of the pixels as they are.

    Raises:
        InvalidImageError: It has pixels that no model takes.
    """
    from PIL.Image import Resampling  # noqa: PLC0415  # Pillow is loaded with the first image

    place = placed(image.width, image.height, size, described.resize)
    coloured = _coloured(image, described.channels)
    small = coloured if place.resized == image.size else coloured.resize(place.resized, Resampling.BILINEAR)
    pixels = np.asarray(small)
    if pixels.ndim == 2:  # noqa: PLR2004  # grey has no channels
        pixels = pixels[:, :, np.newaxis]
    if described.channels is Channels.BGR:
        pixels = pixels[:, :, ::-1]
    inside, target = _overlap(pixels, place, size)
    if dtype is np.uint8:
        factor, offset = np.ones(1), np.zeros(1)
    else:
        factor = np.float64(described.scale) / np.asarray(described.std)
        offset = -np.asarray(described.mean) / np.asarray(described.std)
    channels = pixels.shape[2]
    factors, offsets = np.broadcast_to(factor, channels), np.broadcast_to(offset, channels)
    whole = np.empty((channels, size[1], size[0]), np.float32)
    is_full = inside.shape[:2] == (size[1], size[0])
    for number in range(channels):
        if not is_full:
            whole[number] = described.fill * factors[number] + offsets[number]
        part = whole[number][target]
        np.multiply(inside[:, :, number], np.float32(factors[number]), out=part)
        if offsets[number]:
            part += np.float32(offsets[number])
    turned = whole if described.layout is Layout.NCHW else np.ascontiguousarray(whole.transpose(1, 2, 0))
    return turned.astype(dtype, copy=False), place


def _overlap(
    pixels: npt.NDArray[np.uint8], place: Placement, size: tuple[int, int]
) -> tuple[npt.NDArray[np.uint8], tuple[slice, slice]]:
    """Return the pixels that are inside of the input, and where there."""
    height, width = pixels.shape[:2]
    rows = slice(max(0, place.top), min(size[1], place.top + height))
    columns = slice(max(0, place.left), min(size[0], place.left + width))
    inside = pixels[
        rows.start - place.top : rows.stop - place.top, columns.start - place.left : columns.stop - place.left
    ]
    return inside, (rows, columns)


def _coloured(image: "Image", channels: Channels) -> "Image":
    """Return an image with 8 bits a channel, in the colours that are wanted."""
    from PIL import Image as Images  # noqa: PLC0415  # as above

    if image.mode.startswith("I;16"):
        image = Images.fromarray((np.asarray(image) // SHORTENED).astype(np.uint8))
    elif image.mode in {"I", "F"}:
        msg = f"It has pixels of 32 bits ({image.mode!r}), which no model is made for"
        raise InvalidImageError(msg, fix="Replace it by an image of 8 or 16 bits a channel")
    wanted = "L" if channels is Channels.GREY else "RGB"
    return image if image.mode == wanted else image.convert(wanted)

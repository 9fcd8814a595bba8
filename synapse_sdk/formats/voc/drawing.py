"""Draws the masks of an item into images of colour numbers."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from synapse_sdk.formats.model import Item, Mask
from synapse_sdk.formats.voc.segmentation import BORDER

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["Drawing", "draw_masks", "palette", "save"]


@dataclass(slots=True)
class Drawing:
    """The masks of one item."""

    objects: "npt.NDArray[np.uint8]"
    """For each pixel, the number of the object in the XML, from 1; 0 for none."""
    classes: "npt.NDArray[np.uint8]"
    """For each pixel, the number of the class, from 1; 0 for none."""
    covered: set[int] = field(default_factory=set)
    """Numbers of objects that others cover in part."""


def draw_masks(item: Item, masks: Sequence[tuple[int, int, Mask]]) -> Drawing:
    """Draw masks, the largest first, so that small ones are not lost behind large ones.

    Args:
        item: Whose masks they are; as large as they are.
        masks: For each the number of its object, the number of its class, and the mask.
    """
    import numpy as np  # noqa: PLC0415  # heavy, and few datasets have masks

    from synapse_sdk.formats.masks import part_of_mask  # noqa: PLC0415  # as above

    shape = (item.height, item.width)
    drawing = Drawing(np.zeros(shape, np.uint8), np.zeros(shape, np.uint8))
    parts = [(number, kind, part) for number, kind, mask in masks if (part := part_of_mask(mask)) is not None]
    for number, kind, (pixels, left, top) in sorted(parts, key=lambda each: (-np.count_nonzero(each[2][0]), each[0])):
        place = slice(top, top + pixels.shape[0]), slice(left, left + pixels.shape[1])
        objects = drawing.objects[place]
        drawing.covered.update(np.flatnonzero(np.bincount(objects[pixels])).tolist())
        objects[pixels] = number
        drawing.classes[place][pixels] = kind
    drawing.covered.discard(0)
    return drawing


def save(numbers: "npt.NDArray[np.uint8]", path: Path) -> None:
    """Write an image of colour numbers in the colours of the devkit.

    Areas of one colour are compressed as runs, which takes a fifth of the time and gives smaller files.

    Raises:
        FileExistsError: There is one.
    """
    from PIL import Image  # noqa: PLC0415  # as above

    image = Image.fromarray(numbers)
    image.putpalette([*palette()])
    with path.open("xb") as file:
        image.save(file, "PNG", compress_type=zlib.Z_RLE)


@cache
def palette() -> tuple[int, ...]:
    """Return the 256 colours of the devkit, as red, green and blue one after the other.

    The bits of a number are dealt out to the three colours in turn, the lowest ones first, as their highest bits.

    Example:
        >>> palette()[3:9]
        (128, 0, 0, 0, 128, 0)
    """
    return tuple(chain.from_iterable(_colour(number) for number in range(BORDER + 1)))


def _colour(number: int) -> tuple[int, int, int]:
    red = green = blue = 0
    for place in range(7, -1, -1):
        red |= (number & 1) << place
        green |= (number >> 1 & 1) << place
        blue |= (number >> 2 & 1) << place
        number >>= 3
    return red, green, blue

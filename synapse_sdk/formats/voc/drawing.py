"""Draws the masks of an item into images of colour numbers."""

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

    from synapse_sdk.formats.masks import array_of_mask  # noqa: PLC0415  # as above

    shape = (item.height, item.width)
    drawing = Drawing(np.zeros(shape, np.uint8), np.zeros(shape, np.uint8))
    drawn = [(number, class_number, array_of_mask(mask).astype(bool)) for number, class_number, mask in masks]
    for number, class_number, pixels in sorted(drawn, key=lambda each: (-int(each[2].sum()), each[0])):
        drawing.covered.update(np.unique(drawing.objects[pixels]).tolist())
        drawing.objects[pixels] = number
        drawing.classes[pixels] = class_number
    drawing.covered.discard(0)
    return drawing


def save(numbers: "npt.NDArray[np.uint8]", path: Path) -> None:
    """Write an image of colour numbers in the colours of the devkit.

    Raises:
        FileExistsError: There is one.
    """
    from PIL import Image  # noqa: PLC0415  # as above

    image = Image.fromarray(numbers)
    image.putpalette([*palette()])
    with path.open("xb") as file:
        image.save(file, "PNG")


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

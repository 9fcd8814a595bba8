"""The images of panoptic files: the colour of a pixel says which segment it is of.

Importing this loads numpy and Pillow.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image

from synapse_sdk.formats.coco.images import ImageFinder
from synapse_sdk.formats.images import is_safe_name

__all__ = ["PanopticImages", "SegmentIds"]

type SegmentIds = npt.NDArray[np.uint32]
"""The id of the segment of each pixel; 0 for none."""

COLOURS = frozenset(("RGB", "RGBA"))
"""Modes of images, as Pillow calls them, that have red, green and blue."""


class PanopticImages:
    """Reads the images of segments.

    Args:
        folders: Where they may be, the likeliest place first.
    """

    def __init__(self, folders: Sequence[str]) -> None:
        self._finder = ImageFinder(folders)

    def read(self, name: str, width: int, height: int) -> SegmentIds:
        """Return the id of each pixel: R + 256 G + 65536 B.

        That is what COCO says, "Data format", section 4.

        Args:
            name: The file, as an annotation names it.
            width: Of the image that it is about; 0 if that is not known.
            height: Likewise.

        Raises:
            ValueError: It is not there, cannot be read, or does not fit.
        """
        path = self._finder.find(name) if is_safe_name(name) else ""
        if not path:
            msg = f"the image of its segments {name!r:.200} is not there"
            raise ValueError(msg)
        try:
            with Image.open(path) as image:
                _check(name, image.mode, image.size, (width, height))
                colours = np.asarray(image, dtype=np.uint32)
        except (OSError, SyntaxError, Image.DecompressionBombError) as error:
            msg = f"the image of its segments {name!r:.200} cannot be read: {error}"
            raise ValueError(msg) from error
        ids: SegmentIds = colours[..., 0] | colours[..., 1] << np.uint32(8) | colours[..., 2] << np.uint32(16)
        return ids


def _check(name: str, mode: str, size: tuple[int, int], wanted: tuple[int, int]) -> None:
    if mode not in COLOURS:
        msg = f"the image of its segments {name!r:.200} has no ids as colours, but mode {mode}"
        raise ValueError(msg)
    if all(wanted) and size != wanted:
        msg = f"the image of its segments {name!r:.200} has {size[0]} x {size[1]} pixels, not {wanted[0]} x {wanted[1]}"
        raise ValueError(msg)

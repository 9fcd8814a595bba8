"""Masks of objects and classes, as images in which the colour number of a pixel says what it belongs to."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from synapse_sdk.formats.images import Images, images_below
from synapse_sdk.formats.losses import LossLog, Outcome
from synapse_sdk.formats.model import Annotation, Item, Mask
from synapse_sdk.formats.name_lists import NameList
from synapse_sdk.formats.voc.reasons import MASK

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["BORDER", "VOC_CLASSES", "MaskImages", "attach"]

BORDER = 255
"""The colour number of pixels about which nothing is said: borders of objects, and what is too hard to tell."""
VOC_CLASSES = (
    *("aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow", "diningtable", "dog"),
    *("horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor"),
)
"""The classes of the challenges of 2007 to 2012, in the order in which their masks number them."""
SUFFIX = ".png"
NUMBERED = frozenset(("P", "L"))
"""Modes of images, as Pillow calls them, with a number for each pixel."""


class MaskImages:
    """The images of masks in one folder.

    Args:
        folder: Where they are; None if there are none.
        root: The dataset, in whose terms losses say where.
        losses: Takes down those that do not fit.
    """

    def __init__(self, folder: Path | None, root: Path, losses: LossLog) -> None:
        self._root, self._losses = root, losses
        below = Images(NameList(), []) if folder is None else images_below(folder)
        names = [name for name in below.found if name.lower().endswith(SUFFIX)]
        self._paths = {name[: -len(SUFFIX)]: f"{folder}/{name}" for name in names}
        for each in below.passed_over:
            where = Path(each.path).relative_to(root).as_posix()
            losses.of_item(Outcome.FAILED, each.reason, item="", where=where, words=each.words)

    def __contains__(self, stem: str) -> bool:
        return stem in self._paths

    def read(self, item: Item, stem: str) -> dict[int, Mask]:
        """Return the masks in the image for an item, by number; none if it cannot be read, which the log says.

        Args:
            item: The item.
            stem: The name of its XML file, without suffix.
        """
        from synapse_sdk.formats.masks import mask_of_array  # noqa: PLC0415  # loads numpy

        numbers = self._numbers(item, stem)
        if numbers is None:
            return {}
        found = sorted({*_distinct(numbers)} - {0, BORDER})
        return {number: mask_of_array(numbers == number) for number in found}

    def where(self, stem: str) -> str:
        """Return where an image is, below the dataset."""
        return Path(self._paths[stem]).relative_to(self._root).as_posix()

    def _numbers(self, item: Item, stem: str) -> "npt.NDArray[np.uint8] | None":
        import numpy as np  # noqa: PLC0415  # heavy, and few datasets have masks
        from PIL import Image  # noqa: PLC0415  # as above

        try:
            with Image.open(self._paths[stem]) as image:
                fault = _fault(item, image.mode, image.size)
                numbers = None if fault else np.asarray(image)
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
            fault, numbers = str(error), None
        if fault:
            self._losses.of_item(
                Outcome.CHANGED, MASK, item=item.name, split=item.split, where=self.where(stem), words=fault
            )
        return numbers


def attach(annotations: list[Annotation], masks: dict[int, Mask], classes: Sequence[str], count: int) -> list[str]:
    """Add the masks of classes to the annotations of an item, and return what is wrong with the others.

    The mask of a class belongs to the one object of that class. If there are several, or none, nobody can tell, and it
    becomes an annotation of its own.

    Args:
        annotations: Those that were read so far.
        masks: The masks, by the number of their class, from 1.
        classes: The classes, in the order in which masks number them.
        count: How many ids were given.
    """
    faults = []
    for number, mask in masks.items():
        if number > len(classes):
            faults.append(f"class number {number} of {len(classes)}")
            continue
        label = classes[number - 1]
        objects = [at for at, each in enumerate(annotations) if each.label == label and not _is_part(each)]
        if len(objects) == 1 and annotations[objects[0]].shape is None:
            annotations[objects[0]] = replace(annotations[objects[0]], shape=mask)
        else:
            count += 1
            annotations.append(Annotation(id=str(count), label=label, shape=mask))
    return faults


def _is_part(annotation: Annotation) -> bool:
    return "part_of" in annotation.attributes


def _distinct(numbers: "npt.NDArray[np.uint8]") -> list[int]:
    import numpy as np  # noqa: PLC0415  # as above

    found: list[int] = np.flatnonzero(np.bincount(numbers.ravel(), minlength=BORDER + 1)).tolist()
    return found


def _fault(item: Item, mode: str, size: tuple[int, int]) -> str:
    if mode not in NUMBERED:
        return f"it has no colour numbers, but mode {mode}"
    if item.width and item.height and size != (item.width, item.height):
        return f"it has {size[0]} x {size[1]} pixels, the image has {item.width} x {item.height}"
    return ""

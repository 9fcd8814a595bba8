"""Reading the outputs of models that find the pixels of objects: each mask is a sum of a few that all objects share.

(Bolya and others, YOLACT, 2019; the models of Ultralytics do the same.)
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from synapse_sdk.formats.masks import mask_area, mask_of_part, polygon_of_mask
from synapse_sdk.formats.model import Mask
from synapse_sdk.inference.description import Head, ModelDescription
from synapse_sdk.inference.detection import SCORE_DIGITS, found_objects
from synapse_sdk.inference.options import InferenceOptions, MaskShape
from synapse_sdk.inference.preprocessing import Placement
from synapse_sdk.inference.session import Array

__all__ = ["found_masks", "mask_in_box"]

type Floats = npt.NDArray[np.float32]

ROWS = 512
"""Of an image, that are calculated at a time."""


def found_masks(  # noqa: PLR0917  # a model, and what it has returned
    described: ModelDescription,
    head: Head,
    size: tuple[int, int],
    outputs: Sequence[Array],
    place: Placement,
    options: InferenceOptions,
) -> list[dict[str, Any]]:
    """Return a prediction for each object that a model has found, with its pixels.

    Args:
        described: The model.
        head: What its first output is.
        size: Width and height of its input.
        outputs: For one image.
        place: Where that is in the input.
        options: What counts.
    """
    objects = found_objects(described, head, outputs[0], place, options)
    shared = outputs[1].astype(np.float32, copy=False)
    found = []
    for box, score, number, coefficients in zip(*objects, strict=True):
        values = np.tensordot(coefficients, shared, axes=1)
        mask = mask_in_box(values, box.tolist(), place, size)
        if mask_area(mask):
            shape = _shape(mask, options.masks)
            found.append({"label": described.classes[int(number)], **shape, "score": round(float(score), SCORE_DIGITS)})
    return found


def mask_in_box(values: Floats, box: Sequence[float], place: Placement, size: tuple[int, int]) -> Mask:
    """Return the pixels of an image that are inside of a box and whose value is above 0.

    Values are interpolated between the centres of the coarse pixels, and are the same as there beyond the outermost.

    Args:
        values: Of the whole input, coarse: an array of rows.
        box: Left, top, right, bottom in the image.
        place: Where the image is in the input.
        size: Width and height of the input.
    """
    left, top, right, bottom = (int(np.ceil(edge - 0.5)) for edge in box)  # a pixel counts if its centre is inside
    height, width = values.shape
    columns = (np.arange(left, right) + 0.5) * place.scale_x + place.left
    rows = (np.arange(top, bottom) + 0.5) * place.scale_y + place.top
    first, second, share = _between(columns, width / size[0], width)
    across = values[:, first] * (1 - share) + values[:, second] * share
    upper, lower, weight = _between(rows, height / size[1], height)
    inside = np.empty((len(rows), len(columns)), np.bool_)
    for at in range(0, len(rows), ROWS):
        part = slice(at, at + ROWS)
        down = weight[part, np.newaxis]
        inside[part] = across[upper[part]] * (1 - down) + across[lower[part]] * down > 0
    return mask_of_part(inside, place.width, place.height, left, top)


def _between(
    places: npt.NDArray[np.floating[Any]], scale: float, count: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Floats]:
    """Return between which coarse pixels places of the input are, and how near to the second."""
    at = (places * scale - 0.5).clip(0, count - 1)
    first = at.astype(np.int64)
    return first, np.minimum(first + 1, count - 1), (at - first).astype(np.float32)


def _shape(mask: Mask, wanted: MaskShape) -> dict[str, Any]:
    if wanted is MaskShape.MASK:
        return {"mask": {"size": [mask.height, mask.width], "counts": mask.counts.decode("ascii")}}
    polygon = polygon_of_mask(mask)
    return {"polygon": [*map(list, polygon.rings)], "holes": [*map(list, polygon.holes)]}

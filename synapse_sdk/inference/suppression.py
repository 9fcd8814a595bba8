"""Of boxes that overlap, the one with the highest score: non-maximum suppression."""

import numpy as np
import numpy.typing as npt

__all__ = ["suppressed"]

MOST_CANDIDATES = 30_000
"""Boxes that are compared, those with the highest scores."""
BLOCK = 256
"""Boxes that are compared with one another at a time: a table of as many rows and columns."""


def suppressed(
    boxes: npt.NDArray[np.float64],
    scores: npt.NDArray[np.float64],
    classes: npt.NDArray[np.int64],
    *,
    iou: float,
    most: int,
) -> npt.NDArray[np.int64]:
    """Return which boxes remain, the highest score first; of equal scores the one that comes first.

    Args:
        boxes: Left, top, right, bottom.
        scores: Of each.
        classes: Of each; only boxes of one class are compared.
        iou: Of two boxes that overlap more, as intersection over union, the one with the lower score goes.
        most: Boxes that remain, at most.

    Example:
        >>> boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 9], [20, 0, 30, 10]], float)
        >>> suppressed(boxes, np.array([0.5, 0.9, 0.3]), np.zeros(3, int), iou=0.7, most=10).tolist()
        [1, 2]
    """
    order = np.argsort(-scores, kind="stable")[:MOST_CANDIDATES]
    kept = np.empty(0, np.int64)
    for at in range(0, len(order), BLOCK):
        block = order[at : at + BLOCK]
        block = block[~_covering(boxes, classes, kept, block, iou).any(axis=0)]
        covers = _covering(boxes, classes, block, block, iou)
        stays = np.ones(len(block), np.bool_)
        for number in range(len(block)):
            if stays[number]:
                stays[number + 1 :] &= ~covers[number, number + 1 :]
        kept = np.concatenate((kept, block[stays]))
        if len(kept) >= most:
            break
    return kept[:most]


def _covering(
    boxes: npt.NDArray[np.float64],
    classes: npt.NDArray[np.int64],
    ones: npt.NDArray[np.int64],
    others: npt.NDArray[np.int64],
    iou: float,
) -> npt.NDArray[np.bool_]:
    """Return whether each of some boxes overlaps each of others too much: a row for each of the former."""
    (left, top, right, bottom), (x1, y1, x2, y2) = boxes[ones].T[:, :, np.newaxis], boxes[others].T
    width = np.minimum(right, x2) - np.maximum(left, x1)
    height = np.minimum(bottom, y2) - np.maximum(top, y1)
    shared = width.clip(0) * height.clip(0)
    together = (right - left) * (bottom - top) + (x2 - x1) * (y2 - y1) - shared
    covers: npt.NDArray[np.bool_] = (shared > iou * together) & (classes[ones, np.newaxis] == classes[others])
    return covers

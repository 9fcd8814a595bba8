"""Of boxes that overlap, the one with the highest score: non-maximum suppression."""

import numpy as np
import numpy.typing as npt

__all__ = ["suppressed"]

MOST_CANDIDATES = 30_000
"""Boxes that are compared, those with the highest scores."""


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
        most: Boxes that remain, at most; so many rounds it takes, each through all boxes that are left.

    Example:
        >>> boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 9], [20, 0, 30, 10]], float)
        >>> suppressed(boxes, np.array([0.5, 0.9, 0.3]), np.zeros(3, int), iou=0.7, most=10).tolist()
        [1, 2]
    """
    left = np.argsort(-scores, kind="stable")[:MOST_CANDIDATES]
    areas = (boxes[:, 2:] - boxes[:, :2]).clip(0).prod(axis=1)
    kept: list[int] = []
    while len(left) and len(kept) < most:
        best, rest = left[0], left[1:]
        kept.append(int(best))
        corners = np.maximum(boxes[best, :2], boxes[rest, :2]), np.minimum(boxes[best, 2:], boxes[rest, 2:])
        shared = (corners[1] - corners[0]).clip(0).prod(axis=1)
        together = areas[best] + areas[rest] - shared
        left = rest[(classes[rest] != classes[best]) | (shared <= iou * together)]
    return np.array(kept, np.int64)

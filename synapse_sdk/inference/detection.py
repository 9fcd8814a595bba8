"""Reading the outputs of detectors of the YOLO family."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from synapse_sdk.errors import ModelOutputError
from synapse_sdk.inference.description import Head, ModelDescription
from synapse_sdk.inference.options import InferenceOptions
from synapse_sdk.inference.preprocessing import Placement
from synapse_sdk.inference.session import Array
from synapse_sdk.inference.suppression import suppressed

__all__ = ["SCORE_DIGITS", "Objects", "found_boxes", "found_objects", "head_of"]

BOX = 4
SCORED = 5
END_TO_END = 6
"""Numbers of an object: its box; with the score that there is one; with the number of its class."""
DIGITS = 3
"""Of places that are kept: thousandths of a pixel."""
SCORE_DIGITS = 6
"""Of scores that are kept: a number of 32 bits has no more."""


class Objects(NamedTuple):
    """What was found in an image, the highest score first."""

    boxes: npt.NDArray[np.float64]
    """Left, top, right, bottom in the image."""
    scores: npt.NDArray[np.float64]
    classes: npt.NDArray[np.int64]
    coefficients: npt.NDArray[np.float32]
    """What its mask is made of; nothing where there are none."""


def head_of(shape: tuple[int, int], classes: int, masks: int) -> list[Head]:
    """Return the heads that may have such an output.

    Args:
        shape: Of the output for one image.
        classes: How many there are.
        masks: How many numbers make a mask; 0 for a detector without.

    Example:
        >>> head_of((84, 8400), 80, 0)
        [<Head.YOLOV8: 'yolov8'>]
    """
    fits = {
        Head.YOLOV8: shape[0] == BOX + classes + masks,
        Head.YOLOV5: shape[1] == SCORED + classes + masks,
        Head.END_TO_END: shape[1] == END_TO_END + masks,
    }
    return [head for head, does in fits.items() if does]


def found_boxes(
    described: ModelDescription, head: Head, outputs: Sequence[Array], place: Placement, options: InferenceOptions
) -> list[dict[str, Any]]:
    """Return a prediction for each object that a detector has found."""
    objects = found_objects(described, head, outputs[0], place, options)
    sizes = objects.boxes[:, 2:] - objects.boxes[:, :2]
    boxes = np.concatenate((objects.boxes[:, :2], sizes), axis=1).round(DIGITS)
    scores, classes = objects.scores.round(SCORE_DIGITS).tolist(), objects.classes.tolist()
    return [
        {"label": described.classes[number], "box": box, "score": score}
        for box, score, number in zip(boxes.tolist(), scores, classes, strict=True)
    ]


def found_objects(
    described: ModelDescription, head: Head, output: Array, place: Placement, options: InferenceOptions
) -> Objects:
    """Return the objects that a detector has found: those with a high enough score, without those that others cover.

    Raises:
        ModelOutputError: One is of a class that the model does not have.
    """
    count = len(described.classes)
    if head is Head.END_TO_END:
        found = _end_to_end(output, count, options.confidence)
    else:
        found = _scored(output.T if head is Head.YOLOV8 else output, head, count, options.confidence)
    if options.classes is not None:
        wanted = np.array([name in options.classes for name in described.classes])
        found = _chosen(found, wanted[found.classes])
    if head is Head.END_TO_END:
        found = _chosen(found, np.argsort(-found.scores, kind="stable")[: options.max_detections])
    else:
        kept = suppressed(found.boxes, found.scores, found.classes, iou=options.iou, most=options.max_detections)
        found = _chosen(found, kept)
    found = found._replace(boxes=place.undone(found.boxes))
    return _chosen(found, (found.boxes[:, 2:] > found.boxes[:, :2]).all(axis=1))  # some are in the border only


def _scored(rows: Array, head: Head, count: int, confidence: float) -> Objects:
    """Return the rows whose best class has a high enough score."""
    begin = BOX if head is Head.YOLOV8 else SCORED
    scores = rows[:, begin : begin + count]
    if head is Head.YOLOV5:
        scores = scores * rows[:, BOX : BOX + 1]
    best = scores.max(axis=1)
    chosen = np.flatnonzero(best >= confidence)
    kept = rows[chosen]
    centres, halves = kept[:, :2].astype(np.float64), kept[:, 2:BOX].astype(np.float64) / 2
    return Objects(
        np.concatenate((centres - halves, centres + halves), axis=1),
        best[chosen].astype(np.float64),
        scores[chosen].argmax(axis=1),
        kept[:, begin + count :].astype(np.float32, copy=False),
    )


def _end_to_end(rows: Array, count: int, confidence: float) -> Objects:
    kept = rows[rows[:, BOX] >= max(confidence, np.finfo(np.float32).tiny)]  # rows without an object are zeros
    classes = kept[:, SCORED].astype(np.int64)
    wrong = (classes < 0) | (classes >= count)
    if wrong.any():
        msg = f"The model has found an object of class {classes[wrong][0]}, and its description names {count}"
        raise ModelOutputError(msg, fix="Name all classes of the model in its description")
    return Objects(
        kept[:, :BOX].astype(np.float64),
        kept[:, BOX].astype(np.float64),
        classes,
        kept[:, END_TO_END:].astype(np.float32, copy=False),
    )


def _chosen(found: Objects, which: npt.NDArray[Any]) -> Objects:
    return Objects(*(each[which] for each in found))

"""From what a model returns for an image to predictions."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from synapse_sdk.errors import InvalidModelError
from synapse_sdk.inference.classification import class_of_image
from synapse_sdk.inference.description import Head, ModelDescription, ModelTask
from synapse_sdk.inference.detection import found_boxes, head_of
from synapse_sdk.inference.options import InferenceOptions
from synapse_sdk.inference.preprocessing import Placement
from synapse_sdk.inference.segmentation import found_masks
from synapse_sdk.inference.session import Array

__all__ = ["Predict", "predictor"]

type Predict = Callable[[Sequence[Array], Placement, InferenceOptions], list[dict[str, Any]]]
"""Takes the outputs for one image, without the dimension of the batch, and returns predictions."""

EXPECTED = {
    ModelTask.CLASSIFY: "one output (1, {classes})",
    ModelTask.DETECT: "one output (1, {v8}, N), (1, N, {v5}) or (1, N, 6)",
    ModelTask.SEGMENT: "two outputs: (1, {v8} + M, N), (1, N, {v5} + M) or (1, N, 6 + M), and (1, M, height, width)",
}


def predictor(described: ModelDescription, outputs: Sequence[Array], size: tuple[int, int], name: str) -> Predict:
    """Return what reads the outputs of a model.

    Args:
        described: The model.
        outputs: What it has returned for a batch of one.
        size: Width and height of its input.
        name: Of the model, for errors.

    Raises:
        InvalidModelError: They are not what a model for such a task, with so many classes, returns.
    """
    shapes = [each.shape[1:] for each in outputs if each.shape[:1] == (1,)]
    count = len(described.classes)
    match described.task, shapes:
        case ModelTask.CLASSIFY, [(found,)] if found == count:
            return partial(class_of_image, described)
        case ModelTask.DETECT, [(rows, columns)]:
            head = _head(described, (rows, columns), 0, name)
            return partial(found_boxes, described, head)
        case ModelTask.SEGMENT, [(rows, columns), (masks, _, _)]:
            head = _head(described, (rows, columns), masks, name)
            return partial(found_masks, described, head, size)
    raise _unexpected(described, outputs, name)


def _head(described: ModelDescription, shape: tuple[int, int], masks: int, name: str) -> Head:
    fitting = head_of(shape, len(described.classes), masks)
    wanted = fitting if described.head is None else [each for each in fitting if each is described.head]
    if len(wanted) == 1:
        return wanted[0]
    if wanted:
        msg = f"What the model {name!r} returns, {(1, *shape)}, may be {' or '.join(wanted)}"
        raise InvalidModelError(msg, fix=f'Say which in its description: "head": "{wanted[0]}"')
    raise _unexpected(described, [np.empty((1, *shape))], name)


def _unexpected(described: ModelDescription, outputs: Sequence[Array], name: str) -> InvalidModelError:
    count = len(described.classes)
    found = ", ".join(f"{each.dtype} {each.shape}" for each in outputs)
    wanted = EXPECTED[described.task].format(classes=count, v8=4 + count, v5=5 + count)
    head = "" if described.head is None else f" of the head {described.head}"
    msg = f"The model {name!r} returns {found}"
    why = f"a model to {described.task} with {count} classes{head} returns {wanted}"
    return InvalidModelError(msg, why=why, fix="See whether its description names the right task, head and classes")

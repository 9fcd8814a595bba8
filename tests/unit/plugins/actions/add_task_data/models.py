"""Models that annotate, well or badly."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from synapse_sdk.plugins.actions.add_task_data import ModelInput

__all__ = ["BATCHES", "bad", "classify", "detect", "document", "few", "nothing", "odd"]

BATCHES: list[int] = []
"""How many inputs each call had."""


def detect(inputs: Sequence[ModelInput]) -> list[Any]:
    """Find a cat that covers the right half of each image, as arrays say it."""
    BATCHES.append(len(inputs))
    found: list[Any] = []
    for each in inputs:
        width, height = each.image().size
        box = np.array([width / 2, 0, width / 2, height])
        found.append([{"label": each.params.get("label", "cat"), "box": box, "score": np.float32(0.5)}])
    return found


def classify(inputs: Sequence[ModelInput]) -> list[Any]:
    """Say of each whole image what it is."""
    return [{"label": each.name.partition(".")[0], "score": 1.0} for each in inputs]


def document(inputs: Sequence[ModelInput]) -> list[Any]:
    """Return DM documents."""
    return [{"images": [{"bounding_box": []}]} for _ in inputs]


def bad(inputs: Sequence[ModelInput]) -> list[Any]:
    """Raise for an image that is called `bad`, and return nonsense for some others."""
    answers: dict[str, Any] = {
        "nan": [{"label": "x", "box": [float("nan"), 0, 1, 1]}],
        "none": None,
        "shape": [{"label": "x", "box": [1, 2, 3]}],
        "text": "a cat",
        "object": object(),
        "nolabel": [{"box": [0, 0, 1, 1]}],
    }
    found = []
    for each in inputs:
        name = each.name.partition(".")[0]
        if name == "bad":
            msg = "out of memory"
            raise RuntimeError(msg)
        found.append(answers.get(name, []))
    return found


def few(inputs: Sequence[ModelInput]) -> list[Any]:
    """Return too few results for more than one input."""
    return [[]] if len(inputs) > 1 else [[] for _ in inputs]


def odd(inputs: Sequence[ModelInput]) -> Any:  # noqa: ANN401  # that is the point
    """Return no list."""
    return len(inputs)


nothing = 3
"""No model at all."""

"""Reading the outputs of classifiers."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from synapse_sdk.errors import ModelOutputError
from synapse_sdk.inference.description import ModelDescription, Scores
from synapse_sdk.inference.detection import SCORE_DIGITS
from synapse_sdk.inference.options import InferenceOptions
from synapse_sdk.inference.preprocessing import Placement
from synapse_sdk.inference.session import Array

__all__ = ["class_of_image"]

SLACK = 1e-3
"""By how much probabilities may be below 0 or above 1, being rounded."""


def class_of_image(
    described: ModelDescription, outputs: Sequence[Array], _place: Placement, options: InferenceOptions
) -> list[dict[str, Any]]:
    """Return the class with the highest probability, if that is high enough; of equal ones the first.

    Raises:
        ModelOutputError: Probabilities are none.
    """
    scores = outputs[0].astype(np.float64)
    if described.scores is Scores.LOGITS:
        powers = np.exp(scores - scores.max())
        scores = powers / powers.sum()
    elif scores.min() < -SLACK or scores.max() > 1 + SLACK:
        msg = f"The model has returned {scores.min():g} to {scores.max():g}, which are no probabilities"
        raise ModelOutputError(msg, fix='If they are logits, say so in its description: "scores": "logits"')
    if options.classes is not None:
        scores = np.where([name in options.classes for name in described.classes], scores, -1.0)
    best = int(scores.argmax())
    if scores[best] < options.confidence:
        return []
    return [{"label": described.classes[best], "score": round(float(min(scores[best], 1.0)), SCORE_DIGITS)}]

"""What counts among the things that a model finds; may be said anew for every input."""

from enum import StrEnum
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from synapse_sdk.errors import ConfigurationError
from synapse_sdk.inference.description import ModelDescription, ModelTask

__all__ = ["InferenceOptions", "MaskShape", "shortened"]

CONFIDENCE = {ModelTask.CLASSIFY: 0.0, ModelTask.DETECT: 0.25, ModelTask.SEGMENT: 0.25}
"""The least score that counts, where nobody says it."""


class MaskShape(StrEnum):
    """What the pixels of an object become."""

    MASK = "mask"
    """Run lengths."""
    POLYGON = "polygon"
    """Outlines exactly along the edges of the pixels."""


class InferenceOptions(BaseModel):
    """The keys of `pre_processor_params` for an ONNX model."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    confidence: float = Field(ge=0, le=1)
    """The least score that counts."""
    iou: float = Field(ge=0, le=1)
    """Of two boxes of one class that overlap more, as intersection over union, the one with the lower score goes."""
    max_detections: int = Field(ge=1)
    """Of an image; those with the highest scores."""
    classes: tuple[str, ...] | None = None
    """Only these classes; None for all."""
    masks: MaskShape = MaskShape.MASK

    @classmethod
    def of(cls, described: ModelDescription, params: dict[str, Any]) -> Self:
        """Return what params say, and the description for the rest.

        Raises:
            ConfigurationError: A key is unknown, a value makes no sense, or the model does not have a class.
        """
        confidence = CONFIDENCE[described.task] if described.confidence is None else described.confidence
        usual = {"confidence": confidence, "iou": described.iou, "max_detections": described.max_detections}
        try:
            found = cls.model_validate({**usual, **params})
        except ValidationError as error:
            wrong = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
            fix = f"pre_processor_params of an ONNX model are: {', '.join(cls.model_fields)}"
            msg = "The model cannot be told so"
            raise ConfigurationError(msg, why=wrong, fix=fix) from error
        if unknown := [each for each in found.classes or () if each not in described.classes]:
            msg = f"The model has no class {unknown[0]!r}"
            raise ConfigurationError(msg, fix=f"Choose among: {shortened(described.classes)}")
        return found


MOST_NAMED = 20


def shortened(names: tuple[str, ...] | list[str]) -> str:
    """Return names as a text, the first of them if there are many."""
    more = f" and {len(names) - MOST_NAMED:,} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more

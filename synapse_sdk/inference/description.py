"""The model description, without which no model can be asked: which task it does, what it takes, what it returns."""

from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

from synapse_sdk.errors import InvalidModelError

__all__ = ["Channels", "Head", "InputDescription", "Layout", "ModelDescription", "ModelTask", "Resizing", "Scores"]


class ModelTask(StrEnum):
    """What a model finds."""

    CLASSIFY = "classify"
    """What the whole image shows."""
    DETECT = "detect"
    """Boxes around objects."""
    SEGMENT = "segment"
    """The pixels of objects."""


class Resizing(StrEnum):
    """How an image gets the size that the model takes."""

    LETTERBOX = "letterbox"
    """Its longer side fits, and the rest is filled; objects keep their form."""
    STRETCH = "stretch"
    """Both sides fit."""
    CROP = "crop"
    """Its shorter side fits, and what is too much of the other is cut off on both ends."""


class Channels(StrEnum):
    """Which colours a pixel has, in their order."""

    RGB = "rgb"
    BGR = "bgr"
    GREY = "grey"


class Layout(StrEnum):
    """In which order the dimensions of the input are."""

    NCHW = "nchw"
    NHWC = "nhwc"


class Head(StrEnum):
    """What the numbers are that a detector returns."""

    YOLOV8 = "yolov8"
    """(1, 4 + classes, N): centre, width and height in pixels of the input, and a score for each class."""
    YOLOV5 = "yolov5"
    """(1, N, 5 + classes): likewise, with a score that there is an object at all before those of the classes."""
    END_TO_END = "end_to_end"
    """(1, N, 6): left, top, right, bottom, score, number of the class; overlapping ones are gone already."""


class Scores(StrEnum):
    """What the numbers are that a classifier returns."""

    PROBABILITIES = "probabilities"
    LOGITS = "logits"
    """Softmax makes probabilities of them."""


def _pair(value: object) -> object:
    return (value, value) if isinstance(value, int) and not isinstance(value, bool) else value


type Size = Annotated[tuple[int, int], BeforeValidator(_pair)]
"""Width and height in pixels; one number for a square."""


class InputDescription(BaseModel):
    """What becomes of an image before the model gets it: `(value * scale - mean) / std` for each channel."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    size: Size | None = None
    """Needed only where the model itself does not say."""
    resize: Resizing = Resizing.LETTERBOX
    fill: int = Field(default=114, ge=0, le=255)
    """The value of pixels around an image that does not fill the input."""
    channels: Channels = Channels.RGB
    layout: Layout = Layout.NCHW
    scale: float = Field(default=1 / 255, gt=0, allow_inf_nan=False)
    """Values of pixels are 0 to 255 before."""
    mean: tuple[float, ...] = (0.0,)
    """One number, or one for each channel."""
    std: tuple[float, ...] = (1.0,)
    """Likewise."""

    @field_validator("size")
    @classmethod
    def _check_size(cls, size: tuple[int, int] | None) -> tuple[int, int] | None:
        if size is not None and not all(1 <= side <= MOST_SIDE for side in size):
            msg = f"sides are 1 to {MOST_SIDE} pixels"
            raise ValueError(msg)
        return size

    @model_validator(mode="after")
    def _check_channels(self) -> Self:
        count = 1 if self.channels is Channels.GREY else 3
        for name in ("mean", "std"):
            if len(getattr(self, name)) not in {1, count}:
                msg = f"{name} has {len(getattr(self, name))} numbers for {count} channels"
                raise ValueError(msg)
        if not all(each > 0 for each in self.std):
            msg = "std has a number that is not above 0"
            raise ValueError(msg)
        return self


MOST_SIDE = 16_384


def _as_classes(value: object) -> object:
    """Take the names of classes as a list, or by their numbers, which are 0 to the last without a gap."""
    if not isinstance(value, dict):
        return value
    by_number = {int(key): name for key, name in value.items()}
    if sorted(by_number) != [*range(len(value))]:
        msg = f"the numbers of the classes are not 0 to {len(value) - 1}"
        raise ValueError(msg)
    return [by_number[number] for number in range(len(value))]


class ModelDescription(BaseModel):
    """A model: what it does, what it takes, and what its classes are called."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    task: ModelTask
    classes: Annotated[tuple[str, ...], BeforeValidator(_as_classes)]
    """In the order in which the model has them."""
    input: InputDescription = InputDescription()
    head: Head | None = None
    """Of a detector; None to find out by the shape of what it returns."""
    scores: Scores = Scores.PROBABILITIES
    """Of a classifier."""
    confidence: float | None = Field(default=None, ge=0, le=1)
    """The least score that counts; by default 0.25, and 0 of a classifier."""
    iou: float = Field(default=0.7, ge=0, le=1)
    """Of two boxes of one class that overlap more, as intersection over union, the one with the lower score goes."""
    max_detections: int = Field(default=300, ge=1)

    @field_validator("classes")
    @classmethod
    def _check_classes(cls, classes: tuple[str, ...]) -> tuple[str, ...]:
        if not classes or not all(classes) or len({*classes}) < len(classes):
            msg = "every class needs a name of its own"
            raise ValueError(msg)
        return classes

    @classmethod
    def of(cls, data: dict[str, Any], name: str) -> Self:
        """Return what data describe.

        Args:
            data: The fields.
            name: Of the model, for errors.

        Raises:
            InvalidModelError: A field is missing, unknown, or makes no sense; all that is wrong is named.
        """
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            wrong = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
            msg = f"The description of the model {name!r} does not do"
            raise InvalidModelError(msg, why=wrong, fix=FIX) from error


FIX = "Write it beside the model, as FILE.onnx.json with 'task' and 'classes' at least, or into its metadata"

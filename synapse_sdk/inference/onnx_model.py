"""A model in an ONNX file: asked about images, it returns predictions."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from synapse_sdk.errors import (
    ConfigurationError,
    InvalidImageError,
    InvalidModelError,
    ModelOutputError,
    SynapseError,
)
from synapse_sdk.inference.description import Channels, Layout, ModelDescription
from synapse_sdk.inference.heads import predictor
from synapse_sdk.inference.inputs import ModelInput
from synapse_sdk.inference.metadata import describe
from synapse_sdk.inference.onnx_file import check_onnx
from synapse_sdk.inference.options import InferenceOptions, shortened
from synapse_sdk.inference.preprocessing import Placement, prepared
from synapse_sdk.inference.session import DTYPES, Array, OnnxSession, Port

__all__ = ["OnnxModel", "PreparedImage", "open_onnx"]

DIMENSIONS = 4
"""Of an input: batch, channels, height and width."""
IMAGE_FIX = "Export the model with one input of images: float, (batch, channels, height, width)"


def open_onnx(content: bytes, name: str, beside: Mapping[str, Any] | None = None) -> "OnnxModel":
    """Load a model, and ask it about an image of nothing, to see that it is what is described.

    Args:
        content: The ONNX file.
        name: Of the model, for errors.
        beside: What is written about it beside the file, see `synapse_sdk.inference.metadata.describe`.

    Raises:
        ConfigurationError: onnxruntime is not installed.
        InvalidModelError: It is no ONNX file, has weights in other files, is not described, or takes or returns
            something else than is described; the message says what.
    """
    check_onnx(content, name)
    session = OnnxSession(content, name)
    return OnnxModel(session, describe(name, session.metadata, beside), name)


@dataclass(frozen=True, slots=True)
class PreparedImage:
    """An image as the model takes it."""

    values: npt.NDArray[np.generic] = field(repr=False)
    place: Placement
    options: InferenceOptions


class OnnxModel:
    """A model with its description.

    Args:
        session: The model.
        description: What it does, and takes.
        name: For errors.

    Raises:
        InvalidModelError: It takes or returns something else.
    """

    def __init__(self, session: OnnxSession, description: ModelDescription, name: str) -> None:
        self._session, self._name = session, name
        self.description = description
        port = _image_port(session.inputs, name)
        self._dtype = DTYPES[port.dtype]
        self._size = _size(port, description, name)
        self._batch = port.shape[0]
        shape = _turned((3, *self._size[::-1]), description.input.layout)
        if description.input.channels is Channels.GREY:
            shape = _turned((1, *self._size[::-1]), description.input.layout)
        empty = np.zeros((self._batch or 1, *shape), self._dtype)
        outputs = [each[:1] for each in self._run(empty)]
        self._predict = predictor(description, outputs, self._size, name)

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes that it knows."""
        return self.description.classes

    def check_classes(self, known: Sequence[str], params: dict[str, Any]) -> None:
        """Check that whatever it may find is of a class that is known.

        Args:
            known: The classes of a project; nothing is checked if there are none.
            params: As an input has them: they may say which classes count.

        Raises:
            ConfigurationError: It may find something else, or params make no sense.
        """
        wanted = InferenceOptions.of(self.description, params).classes or self.classes
        unknown = [each for each in wanted if each not in known]
        if known and unknown:
            msg = f"The model {self._name!r} has classes that the project has not: {shortened(unknown)}"
            fix = "Add them to its configuration, or choose: pre_processor_params={'classes': [...]}"
            raise ConfigurationError(msg, why=f"the project has {shortened([*known])}", fix=fix)

    def prepare(self, asked: ModelInput) -> PreparedImage:
        """Decode an image and give it the size that the model takes; may be called by several threads.

        Raises:
            ConfigurationError: Its params make no sense.
            InvalidImageError: It is no image that could be decoded, or has pixels that no model takes.
        """
        options = InferenceOptions.of(self.description, asked.params)
        try:
            image = asked.image()
        except MemoryError:
            raise
        except Exception as error:  # decoders raise whatever they run into
            msg = f"{asked.name!r} is no image that can be decoded"
            why = "its format is not known" if "cannot identify" in str(error) else str(error)
            raise InvalidImageError(msg, why=why, fix="Replace the file, or leave the task out") from error
        values, place = prepared(image, self._size, self.description.input, self._dtype)
        return PreparedImage(values, place, options)

    def answer(self, images: Sequence[PreparedImage]) -> list[Any]:
        """Return predictions for each image, or the error that there is instead.

        Raises:
            Exception: The model fails for a whole batch.
        """
        found: list[Any] = []
        step = self._batch or max(1, len(images))
        for at in range(0, len(images), step):
            some = images[at : at + step]
            values = np.stack([each.values for each in some])
            if self._batch is not None and len(some) < self._batch:  # it takes so many and no fewer
                missing = ((0, self._batch - len(some)), *[(0, 0)] * (DIMENSIONS - 1))
                values = np.pad(values, missing)
            outputs = self._run(values)
            found += (self._read([each[number] for each in outputs], image) for number, image in enumerate(some))
        return found

    def __call__(self, inputs: Sequence[ModelInput]) -> list[Any]:
        """Return predictions for each input, or the error that there is instead."""
        return self.answer([self.prepare(each) for each in inputs])

    def _read(self, outputs: Sequence[Array], image: PreparedImage) -> list[dict[str, Any]] | SynapseError:
        try:
            if not all(np.isfinite(each).all() for each in outputs):
                msg = "The model has returned numbers that are not finite (NaN or infinity)"
                raise ModelOutputError(msg, fix="See whether it was exported with a type that is too small (float16)")
            return self._predict(outputs, image.place, image.options)
        except SynapseError as error:  # it is about this image alone
            return error

    def _run(self, values: Array) -> Sequence[Array]:
        """Return what the model returns for a batch.

        Raises:
            ModelOutputError: It fails, or returns something that is not about each image.
        """
        try:
            outputs = self._session.run(values)
        except Exception as error:  # onnxruntime's exceptions have no common base
            msg = f"The model {self._name!r} has failed for a batch of {len(values)}"
            raise ModelOutputError(msg, why=str(error).strip().partition("\n")[0]) from error
        for port, each in zip(self._session.outputs, outputs, strict=True):
            if not isinstance(each, np.ndarray) or each.dtype.kind not in "fiu" or each.shape[:1] != (len(values),):
                shape = f"{each.dtype} {each.shape}" if isinstance(each, np.ndarray) else type(each).__name__
                msg = f"The model {self._name!r} returns {shape} as {port.name!r} for a batch of {len(values)}"
                raise InvalidModelError(msg, fix="Export it with outputs of numbers, the batch as first dimension")
        return outputs


def _image_port(inputs: Sequence[Port], name: str) -> Port:
    """Return the input for images.

    Raises:
        InvalidModelError: There is none, or more.
    """
    if len(inputs) != 1 or len(inputs[0].shape) != DIMENSIONS or inputs[0].dtype not in DTYPES:
        msg = f"The model {name!r} takes {', '.join(map(str, inputs)) or 'nothing'}"
        why = f"one input with {DIMENSIONS} dimensions is expected, of {', '.join(DTYPES)}"
        raise InvalidModelError(msg, why=why, fix=IMAGE_FIX)
    return inputs[0]


def _size(port: Port, described: ModelDescription, name: str) -> tuple[int, int]:
    """Return width and height of the images that a model takes.

    Raises:
        InvalidModelError: It and its description contradict each other, or nothing says it.
    """
    said = described.input
    channels = 1 if said.channels is Channels.GREY else 3
    order = (1, 2, 3) if said.layout is Layout.NCHW else (3, 1, 2)
    has_channels, height, width = (port.shape[at] for at in order)
    wanted = said.size or (width, height)
    if has_channels not in {None, channels} or width not in {None, wanted[0]} or height not in {None, wanted[1]}:
        told = json.loads(said.model_dump_json(include={"size", "channels", "layout"}))
        msg = f"The model {name!r} takes {port}, and its description says otherwise"
        raise InvalidModelError(msg, why=f"it says {told}", fix="Correct its description: size is width, height")
    if wanted[0] is None or wanted[1] is None:
        msg = f"The model {name!r} takes images of any size: {port}"
        raise InvalidModelError(msg, fix='Say in its description which it was made for: "input": {"size": 640}')
    return wanted[0], wanted[1]


def _turned(shape: tuple[int, int, int], layout: Layout) -> tuple[int, int, int]:
    return shape if layout is Layout.NCHW else (shape[1], shape[2], shape[0])

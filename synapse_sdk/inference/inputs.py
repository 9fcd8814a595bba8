"""What models are asked, and what can be asked."""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["CheckingModel", "InferenceModel", "ModelInput", "PreparingModel"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInput:
    """What a model is asked about: an image, or another primary file."""

    name: str
    """What the file was called where it came from."""
    content: bytes = field(repr=False)
    params: dict[str, Any]
    """What the hook `setup_inference_params` says."""

    def image(self) -> "Image":
        """Return the file as an image, decoded and as it is shown (turned as its EXIF orientation says).

        Raises:
            OSError: It is no image.
        """
        from PIL import Image, ImageOps  # noqa: PLC0415  # Pillow is loaded with the first image

        with Image.open(io.BytesIO(self.content)) as opened:
            return ImageOps.exif_transpose(opened)


type InferenceModel = Callable[[Sequence[ModelInput]], Sequence[Any]]
"""Takes a batch, and returns a result for each input, in their order. A result that is an exception fails its input."""


@runtime_checkable
class PreparingModel(Protocol):
    """A model that can prepare inputs, such as decode images, while it is at work on others."""

    def prepare(self, asked: ModelInput) -> Any:  # noqa: ANN401  # what it is, only the model knows
        """Return an input as `answer` takes it; called by several threads at a time. What it raises fails the input."""
        ...

    def answer(self, prepared: Sequence[Any]) -> Sequence[Any]:
        """Return a result for each prepared input, in their order. A result that is an exception fails its input."""
        ...


@runtime_checkable
class CheckingModel(Protocol):
    """A model that knows its classes."""

    def check_classes(self, known: Sequence[str], params: dict[str, Any]) -> None:
        """Raise ConfigurationError if it may find a class that is not among the known ones, of which there are some."""
        ...

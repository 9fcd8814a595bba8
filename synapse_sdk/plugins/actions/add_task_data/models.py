"""Models that annotate: what they are called with, and how they are found."""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

from synapse_sdk.errors import ConfigurationError
from synapse_sdk.extensions import ExtensionPoint

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["MODELS", "InferenceModel", "ModelInput", "find_model"]

MODELS = ExtensionPoint[Any]("model", "synapse.models", {})
"""Models that packages offer, as entry points in the group `synapse.models`."""


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
"""Takes a batch, and returns a result for each input, in their order."""


def find_model(name: str) -> InferenceModel:
    """Return a model by its entry point, or by `module:attribute`; nothing is unpickled.

    Raises:
        ConfigurationError: There is none, or it cannot be called.
    """
    module, colon, attribute = name.partition(":")
    found = _imported(name, module, attribute) if colon else MODELS.load(name)
    if not callable(found):
        msg = f"The model {name!r} is {type(found).__name__}, which cannot be called"
        raise ConfigurationError(msg, fix="Name a function that takes a list of inputs and returns a list of results")
    return found  # type: ignore[no-any-return]  # what it takes and returns is seen when it is called


def _imported(name: str, module: str, attribute: str) -> Any:  # noqa: ANN401  # whatever is there
    try:
        found = import_module(module)
        for part in attribute.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError, ValueError) as error:
        msg = f"The model {name!r} cannot be imported"
        fix = "Name it as module:attribute, of a module that can be imported from here (PYTHONPATH)"
        raise ConfigurationError(msg, why=str(error), fix=fix) from error
    return found

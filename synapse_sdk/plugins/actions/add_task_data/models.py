"""Models that annotate, found by what names them."""

import os
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synapse_sdk.errors import ConfigurationError, RecordNotFoundError
from synapse_sdk.extensions import ExtensionPoint
from synapse_sdk.inference import InferenceModel
from synapse_sdk.storage.open import scheme_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from synapse_sdk.backend import Backend
    from synapse_sdk.plugins.actions.add_task_data.model_content import ModelContent

__all__ = ["MODELS", "FoundModel", "find_model", "is_path"]

MODELS = ExtensionPoint[Any]("model", "synapse.models", {})
"""Models that packages offer, as entry points in the group `synapse.models`."""
WAYS = (
    "a file or storage URL (model.onnx), a registered model (NAME@VERSION), a service (https://...), an entry point, "
    "or module:attribute"
)


@dataclass(frozen=True, slots=True)
class FoundModel:
    """A model, and by what the same is found again."""

    model: InferenceModel = field(repr=False)
    reference: str
    """The id of a registered one, else what it was named by."""
    digest: str = ""
    """SHA-256 of its file; empty for one that has none."""


def find_model(name: str, backend: "Callable[[], Backend]") -> FoundModel:
    """Return a model. Nothing is unpickled.

    Args:
        name: The first of these that it looks like: the URL of a service (`http://`, `https://`); a storage URL, or a
            path, of an ONNX file; the id of a registered model, or `NAME@VERSION`; `module:attribute`; an entry point;
            the `NAME` of a registered model, for its newest version.
        backend: Returns where models are registered.

    Raises:
        ConfigurationError: There is none, or it cannot be called.
        InvalidModelError: It is none that could be used.
        RecordNotFoundError: None is registered under this name.
        StorageError: Its file cannot be had.
        ModelServiceError, UnsafeUrlError: The service cannot be asked.
    """
    if scheme_of(name) in {"http", "https"}:
        return FoundModel(_service(name), name)
    if not scheme_of(name) and not is_path(name) and "@" not in name and (":" in name or name in MODELS):
        return FoundModel(_callable(name, _loaded(name)), name)
    return _opened(_content(name, backend))


def _content(name: str, backend: "Callable[[], Backend]") -> "ModelContent":
    from synapse_sdk.plugins.actions.add_task_data import model_content  # noqa: PLC0415  # others need none of it

    if scheme_of(name):
        return model_content.from_storage(name)
    if is_path(name):
        return model_content.from_path(Path(name))
    try:
        return model_content.from_registry(backend(), name)
    except RecordNotFoundError as error:
        if name.isdecimal() or "@" in name:
            raise
        msg = f"There is no model {name!r}"
        raise ConfigurationError(msg, why=str(error), fix=f"Name {WAYS}") from error


def is_path(name: str) -> bool:
    """Whether a model is named by the path of its file: it ends in `.onnx`, has folders, or a file is called so."""
    return name.endswith(".onnx") or os.sep in name or ("." in name and Path(name).is_file())


def _service(url: str) -> InferenceModel:
    from synapse_sdk.inference import ServiceModel  # noqa: PLC0415  # loads httpcore

    return ServiceModel(url)


def _opened(found: "ModelContent") -> FoundModel:
    from synapse_sdk.inference import open_onnx  # noqa: PLC0415  # loads numpy

    return FoundModel(open_onnx(found.content, found.name, found.beside), found.reference, found.digest)


def _callable(name: str, found: Any) -> InferenceModel:  # noqa: ANN401  # whatever is there
    if not callable(found):
        msg = f"The model {name!r} is {type(found).__name__}, which cannot be called"
        raise ConfigurationError(msg, fix="Name a function that takes a list of inputs and returns a list of results")
    return found  # type: ignore[no-any-return]  # what it takes and returns is seen when it is called


def _loaded(name: str) -> Any:  # noqa: ANN401  # whatever is there
    module, colon, attribute = name.partition(":")
    if not colon:
        return MODELS.load(name)
    try:
        found = import_module(module)
        for part in attribute.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError, ValueError) as error:
        msg = f"The model {name!r} cannot be imported"
        fix = "Name it as module:attribute, of a module that can be imported from here (PYTHONPATH)"
        raise ConfigurationError(msg, why=str(error), fix=fix) from error
    return found

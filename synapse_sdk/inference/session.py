"""Running an ONNX model: its session in onnxruntime, and what goes in and comes out.

This is the only place that imports onnxruntime, once a model is opened.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from synapse_sdk.errors import ConfigurationError, InvalidModelError

__all__ = ["Array", "OnnxSession", "Port"]

type Array = npt.NDArray[Any]

PROVIDERS = ("CUDAExecutionProvider", "CPUExecutionProvider")
"""What models run on, if the installed onnxruntime has it."""
ERRORS_ONLY = 3
DTYPES: dict[str, type[np.generic]] = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(uint8)": np.uint8,
}
"""Types of inputs that an image can be, by the names that onnxruntime has for them."""


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output of a model."""

    name: str
    dtype: str
    """As onnxruntime says it: `tensor(float)`."""
    shape: tuple[int | None, ...]
    """None for a dimension that is not fixed."""

    def __str__(self) -> str:
        dimensions = ", ".join("?" if each is None else str(each) for each in self.shape)
        return f"{self.name!r} {self.dtype} ({dimensions})"


class OnnxSession:
    """A model, loaded.

    Args:
        content: The ONNX file, checked.
        name: Of the model, for errors.

    Raises:
        ConfigurationError: onnxruntime is not installed.
        InvalidModelError: It cannot load the model.
    """

    def __init__(self, content: bytes, name: str) -> None:
        runtime = _runtime()
        options = runtime.SessionOptions()
        options.log_severity_level = ERRORS_ONLY
        has = runtime.get_available_providers()
        providers = [each for each in PROVIDERS if each in has]
        try:
            self._session = runtime.InferenceSession(content, options, providers=providers)
        except Exception as error:  # its exceptions have no common base
            msg = f"The model {name!r} cannot be loaded"
            fix = "See whether it is a whole ONNX file, of a version that the installed onnxruntime knows"
            raise InvalidModelError(msg, why=_first_line(error), fix=fix) from error
        self.inputs = [_port(each) for each in self._session.get_inputs()]
        self.outputs = [_port(each) for each in self._session.get_outputs()]
        self.metadata: dict[str, str] = dict(self._session.get_modelmeta().custom_metadata_map)

    def run(self, value: Array) -> Sequence[Array]:
        """Return what the model makes of a batch. What onnxruntime raises is passed on."""
        found: Sequence[Array] = self._session.run(None, {self.inputs[0].name: value})
        return found


def _runtime() -> Any:  # noqa: ANN401  # an optional package
    try:
        import onnxruntime  # type: ignore[import-untyped]  # noqa: PLC0415  # an optional package without types
    except ImportError as error:
        msg = "Models in ONNX files need onnxruntime, which is not installed"
        raise ConfigurationError(msg, why=str(error), fix="Install it: pip install 'synapse-sdk[onnx]'") from error
    return onnxruntime


def _port(found: Any) -> Port:  # noqa: ANN401  # of onnxruntime
    shape = tuple(each if isinstance(each, int) and each > 0 else None for each in found.shape)
    return Port(found.name, found.type, shape)


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]

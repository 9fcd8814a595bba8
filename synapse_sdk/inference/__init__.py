"""Models that annotate images: files in ONNX, and services that are asked by HTTP."""

from typing import TYPE_CHECKING

from synapse_sdk.lazy import lazy_exports

if TYPE_CHECKING:
    from synapse_sdk.inference.description import ModelDescription
    from synapse_sdk.inference.inputs import CheckingModel, InferenceModel, ModelInput, PreparingModel
    from synapse_sdk.inference.onnx_model import OnnxModel, open_onnx
    from synapse_sdk.inference.service_model import ServiceModel

__all__ = [
    "CheckingModel",
    "InferenceModel",
    "ModelDescription",
    "ModelInput",
    "OnnxModel",
    "PreparingModel",
    "ServiceModel",
    "open_onnx",
]

HOMES = {
    "description": ("ModelDescription",),
    "inputs": ("CheckingModel", "InferenceModel", "ModelInput", "PreparingModel"),
    "onnx_model": ("OnnxModel", "open_onnx"),
    "service_model": ("ServiceModel",),
}
"""Modules, and what they define."""

__getattr__ = lazy_exports(
    __name__, {name: f"{__name__}.{module}" for module, names in HOMES.items() for name in names}
)

"""The network as an ONNX file, which says itself what it does: `AddTaskDataAction` annotates with it."""

import json
from pathlib import Path

from digits.network import Network
from synapse_sdk.errors import ConfigurationError

__all__ = ["check_onnx", "write_onnx"]

OPSET, IR_VERSION = 17, 8
"""Old enough for every onnxruntime that the package works with."""


def check_onnx() -> None:
    """Check that ONNX files can be written.

    Raises:
        ConfigurationError: The package `onnx` is not installed.
    """
    try:
        import onnx  # noqa: F401, PLC0415  # an optional package
    except ImportError as error:
        msg = "Writing the network as an ONNX file needs the package onnx, which is not installed"
        raise ConfigurationError(msg, fix="pip install onnx, or go without: --set onnx=false") from error


def write_onnx(path: Path, network: Network, classes: tuple[str, ...], side: int) -> None:
    """Write a network as an ONNX file: grey images of 8 bits in, probabilities of the classes out."""
    from onnx import TensorProto, helper, numpy_helper, save  # noqa: PLC0415  # as above

    layers = ("first", "first_bias", "second", "second_bias")
    graph = helper.make_graph(
        [
            helper.make_node("Flatten", ["images"], ["pixels"]),
            helper.make_node("Gemm", ["pixels", "first", "first_bias"], ["sums"]),
            helper.make_node("Relu", ["sums"], ["hidden"]),
            helper.make_node("Gemm", ["hidden", "second", "second_bias"], ["scores"]),
            helper.make_node("Softmax", ["scores"], ["probabilities"], axis=1),
        ],
        "digits",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["batch", 1, side, side])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", len(classes)])],
        [numpy_helper.from_array(array, name) for name, array in zip(layers, network.weights, strict=True)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    described = {"task": "classify", "classes": classes, "input": {"channels": "grey", "resize": "stretch"}}
    helper.set_model_props(model, {"synapse": json.dumps(described)})
    save(model, path)

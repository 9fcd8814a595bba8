"""ONNX models, made by hand: some that see something, and some that return what they are told to."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

__all__ = ["BRIGHTEST", "bright_box", "constant", "failing_if_bright", "identity", "model_of", "names_of", "node"]

BRIGHTEST = 0.97
"""Mean of an input from which on models here return NaN."""
OPSET, IR_VERSION = 17, 8

node = helper.make_node


def model_of(
    nodes: Sequence[onnx.NodeProto],
    shape: Sequence[int | str],
    outputs: Mapping[str, Sequence[int | str]],
    *,
    constants: Mapping[str, Any] | None = None,
    metadata: Mapping[str, str] | None = None,
    dtype: int = TensorProto.FLOAT,
) -> bytes:
    """Return a model with one input `images`, as a file has it."""
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info("images", dtype, shape)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, each) for name, each in outputs.items()],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in (constants or {}).items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    helper.set_model_props(model, dict(metadata or {}))
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString()
    return content


def bright_box(
    *, size: int = 64, batch: int | str = "batch", metadata: Mapping[str, str] | None = None, score: float = 0.9
) -> bytes:
    """Return a detector, as YOLOv8 is exported, that finds the brightest rectangle of an image: class 0 of two."""
    constants = {
        "zero": np.array(0, np.int64),
        "half": np.float32(0.5),
        "one": np.float32(1),
        "columns": np.array([2], np.int64),
        "limit": np.float32(BRIGHTEST),
        "nothing": np.float32(0),
        "scores": np.array([[score, 0.1]], np.float32),
    }
    nodes = [
        node("Gather", ["images", "zero"], ["red"], axis=1),
        node("Greater", ["red", "half"], ["is_bright"]),
        node("Cast", ["is_bright"], ["bright"], to=TensorProto.FLOAT),
        node("ReduceMax", ["bright"], ["across"], axes=[1], keepdims=0),
        node("ReduceMax", ["bright"], ["down"], axes=[2], keepdims=0),
    ]
    for name, of in (("x", "across"), ("y", "down")):
        nodes += [
            node("ArgMax", [of], [f"{name}_first"], axis=1, keepdims=1, select_last_index=0),
            node("ArgMax", [of], [f"{name}_last"], axis=1, keepdims=1, select_last_index=1),
            node("Cast", [f"{name}_first"], [f"{name}1"], to=TensorProto.FLOAT),
            node("Cast", [f"{name}_last"], [f"{name}_end"], to=TensorProto.FLOAT),
            node("Add", [f"{name}_end", "one"], [f"{name}2"]),
            node("Add", [f"{name}1", f"{name}2"], [f"{name}_sum"]),
            node("Mul", [f"{name}_sum", "half"], [f"{name}_centre"]),
            node("Sub", [f"{name}2", f"{name}1"], [f"{name}_size"]),
        ]
    nodes += [
        *nan_if_bright(),
        node("Flatten", ["poison"], ["flat_poison"]),
        node("Add", ["scores", "flat_poison"], ["own_scores"]),
        node("Concat", ["x_centre", "y_centre", "x_size", "y_size", "own_scores"], ["flat"], axis=1),
        node("Unsqueeze", ["flat", "columns"], ["output0"]),
    ]
    return model_of(nodes, [batch, 3, size, size], {"output0": [batch, 6, 1]}, constants=constants, metadata=metadata)


def constant(
    outputs: Sequence[Any], *, size: int = 64, batch: int | str = "batch", metadata: Mapping[str, str] | None = None
) -> bytes:
    """Return a model that returns the same for every image, unless that is white: then NaN.

    Args:
        outputs: For one image, without the dimension of the batch.
        size: Width and height of its input.
        batch: Images that it takes at a time; a name for any.
        metadata: Of the file.
    """
    constants: dict[str, Any] = {"limit": np.float32(BRIGHTEST), "nothing": np.float32(0)}
    nodes = [*nan_if_bright()]
    shapes: dict[str, Sequence[int | str]] = {}
    for number, output in enumerate(outputs):
        value = np.asarray(output, np.float32)
        constants[f"value{number}"] = value[np.newaxis]
        constants[f"shape{number}"] = np.array([-1, *[1] * value.ndim], np.int64)
        nodes += [
            node("Reshape", ["poison", f"shape{number}"], [f"poison{number}"]),
            node("Add", [f"value{number}", f"poison{number}"], [f"output{number}"]),
        ]
        shapes[f"output{number}"] = [batch, *value.shape]
    return model_of(nodes, [batch, 3, size, size], shapes, constants=constants, metadata=metadata)


def failing_if_bright() -> bytes:
    """Return a classifier with two classes that fails for a whole batch if one of its images is almost white."""
    nodes = [
        node("ReduceMean", ["images"], ["mean"], axes=[1, 2, 3], keepdims=0),
        node("Greater", ["mean", "limit"], ["is_bright"]),
        node("Cast", ["is_bright"], ["number"], to=TensorProto.INT64),
        node("Gather", ["scores", "number"], ["output0"], axis=0),  # there is one row only
    ]
    constants = {"limit": np.float32(BRIGHTEST), "scores": np.array([[0.25, 0.75]], np.float32)}
    return model_of(
        nodes,
        ["batch", 3, 64, 64],
        {"output0": ["batch", 2]},
        constants=constants,
        metadata=names_of("cat", "dog", task="classify"),
    )


def nan_if_bright() -> list[onnx.NodeProto]:
    """Return nodes that make `poison`: 0 for every image, and NaN for one that is almost white."""
    return [
        node("ReduceMean", ["images"], ["mean"], axes=[1, 2, 3], keepdims=1),
        node("Sub", ["limit", "mean"], ["darkness"]),
        node("Sqrt", ["darkness"], ["root"]),
        node("Mul", ["root", "nothing"], ["poison"]),
    ]


def identity(shape: Sequence[int | str], dtype: int = TensorProto.FLOAT) -> bytes:
    """Return a model that returns what it takes."""
    return model_of(
        [node("Cast", ["images"], ["output0"], to=TensorProto.FLOAT)], shape, {"output0": shape}, dtype=dtype
    )


def names_of(*names: str, task: str | None = "detect", **more: str) -> dict[str, str]:
    """Return the metadata that Ultralytics writes."""
    told = {"names": repr(dict(enumerate(names))), "stride": "32", "imgsz": "[64, 64]", **more}
    return told if task is None else {**told, "task": task}

"""Finding the description of a model: in its own metadata, as exporters write them, and beside it."""

import ast
import json
from collections.abc import Mapping
from typing import Any

from synapse_sdk.errors import InvalidModelError
from synapse_sdk.inference.description import ModelDescription

__all__ = ["KEY", "describe"]

KEY = "synapse"
"""The key of a model's metadata that has its description, as JSON."""
MOST_CHARACTERS = 1_000_000
TASKS = ("classify", "detect", "segment")


def describe(name: str, metadata: Mapping[str, str], beside: Mapping[str, Any] | None) -> ModelDescription:
    """Return the description of a model. Each field is what the first of these says that has it:

    1. what is written beside the model: `FILE.onnx.json`, or what is registered with it under `inference`;
    2. the key `synapse` of its metadata, as JSON;
    3. what Ultralytics writes into the metadata of its models: `task`, `names`, `imgsz`, `args`.

    Fields of `input` count one by one.

    Args:
        name: Of the model, for errors.
        metadata: Of the ONNX file.
        beside: What is written beside it, if anything is.

    Raises:
        InvalidModelError: Nothing says what the model does, or something makes no sense.
    """  # noqa: D415  # a list follows
    found: dict[str, Any] = {}
    for source in (_of_ultralytics(name, metadata), _of_key(name, metadata), dict(beside or {})):
        inputs = {**found.get("input", {}), **(given if isinstance(given := source.get("input"), dict) else {})}
        found = {**found, **source, **({"input": inputs} if inputs else {})}
    return ModelDescription.of(found, name)


def _of_key(name: str, metadata: Mapping[str, str]) -> dict[str, Any]:
    if KEY not in metadata:
        return {}
    try:
        found = json.loads(metadata[KEY][:MOST_CHARACTERS])
    except (ValueError, RecursionError) as error:
        msg = f"The metadata {KEY!r} of the model {name!r} are no JSON"
        raise InvalidModelError(msg, why=str(error), fix="Write a description as a JSON object there") from error
    if not isinstance(found, dict):
        msg = f"The metadata {KEY!r} of the model {name!r} are no JSON object"
        raise InvalidModelError(msg, fix="Write a description as a JSON object there")
    return found


def _of_ultralytics(name: str, metadata: Mapping[str, str]) -> dict[str, Any]:
    """Return what its exporter says: texts as Python writes its literals, which are read without running anything."""
    told = {key: _literal(metadata.get(key, "")) for key in ("names", "imgsz", "args", "end2end", "channels")}
    found: dict[str, Any] = {}
    if isinstance(told["names"], dict | list):
        found["classes"] = told["names"]
        found["task"] = "detect"  # YOLOv5 tells names only
    task = metadata.get("task")
    if task is not None and "classes" in found:
        if task not in TASKS:
            msg = f"The model {name!r} is made for the task {task!r}"
            raise InvalidModelError(msg, fix=f"Use a model for one of: {', '.join(TASKS)}")
        found["task"] = task
    if not found:
        return {}
    inputs: dict[str, Any] = {}
    if isinstance(told["imgsz"], list) and len(told["imgsz"]) == 2:  # noqa: PLR2004  # height and width
        inputs["size"] = told["imgsz"][::-1]
    if task == "classify":
        inputs["resize"] = "crop"
    if told["channels"] == 1:
        inputs["channels"] = "grey"
    args = told["args"]
    if told["end2end"] is True or (isinstance(args, dict) and args.get("nms") is True):
        found["head"] = "end_to_end"
    return {**found, **({"input": inputs} if inputs else {})}


def _literal(text: str) -> object:
    """Return the value of a Python literal; None if it is none."""
    try:
        return ast.literal_eval(text) if 0 < len(text) <= MOST_CHARACTERS else None
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None

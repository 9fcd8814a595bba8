"""What is in an ONNX file, seen before a runtime gets it: whether it is one, and whether it is all of the model.

ONNX files are messages of protocol buffers: fields with a number and a kind, of which some hold messages again. The
numbers are those of `onnx.proto3` (ModelProto, GraphProto, NodeProto, AttributeProto, TensorProto).
"""

from collections.abc import Iterator

from synapse_sdk.errors import InvalidModelError

__all__ = ["check_onnx"]

PICKLES = {
    b"\x80": "a pickle",
    b"PK": "a ZIP archive, as PyTorch (.pt) and numpy (.npz) write them",
    b"\x93NUMPY": "an array of numpy",
    b"\x89HDF": "HDF5, as Keras writes it",
}
"""How files of other kinds begin, and what they are."""
FIX = "Export the model to ONNX; files that may have pickled objects in them are never opened"

GRAPH, FUNCTIONS, TRAINING = 7, 25, 20
PATHS: dict[str, dict[int, str]] = {
    "model": {GRAPH: "graph", FUNCTIONS: "function", TRAINING: "training"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 11: "attribute"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
}
"""By kind of message: the fields that lead to tensors."""
EXTERNAL_DATA, DATA_LOCATION = 13, 14
"""The fields of a tensor that say where its numbers are, if that is another file."""
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
"""Kinds of fields."""
MOST_DEPTH = 64
MOST_VARINT = 10
"""Bytes of a number."""


class _MalformedError(Exception):
    """It is no such message."""


def check_onnx(content: bytes, name: str) -> None:
    """Check that a file is an ONNX model, with all of its weights in it.

    Takes time in proportion to the number of its nodes and tensors; numbers are not looked at.

    Args:
        content: Of the file.
        name: For errors.

    Raises:
        InvalidModelError: It is something else, or has weights in other files.
    """
    for magic, kind in PICKLES.items():
        if content.startswith(magic):
            msg = f"The model {name!r} is no ONNX file"
            raise InvalidModelError(msg, why=f"it is {kind}", fix=FIX)
    try:
        has_graph = any(number == GRAPH for number, *_ in _fields(memoryview(content)))
        outside = has_graph and _is_outside(memoryview(content), "model", 0)
    except _MalformedError as error:
        msg = f"The model {name!r} is no ONNX file, or is damaged"
        raise InvalidModelError(msg, why=str(error), fix=FIX) from error
    if not has_graph:
        msg = f"The model {name!r} is no ONNX file"
        raise InvalidModelError(msg, why="there is no graph in it", fix=FIX)
    if outside:
        msg = f"The model {name!r} has weights in other files"
        raise InvalidModelError(msg, fix="Export it as one file: onnx.save(model, path, save_as_external_data=False)")


def _is_outside(message: memoryview, kind: str, depth: int) -> bool:
    """Whether a message has a tensor whose numbers are in another file."""
    if depth > MOST_DEPTH:
        msg = f"messages are more than {MOST_DEPTH} deep"
        raise _MalformedError(msg)
    if kind == "tensor":
        return any(
            number == EXTERNAL_DATA or (number == DATA_LOCATION and value != 0) for number, _, value in _fields(message)
        )
    inner = PATHS[kind]
    return any(
        _is_outside(value, inner[number], depth + 1)
        for number, _, value in _fields(message)
        if number in inner and isinstance(value, memoryview)
    )


def _fields(message: memoryview) -> Iterator[tuple[int, int, "memoryview | int"]]:
    """Yield the fields of a message: number, kind, and value."""
    at, end = 0, len(message)
    while at < end:
        key, at = _varint(message, at)
        number, kind = key >> 3, key & 7
        value: memoryview | int
        if kind == VARINT:
            value, at = _varint(message, at)
        elif kind in {BYTES, FIXED64, FIXED32}:
            size = {FIXED64: 8, FIXED32: 4}.get(kind)
            if size is None:
                size, at = _varint(message, at)
            value, at = message[at : at + size], at + size
        else:
            msg = f"field {number} is of the unknown kind {kind}"
            raise _MalformedError(msg)
        if at > end or number == 0:
            msg = f"field {number} ends behind the end of its message"
            raise _MalformedError(msg)
        yield number, kind, value


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for shift, byte in enumerate(message[at : at + MOST_VARINT]):
        value |= (byte & 0x7F) << (7 * shift)
        if byte < 0x80:  # noqa: PLR2004  # the highest bit says that there is more
            return value, at + shift + 1
    msg = "it ends in the middle of a number"
    raise _MalformedError(msg)

"""What processes that write one dataset say to each other: MessagePack, each message with its length before it."""

import struct
from collections.abc import Iterator
from dataclasses import fields
from typing import Any, BinaryIO

import msgspec
from msgspec import Struct, field

from synapse_sdk.formats.base import FormatOptions
from synapse_sdk.formats.losses import Held
from synapse_sdk.formats.model import (
    Annotation,
    ClassSpec,
    DatasetInfo,
    Item,
    Mask,
    Polygon,
    Polyline,
    Relation,
    RotatedBox,
    Verbatim,
)

__all__ = [
    "Answer",
    "Failure",
    "OneProcessError",
    "SentInfo",
    "SentItem",
    "Task",
    "decode_item",
    "encode",
    "messages",
    "options_of",
    "read",
    "write",
]

LENGTH = struct.Struct("<I")


class OneProcessError(Exception):
    """There is an item that several processes cannot write as one would: all has to be done anew by one."""


class Task(Struct, frozen=True):
    """What a process is to write, and how."""

    format: str
    folder: str
    info: Any
    """Of the dataset; read as `SentInfo`."""
    options: dict[str, Any]


class Failure(Struct, frozen=True):
    """Why a process could not go on: an error of this package, of the system, or one that nobody expected."""

    name: str
    """The class of the error."""
    message: str
    why: str | None = None
    fix: str | None = None
    where: dict[str, Any] = field(default_factory=dict)
    number: int | None = None
    """The number of the system for it."""
    path: str | None = None


class Answer(Struct, frozen=True):
    """What a process says about the items of one message; with the last one, what it has written."""

    told: list[list[Held]] = field(default_factory=list)
    """What the log of the process was told, for each item in their order; reasons are copies."""
    written: list[tuple[str, str, int]] = field(default_factory=list)
    """Class, tool and how often."""
    failure: Failure | None = None
    """What came of the item behind those of `told`."""


# The model as it is received: JSON stays whatever it is.


class SentVerbatim(Verbatim, frozen=True, gc=False, tag="Verbatim"):
    """Something that only its own format understands."""

    data: Any


class SentAnnotation(Annotation, frozen=True, gc=False, kw_only=True):
    """An annotation."""

    shape: RotatedBox | Polygon | Polyline | Mask | Relation | SentVerbatim | None = None
    attributes: Any = field(default_factory=dict)


class SentItem(Item, gc=False, kw_only=True):
    """An item."""

    annotations: list[SentAnnotation] = field(default_factory=list)  # type: ignore[assignment]  # nobody adds others
    notes: Any = field(default_factory=dict)


class SentInfo(DatasetInfo, frozen=True, kw_only=True):
    """What is known of the dataset."""

    classes: tuple[ClassSpec, ...]
    notes: Any = field(default_factory=dict)


def encode(message: object) -> bytes:
    """Return a message as bytes.

    Raises:
        OneProcessError: A name in it is no Unicode, a number has more than 64 bits, or it has something else than the
            model of a dataset, such as numbers of numpy.
    """
    try:
        return _ENCODER.encode(message)
    except (UnicodeEncodeError, OverflowError, TypeError) as error:
        raise OneProcessError from error


def decode_item(data: bytes | msgspec.Raw) -> SentItem:
    """Return an item that was sent.

    Raises:
        OneProcessError: It is not what the model says, such as a width that is no whole number.
    """
    try:
        return _ITEM.decode(data)
    except msgspec.ValidationError as error:
        raise OneProcessError from error


def options_of(options: FormatOptions) -> dict[str, Any]:
    """Return what was chosen about reading and writing, to be sent."""
    return {each.name: getattr(options, each.name) for each in fields(FormatOptions)}


def write(stream: BinaryIO, data: bytes) -> None:
    """Send a message."""
    stream.write(LENGTH.pack(len(data)))
    stream.write(data)
    stream.flush()


def read(stream: BinaryIO) -> bytes | None:
    """Return the next message; None if there are no more.

    Raises:
        EOFError: It ends in the middle of one.
    """
    head = stream.read(LENGTH.size)
    if not head:
        return None
    size = LENGTH.unpack(head)[0] if len(head) == LENGTH.size else -1
    data = stream.read(size) if size >= 0 else b""
    if len(data) != size:
        msg = "a message ends in the middle"
        raise EOFError(msg)
    return data


def messages(stream: BinaryIO) -> Iterator[bytes]:
    """Yield messages until there are no more."""
    while (data := read(stream)) is not None:
        yield data


_ENCODER = msgspec.msgpack.Encoder()
_ITEM = msgspec.msgpack.Decoder(SentItem)

"""What processes that convert one dataset say to each other: MessagePack, each message with its length before it."""

import struct
from dataclasses import fields, replace
from fractions import Fraction
from typing import Any, BinaryIO

import msgspec
from msgspec import Struct, field

from synapse_sdk.formats.flow import ConversionOptions
from synapse_sdk.formats.losses import LossCounts
from synapse_sdk.formats.portions import OneProcessError
from synapse_sdk.formats.processes.numbered_portion import Page
from synapse_sdk.formats.report import Tally

__all__ = [
    "Failure",
    "Known",
    "Notice",
    "Task",
    "read",
    "read_block",
    "read_options",
    "sent_options",
    "write",
    "write_block",
]

LENGTH = struct.Struct("<I")


class Task(Struct, frozen=True, kw_only=True):
    """What a process is to convert, and how."""

    sources: list[str]
    source_format: str | None
    target_format: str
    options: dict[str, Any]
    folder: str
    stretch: tuple[float, float] | None
    """Where the stretch of the sources begins and ends that it is to survey, see `Reader.survey`; None for none."""
    number: int
    count: int
    first: int
    """See `NumberedPortion.divide`."""


class Known(Struct, frozen=True, kw_only=True):
    """What is known of the sources before items are converted; what was found in them follows, see `write_block`."""

    parts: list[tuple[str, str, str]] | None
    """Split, name and new split of each item."""


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


class Notice(Struct, frozen=True, kw_only=True):
    """How far a process has come."""

    position: int
    """Of the last item about which all has been said; with a failure, of the item that could not be converted."""
    items: int
    """How many of its own have gone through so far."""
    pages: list[Page]
    """What was taken down about items since the last message."""
    survey: bytes = b""
    """With the first message, if it was to survey a stretch of the sources: what was found there."""
    tally: Tally | None = None
    """With the last message."""
    losses: LossCounts | None = None
    """The same."""
    failure: Failure | None = None


def sent_options(options: ConversionOptions) -> dict[str, Any]:
    """Return options as they are sent."""
    chosen = {each.name: getattr(options, each.name) for each in fields(options)}
    ratios = None if options.ratios is None else {split: str(ratio) for split, ratio in options.ratios.items()}
    return chosen | {"ratios": ratios}


def read_options(sent: dict[str, Any]) -> ConversionOptions:
    """Return options that were sent."""
    ratios = sent["ratios"]
    if ratios is not None:
        ratios = {split: Fraction(ratio) for split, ratio in ratios.items()}
    return replace(msgspec.convert(sent | {"ratios": None}, ConversionOptions, strict=False), ratios=ratios)


def write(stream: BinaryIO, message: Struct) -> None:
    """Send a message.

    Raises:
        OneProcessError: A name in it is no Unicode, or a number has more than 64 bits.
    """
    try:
        data = _ENCODER.encode(message)
    except (UnicodeEncodeError, OverflowError, TypeError) as error:
        raise OneProcessError from error
    write_block(stream, data)


def write_block(stream: BinaryIO, data: bytes) -> None:
    """Send bytes as they are, with their length before them."""
    stream.write(LENGTH.pack(len(data)))
    stream.write(data)
    stream.flush()


def read[M: Struct](stream: BinaryIO, kind: type[M]) -> M | None:
    """Return the next message; None if there are no more, or the next one ends in the middle."""
    data = read_block(stream)
    return None if data is None else msgspec.msgpack.decode(data, type=kind)


def read_block(stream: BinaryIO) -> bytes | None:
    """Return the next bytes that were sent together; None as `read` does."""
    head = _exactly(stream, LENGTH.size)
    return None if head is None else _exactly(stream, LENGTH.unpack(head)[0])


def _exactly(stream: BinaryIO, size: int) -> bytes | None:
    """Return the next bytes, as many as these; None if there are less."""
    parts = []
    while size and (part := stream.read(size)):
        parts.append(part)
        size -= len(part)
    return None if size else b"".join(parts)


_ENCODER = msgspec.msgpack.Encoder()

"""Any value as one line of JSON: what JSON cannot hold is represented, nothing raises."""

import json
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time
from enum import Enum
from math import isfinite, isnan
from numbers import Integral, Real
from typing import Any

from synapse_sdk.reporting.text import as_text
from synapse_sdk.types import JsonValue

__all__ = ["json_line"]

DEEPEST = 50
"""Levels of nesting that are followed; a cycle ends there, too."""
MOST_BYTES = 1_000
"""Bytes of one binary value that are kept."""


def json_line(record: Mapping[str, Any]) -> str:
    r"""Return the record as one line of ASCII JSON (RFC 8259) with a newline.

    Paths, dates (ISO 8601), enums, sets (sorted), bytes (as text, undecodable ones as `\xff`), dataclasses and numbers
    of other libraries become what comes closest; NaN and the infinities become the strings `NaN`, `Infinity` and
    `-Infinity`, because a figure that is not a number says something that null does not; anything else becomes
    `str(value)`. Lone surrogates are escaped.

    Example:
        >>> json_line({"loss": float("nan"), "tags": {"b", "a"}})
        '{"loss": "NaN", "tags": ["a", "b"]}\n'
    """
    try:
        line = json.dumps(record, allow_nan=False)
    except Exception:  # noqa: BLE001  # a value JSON cannot hold, of any kind: take the way that represents it
        line = json.dumps(as_json(record), allow_nan=False)
    return line + "\n"


def as_json(value: object, depth: int = 0) -> JsonValue:
    """Return the JSON value that comes closest."""
    if value is None or isinstance(value, bool | str):
        return value
    try:
        return as_number(value) if isinstance(value, Real) else as_structure(value, depth)
    except Exception:  # noqa: BLE001  # an object that breaks when it is looked at
        return as_text(value)


def as_number(value: Real) -> JsonValue:
    """Return an int or a float, or the name of what is neither."""
    if isinstance(value, Integral):
        int(value).__str__()  # an int of more than 4,300 digits raises here and not in the encoder
        return int(value)
    number = float(value)
    if isfinite(number):
        return number
    return "NaN" if isnan(number) else "Infinity" if number > 0 else "-Infinity"


def as_structure(value: object, depth: int) -> JsonValue:
    """Return containers as containers, and single values as text."""
    if depth >= DEEPEST:
        return f"<{type(value).__name__}>"
    if isinstance(value, Mapping):
        # list(): the run may be changing the very mapping that is written here
        return {key_text(key): as_json(item, depth + 1) for key, item in list(value.items())}
    if isinstance(value, AbstractSet):
        return sorted((as_json(item, depth + 1) for item in list(value)), key=as_text)
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray | memoryview | range):
        return [as_json(item, depth + 1) for item in list(value)]
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: as_json(getattr(value, field.name), depth + 1) for field in fields(value)}
    return as_json(value.value, depth + 1) if isinstance(value, Enum) else single_text(value)


def single_text(value: object) -> str:
    """Return what comes closest to a value that holds no others."""
    if isinstance(value, bytes | bytearray):
        return bytes_text(value)
    return value.isoformat() if isinstance(value, datetime | date | time) else as_text(value)


def bytes_text(value: bytes | bytearray) -> str:
    """Return bytes as text, the undecodable ones escaped; the end of a long value is only counted."""
    text = value[:MOST_BYTES].decode(errors="backslashreplace")
    return text if len(value) <= MOST_BYTES else f"{text}... ({len(value):,} bytes)"


def key_text(key: object) -> str:
    """Return a key as the standard encoder would, if it would, and else as text."""
    key = as_json(key, DEEPEST - 1)
    return key if isinstance(key, str) else json.dumps(key)

"""The few types that every layer shares."""

from collections.abc import Mapping, Sequence
from typing import NewType

__all__ = ["JobId", "JsonObject", "JsonValue"]

type JsonValue = str | int | float | bool | Sequence[JsonValue] | Mapping[str, JsonValue] | None
"""Anything a JSON document (RFC 8259) can hold."""

type JsonObject = Mapping[str, JsonValue]
"""A JSON object: text keys, JSON values."""

JobId = NewType("JobId", str)
"""Names one execution of an action in logs and reports."""

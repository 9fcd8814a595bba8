"""How values of ours are written into columns, in the same way on every database."""

import json
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Dialect, Text, TypeDecorator

from synapse_sdk.errors import ConfigurationError
from synapse_sdk.types import JsonValue

__all__ = ["Instant", "Json", "JsonText", "Word", "json_text"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class Instant(TypeDecorator[datetime]):
    """An aware instant, as microseconds since 1970."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Return what is written."""
        return None if value is None else (value - EPOCH) // MICROSECOND

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """Return what was meant."""
        return None if value is None else EPOCH + value * MICROSECOND


class JsonText(str):
    """A JSON document as it is written in a column: it travels from one to another without being read."""

    __slots__ = ()


def json_text(value: JsonValue) -> str:
    """Return a document as it is written in a column.

    Raises:
        ConfigurationError: It is not JSON.
    """
    if isinstance(value, JsonText):
        return value
    try:
        return json.dumps(value, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        msg = "A document cannot be kept, because it is not JSON"
        fix = "Use texts, finite numbers, true, false, null, lists and objects only"
        raise ConfigurationError(msg, why=str(error), fix=fix) from error


class Json(TypeDecorator[JsonValue]):
    """A JSON document, as text in plain ASCII: what was given comes back, in its order, odd characters and all."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: JsonValue, dialect: Dialect) -> str | None:
        """Return what is written; nothing for None. Raises as `json_text` does."""
        return None if value is None else json_text(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> JsonValue:
        """Return what was meant."""
        return None if value is None else json.loads(value)


class Word[T: StrEnum](TypeDecorator[T]):
    """One of some words, as text."""

    impl = Text
    cache_ok = True

    def __init__(self, words: type[T]) -> None:
        super().__init__()
        self.words = words

    def process_bind_param(self, value: T | None, dialect: Dialect) -> str | None:
        """Return what is written."""
        return None if value is None else str(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> T | None:  # noqa: ANN401  # the base's
        """Return what was meant."""
        return None if value is None else self.words(value)

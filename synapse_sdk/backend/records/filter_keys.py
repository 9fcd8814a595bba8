"""The keys of filters: what each may be in a document, and on a command line."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from synapse_sdk.errors import ConfigurationError
from synapse_sdk.extensions import one_of
from synapse_sdk.types import JsonObject, JsonValue

__all__ = ["FLAG", "ID", "IDS", "INSTANT", "TEXT", "Key", "WordKey", "document_of", "is_aware", "meanings_of"]

LONGEST = 100
"""Characters of a value that errors show."""
BIGGEST = 2**63 - 1
"""The biggest id that a database can have."""


class Key(ABC):
    """What the values under one key have in common."""

    wanted: str
    """What may be used, for whoever has used something else."""

    @abstractmethod
    def read(self, value: JsonValue) -> object:
        """Return what a value in a document means; raises ValueError if it means nothing."""

    def from_text(self, text: str) -> JsonValue:
        """Return the value in a document for a text on a command line; raises ValueError if it cannot be one."""
        return text


class _Text(Key):
    wanted = "text"

    def read(self, value: JsonValue) -> str:
        if isinstance(value, str):
            return value
        raise ValueError


class _Flag(Key):
    wanted = "true or false"

    def read(self, value: JsonValue) -> bool:
        if isinstance(value, bool):
            return value
        raise ValueError

    def from_text(self, text: str) -> JsonValue:
        return {"true": True, "false": False}.get(text.lower(), text)


class _Id(Key):
    wanted = "a whole number"

    def read(self, value: JsonValue) -> int:
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= BIGGEST:
            return value
        raise ValueError

    def from_text(self, text: str) -> JsonValue:
        return int(text) if text.isascii() and text.removeprefix("-").isdecimal() else text


class _Ids(_Id):
    wanted = "whole numbers"

    def read(self, value: JsonValue) -> tuple[int, ...]:  # type: ignore[override]  # many of what the base has one of
        items = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
        return tuple(super(_Ids, self).read(item) for item in items)

    def from_text(self, text: str) -> JsonValue:
        return [super(_Ids, self).from_text(part.strip()) for part in text.split(",")]


class _Instant(Key):
    wanted = "an instant with its offset from UTC, such as 2026-11-28T09:00:00Z or 2026-11-28T18:00+09:00"

    def read(self, value: JsonValue) -> datetime:
        if isinstance(value, str) and is_aware(instant := datetime.fromisoformat(value)):
            return instant
        raise ValueError


@dataclass(frozen=True)
class WordKey(Key):
    """A key whose values are some words."""

    words: type[StrEnum]

    @property
    def wanted(self) -> str:  # type: ignore[override]  # made of the words
        """The words."""
        return f"one of {', '.join(self.words)}"

    def read(self, value: JsonValue) -> StrEnum:
        """Return the word."""
        if isinstance(value, str):
            return self.words(value)
        raise ValueError


TEXT, FLAG, ID, IDS, INSTANT = _Text(), _Flag(), _Id(), _Ids(), _Instant()


def is_aware(instant: datetime) -> bool:
    """Whether an instant says how far it is from UTC."""
    return instant.utcoffset() is not None


def meanings_of(document: Mapping[str, JsonValue], keys: Mapping[str, Key]) -> dict[str, Any]:
    """Return what the values in a document mean, those that are null left out.

    Raises:
        ConfigurationError: It has an unknown key, or a value that does not fit.
    """
    found = {name: (_key(name, keys), value) for name, value in document.items()}
    return {name: _meaning(name, key, value) for name, (key, value) in found.items() if value is not None}


def document_of(texts: Iterable[str], keys: Mapping[str, Key]) -> JsonObject:
    """Return the document for texts `KEY=VALUE`.

    Raises:
        ConfigurationError: A text has no `=`, an unknown key or a value that does not fit, or a key that takes one
            value comes twice.
    """
    document = dict[str, Any]()
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            msg = f"The filter {_shortened(text)} has no value"
            raise ConfigurationError(msg, fix=f"Write it as KEY=VALUE. {one_of(name, keys)}")
        key = _key(name, keys)
        found = key.from_text(value)
        _meaning(name, key, found, given=value)
        if name not in document:
            document[name] = found
        elif isinstance(found, list):
            document[name] += found
        else:
            msg = f"The filter {name!r} is given twice"
            raise ConfigurationError(msg, fix="Leave one out", filter=name)
    return document


def _key(name: str, keys: Mapping[str, Key]) -> Key:
    if name not in keys:
        msg = f"There is no filter {_shortened(name)}"
        raise ConfigurationError(msg, fix=one_of(name, keys), filter=name)
    return keys[name]


def _meaning(name: str, key: Key, value: JsonValue, *, given: str | None = None) -> object:
    try:
        return key.read(value)
    except (ValueError, OverflowError) as error:
        msg = f"The filter {name!r} cannot be {_shortened(value if given is None else given)}"
        raise ConfigurationError(msg, fix=f"Use {key.wanted}", filter=name) from error


def _shortened(value: JsonValue) -> str:
    """Return a value as an error shows it, on one line."""
    text = repr(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}... ({len(text):,} characters)"

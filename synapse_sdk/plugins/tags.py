"""How each type that Python brings along becomes JSON data, and how its tag is read."""

import re
from base64 import b64decode, b64encode
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from math import isfinite
from pathlib import Path, PurePosixPath, PureWindowsPath
from types import NoneType
from typing import Any
from uuid import UUID

from synapse_sdk.plugins.shapes import shape_of

__all__ = [
    "HARMLESS",
    "PLAIN",
    "READERS",
    "WRITERS",
    "Json",
    "RefusedError",
    "ValueWriter",
    "WriterTable",
    "refusal_of",
]

type Json = bool | int | float | str | list[Json] | dict[str, Json] | None
type WriterTable = dict[type, Callable[[ValueWriter, Any], Json]]

PLAIN = frozenset({NoneType, bool, int, float, str})
"""What JSON has. The encoder finds by itself which numbers it cannot write, so these are not looked at one by one."""
HARMLESS = frozenset({NoneType, bool})
"""What JSON has whatever the value is."""
MAX_DEPTH = 100
"""How deep values may be nested; far from where reading or writing them exhausts the stack."""
MAX_INT_BITS = 2000
"""Longer integers are written in hexadecimal, because Python refuses decimal digits by the thousand."""
SHOWN_PARTS = 12
"""How many parts of a way are shown at most, for values that are nested endlessly."""

# Two halves that stand side by side are two characters in Python, and one after a detour through JSON.
_SPLIT_CHARACTER = re.compile("[\ud800-\udbff][\udc00-\udfff]")


class RefusedError(Exception):
    """A value cannot be written; gathers the way to it while the error rises."""

    def __init__(self, why: str, fix: str) -> None:
        super().__init__(why)
        self.why = why
        self.fix = fix
        self.parts: list[str] = []
        """The way to the value, from the inside out."""

    def path(self) -> str:
        """Return the way from the outside in, cut short when it is long."""
        cut = "..." if len(self.parts) > SHOWN_PARTS else ""
        return "".join(self.parts[-SHOWN_PARTS:][::-1]) + cut


class ValueWriter:
    """Turns one value into JSON data.

    Args:
        writers: How to write each type.
        plain: Types whose values go as they are, without a look.
    """

    def __init__(self, writers: WriterTable, plain: frozenset[type]) -> None:
        self.writers = writers
        self.plain = plain
        self._outer: list[int] = []

    def write(self, value: Any) -> Json:  # noqa: ANN401  # its type is what is asked for
        """Return one value as JSON data."""
        kind = type(value)
        if kind in self.plain:
            return value  # type: ignore[no-any-return]  # it is JSON by its type
        writer = self.writers.get(kind)
        if writer is None:
            raise refusal_of(kind)
        return writer(self, value)

    def sequence(self, value: list[Any] | tuple[Any, ...]) -> list[Json]:
        """Return a sequence; one of plain values costs no more than JSON itself."""
        if self.plain.issuperset(map(type, value)):
            return value if type(value) is list else [*value]
        self._enter(value)
        written: list[Json] = []
        try:
            for item in value:
                written.append(self.write(item))  # noqa: PERF401  # how far it came is asked for below
        except RefusedError as refusal:
            refusal.parts.append(f"[{len(written)}]")
            raise
        self._outer.pop()
        return written

    def elements(self, value: set[Any] | frozenset[Any]) -> list[Json]:
        """Return a set as a list whose order depends on nothing but its elements."""
        if len(kinds := {*map(type, value)}) <= 1 and kinds <= {str, int}:
            return self.sequence(sorted(value))
        self._enter(value)
        try:
            written = [self.write(item) for item in value]
        except RefusedError as refusal:
            refusal.parts.append("{...}")
            raise
        self._outer.pop()
        return sorted(written, key=repr)

    def mapping(self, value: dict[Any, Any]) -> dict[str, Json]:
        """Return a dict as an object, or as pairs when its keys are not all text, or could be taken for tags."""
        if self._has_plain_keys(value):
            return self.items(value, "[{!r}]")
        self._enter(value)
        written: list[Json] = []
        try:
            for key, item in value.items():
                written.append([self.write(key), self.write(item)])
        except RefusedError as refusal:
            refusal.parts.append(f"[{key!r}]" if isinstance(key, str | int) else f"[<{type(key).__name__}>]")
            raise
        self._outer.pop()
        return {"$dict": written}

    def items(self, value: dict[str, Any], part: str) -> dict[str, Json]:
        """Return a dict of plain keys, or the fields of an instance; `part` is how the way to one item is shown."""
        if self.plain.issuperset(map(type, value.values())):
            return value
        self._enter(value)
        written: dict[str, Json] = {}
        try:
            for key, item in value.items():
                written[key] = self.write(item)
        except RefusedError as refusal:
            refusal.parts.append(part.format(key))
            raise
        self._outer.pop()
        return written

    def _enter(self, value: object) -> None:
        # Left by taking the last one off again, and not at all on an error, after which the writer is of no more use.
        if len(self._outer) >= MAX_DEPTH:
            why = f"it contains itself, or is nested more than {MAX_DEPTH} levels deep"
            raise RefusedError(why, "Keep a flat list of the parts, and refer to them by name or index")
        self._outer.append(id(value))

    def _has_plain_keys(self, value: dict[Any, Any]) -> bool:
        if not {str}.issuperset(map(type, value)):
            return False
        joined = "".join(value)
        if "$" in joined and any(key.startswith("$") for key in value):
            return False
        return str in self.plain or joined.isascii() or not _SPLIT_CHARACTER.search(joined)


_FIX_CLASS = (
    "If it is a plain value (an enum, dataclass, named tuple, model or struct), name its own class in the annotation; "
    "if it is a live thing, such as a connection, make the field a handle()"
)


def refusal_of(kind: Any) -> RefusedError:  # noqa: ANN401  # a class, or what takes the place of one
    """Return why values of a class cannot be written, and the way out."""
    name = f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")
    if hasattr(kind, "get_secret_value"):
        fix = "Read it from the environment where it is used, or make the field a handle()"
        return RefusedError(f"{name} is a secret, which must not be stored in plain text", fix)
    for base in (dict, list, set, frozenset, tuple, str, int, float, bytes):
        if isinstance(kind, type) and issubclass(kind, base) and shape_of(kind) is None:
            why = f"{name} is a {base.__name__} of a special kind, and would come back as a plain one"
            return RefusedError(why, f"Keep it as a plain {base.__name__}")
    return RefusedError(f"there is no way to write {name} down and read it back", _FIX_CLASS)


def _write_int(_: ValueWriter, value: int) -> Json:
    return value if value.bit_length() <= MAX_INT_BITS else {"$int": hex(value)}


def _write_float(_: ValueWriter, value: float) -> Json:
    return value if isfinite(value) else {"$float": repr(value)}


def _write_str(_: ValueWriter, value: str) -> Json:
    if value.isascii() or not _SPLIT_CHARACTER.search(value):
        return value
    return {"$str": [*map(ord, value)]}


def _time_text(value: datetime | time) -> str:
    if value.tzinfo is not None and value.utcoffset() is None:
        why = "its time zone has no fixed offset without a date"
        raise RefusedError(why, "Use a datetime, or a time without a zone")
    return f"{value.isoformat()}{_SECOND_TIME * value.fold}"


_SECOND_TIME = "~"
"""After an hour that a clock shows twice when summer ends, for the second one; ISO 8601 has no sign for it."""


def _read_time[T: (datetime, time)](parse: Callable[[str], T]) -> Callable[[str], T]:
    def read(text: str) -> T:
        return parse(text.removesuffix(_SECOND_TIME)).replace(fold=int(text.endswith(_SECOND_TIME)))

    return read


def _base64(value: bytes | bytearray) -> str:
    return b64encode(value).decode()


def _from_base64(text: str) -> bytes:
    return b64decode(text, validate=True)


# Type, tag, how to make the text, how to read it.
_AS_TEXT: tuple[tuple[type, str, Callable[[Any], str], Callable[[str], object]], ...] = (
    (bytes, "$bytes", _base64, _from_base64),
    (bytearray, "$bytearray", _base64, lambda text: bytearray(_from_base64(text))),
    (Decimal, "$decimal", str, Decimal),
    (UUID, "$uuid", str, UUID),
    (datetime, "$datetime", _time_text, _read_time(datetime.fromisoformat)),
    (date, "$date", date.isoformat, date.fromisoformat),
    (time, "$time", _time_text, _read_time(time.fromisoformat)),
    (type(Path()), "$path", str, Path),
    (PurePosixPath, "$posix_path", str, PurePosixPath),
    (PureWindowsPath, "$windows_path", str, PureWindowsPath),
)
# Type, tag, how to make the list, how to read it.
_AS_LIST: tuple[tuple[type, str, Callable[[ValueWriter, Any], Json], Callable[[list[Any]], object]], ...] = (
    (tuple, "$tuple", ValueWriter.sequence, tuple),
    (set, "$set", ValueWriter.elements, set),
    (frozenset, "$frozenset", ValueWriter.elements, frozenset),
    (complex, "$complex", lambda writer, value: writer.sequence([value.real, value.imag]), lambda pair: complex(*pair)),
    (
        timedelta,
        "$timedelta",
        lambda _, value: [value.days, value.seconds, value.microseconds],
        lambda triple: timedelta(*triple),
    ),
)


def _text_writer(tag: str, as_text: Callable[[Any], str]) -> Callable[[ValueWriter, Any], Json]:
    return lambda writer, value: {tag: writer.write(as_text(value))}  # text may need a tag of its own


def _list_writer(tag: str, as_list: Callable[[ValueWriter, Any], Json]) -> Callable[[ValueWriter, Any], Json]:
    return lambda writer, value: {tag: as_list(writer, value)}


WRITERS: WriterTable = {
    NoneType: lambda _, value: value,
    bool: lambda _, value: value,
    int: _write_int,
    float: _write_float,
    str: _write_str,
    list: ValueWriter.sequence,
    dict: ValueWriter.mapping,
    **{kind: _text_writer(tag, as_text) for kind, tag, as_text, _ in _AS_TEXT},
    **{kind: _list_writer(tag, as_list) for kind, tag, as_list, _ in _AS_LIST},
}
"""How to write each type."""
READERS: dict[str, tuple[type, Callable[[Any], object]]] = {
    "$int": (str, lambda text: int(text, 16)),
    "$float": (str, float),
    "$str": (list, lambda codes: "".join(map(chr, codes))),
    "$dict": (list, dict),
    **{tag: (str, read) for _, tag, _, read in _AS_TEXT},
    **{tag: (list, read) for _, tag, _, read in _AS_LIST},
}
"""What stands under each tag, and how to read it."""

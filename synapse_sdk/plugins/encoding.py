"""Values as JSON text that gives back exactly the same values.

What JSON has is written as it is; anything else is an object with one key, a tag that begins with `$`:
`{"$tuple": [1, 2]}`. Instances of classes are taken apart into their fields and written with the name of the class,
and only for classes that the reader was given: no text can name what gets imported or called.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from json import JSONDecoder, JSONEncoder
from typing import Any, NoReturn

from synapse_sdk.errors import JournalCorruptedError, UnencodableValueError
from synapse_sdk.plugins.shapes import Shape, shape_of
from synapse_sdk.plugins.tags import HARMLESS, PLAIN, READERS, WRITERS, Json, RefusedError, ValueWriter, WriterTable

__all__ = ["ValueCodec"]

_INSTANCE = "$object"
SHOWN = 120
"""How many characters of a text that cannot be read are shown at most."""
_ESCAPED_HALF = "\\ud"
"""How JSON writes the halves of a character beyond the first 65,536; most stand together, but not all."""


def _refuse_constant(name: str) -> NoReturn:
    msg = f"{name} is not JSON"
    raise ValueError(msg)


# Values that contain themselves are found before they get here.
_dumps = JSONEncoder(separators=(",", ":"), allow_nan=False, check_circular=False).encode
_read_plain = JSONDecoder(parse_constant=_refuse_constant).decode


class ValueCodec:
    """Writes values as JSON text, and reads them back with the types they had.

    Knows None, bool, int, float, str, list, dict (any keys, in their order), tuple, set, frozenset, bytes, bytearray,
    complex, Decimal, UUID, timedelta, date, time, datetime and paths; of the given classes also enum members,
    dataclasses, named tuples, pydantic models and msgspec structs. A subclass of any of these is refused unless it is
    given too, because it would come back as something else. Three things are not kept: a time zone becomes its offset
    at that instant, a value that is there twice comes back as two equal values, and what an instance holds besides its
    fields, such as a cached property, is left out. Instances are restored without running their constructor or
    `__post_init__`, except for structs, which cannot be made otherwise.

    Writing equal sets gives equal text, in every process.

    Args:
        classes: Classes whose instances may be written and read. They are told apart by their qualified name, and by
            module where two share one.

    Example:
        >>> from datetime import date
        >>> codec = ValueCodec()
        >>> text = codec.encode({"size": (640, 480), "taken": date(2024, 5, 1)}, "context.photo")
        >>> text
        '{"size":{"$tuple":[640,480]},"taken":{"$date":"2024-05-01"}}'
        >>> codec.decode(text)
        {'size': (640, 480), 'taken': datetime.date(2024, 5, 1)}

    Raises:
        UnencodableValueError: A class is of a kind that cannot be written, or two have the same name and module.
    """

    def __init__(self, classes: Iterable[type] = ()) -> None:
        self._shapes: dict[str, Shape | None] = {}
        self._writers: WriterTable = dict(WRITERS)
        self._readers = READERS | {_INSTANCE: (list, self._read_instance)}
        self._read = JSONDecoder(object_hook=self._read_object, parse_constant=_refuse_constant).decode
        known = [*dict.fromkeys(classes)]
        short = Counter(kind.__qualname__ for kind in known)
        for kind in known:
            self._add(kind, is_unique=short[kind.__qualname__] == 1)

    def _add(self, kind: type, *, is_unique: bool) -> None:
        shape, full_name = shape_of(kind), f"{kind.__module__}:{kind.__qualname__}"
        if shape is None or full_name in self._shapes:
            what = "it is a second class of this name" if shape else "it is no class of plain data"
            msg = f"Values of class {full_name!r} cannot be written into the journal: {what}"
            raise UnencodableValueError(msg, fix="Use a class of another name or kind", type=full_name)
        name = kind.__qualname__ if is_unique else full_name
        self._shapes[name] = self._shapes[full_name] = shape  # the long one for text written when it was not unique
        self._writers[kind] = _instance_writer(name, shape)

    def encode(self, value: object, where: str) -> str:
        """Return a value as compact ASCII JSON text.

        Args:
            value: What to write; it is not changed.
            where: What the value is called in an error, such as `context.outcomes`.

        Raises:
            UnencodableValueError: The value, or one inside it, cannot be written; the message says which and why.
        """
        try:
            text = _dumps(self._write(value, where, PLAIN))
        except ValueError:  # a number that JSON does not have
            return _dumps(self.to_json(value, where))
        if _ESCAPED_HALF in text:  # mostly whole characters, but only a closer look tells
            return _dumps(self.to_json(value, where))
        return text

    def to_json(self, value: object, where: str) -> Json:
        """Return a value as JSON data: what `encode` writes, to be made part of a larger document. Raises likewise.

        The data may share parts with the value: write it before the value changes.
        """
        return self._write(value, where, HARMLESS)

    def _write(self, value: object, where: str, plain: frozenset[type]) -> Json:
        try:
            return ValueWriter(self._writers, plain).write(value)
        except RefusedError as refusal:
            path = f"{where}{refusal.path()}"
            msg = f"{path} cannot be written into the journal: {refusal.why}"
            raise UnencodableValueError(msg, fix=refusal.fix, path=path) from None
        except RecursionError:
            msg = f"{where} cannot be written into the journal: it is nested too deep for the stack that is left"
            raise UnencodableValueError(msg, path=where) from None

    def decode(self, text: str) -> Any:  # noqa: ANN401  # whatever was written
        """Return the value that was written as this text.

        Raises:
            JournalCorruptedError: No codec wrote this text, or one with other classes.
        """
        try:
            # Text without a tag, which is most of it, needs no look at each object.
            return (self._read if '"$' in text else _read_plain)(text)
        except (ValueError, RecursionError) as error:
            msg = f"A value in the journal is not the JSON that was written: {_shortened(text)}"
            raise JournalCorruptedError(msg, why=str(error)) from error

    def from_json(self, data: Json) -> Any:  # noqa: ANN401  # whatever was written
        """Return the value that `to_json` made this data from. Raises as `decode` does."""
        if type(data) is dict and set(map(type, data.values())) <= PLAIN and not any(key[:1] == "$" for key in data):
            return dict(data)  # most of what steps hand on
        try:
            text = _dumps(data)
        except (TypeError, ValueError, RecursionError) as error:
            msg = f"A value in the journal is not JSON: {_shortened(data)}"
            raise JournalCorruptedError(msg, why=str(error)) from error
        return self.decode(text)

    def _read_object(self, data: dict[str, Any]) -> Any:  # noqa: ANN401  # whatever was written
        if "$" not in "".join(data) or not any(key.startswith("$") for key in data):  # a third of the time of `any`
            return data
        tag, payload = next(iter(data.items()))
        expected, read = self._readers.get(tag, (None, None))
        if len(data) != 1 or read is None or type(payload) is not expected:
            msg = f"A value in the journal has a tag that nobody writes: {_shortened(data)}"
            raise JournalCorruptedError(msg)
        try:
            return read(payload)
        except JournalCorruptedError:
            raise
        except Exception as error:
            msg = f"A value in the journal does not fit its tag {tag!r}: {_shortened(payload)}"
            raise JournalCorruptedError(msg, why=f"{type(error).__name__}: {error}") from error

    def _read_instance(self, payload: list[Any]) -> object:
        name, parts = payload
        shape = self._shapes.get(name)
        if shape is None:
            msg = f"The journal holds a value of class {name!r}, which is not among the classes that are known here"
            fix = "Resume the run with the code that started it: the class was renamed or is no longer annotated"
            raise JournalCorruptedError(msg, fix=fix)
        return shape.make(parts)


def _instance_writer(name: str, shape: Shape) -> Callable[[ValueWriter, Any], Json]:
    return lambda writer, value: {_INSTANCE: [name, writer.items(shape.take(value), ".{}")]}


def _shortened(data: object) -> str:
    text = repr(data)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."

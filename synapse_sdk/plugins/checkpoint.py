"""What of a context is written into the journal after each step, and put back when the run is resumed."""

import marshal
from collections.abc import Callable, Mapping
from dataclasses import MISSING, field, fields
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from synapse_sdk.errors import JournalCorruptedError, PlanChangedError
from synapse_sdk.plugins.annotations import ClassCollector
from synapse_sdk.plugins.encoding import ValueCodec
from synapse_sdk.plugins.tags import WRITERS

if TYPE_CHECKING:
    from synapse_sdk.plugins.steps import BaseStepContext

__all__ = ["ContextCheckpoint", "handle"]

_HANDLE = "synapse_sdk.handle"
_NOT_WRITTEN = frozenset({"runtime_ctx", "step_results", "current_step"})
"""What the engine keeps itself: the journal has the results in records of their own."""
_CONTAINERS = frozenset({list, dict, set, bytearray, tuple, frozenset})
_EMPTY: Mapping[str | bytes, type] = {"[]": list, "{}": dict}
"""What has nothing in it needs no closer look."""
SHORT = 100
"""Characters of a text up to which it is kept to be compared."""
_ATOMS = WRITERS.keys() - _CONTAINERS
"""Types of values that never change: one that is still there is still the same."""


def handle(*, default: Any = None, default_factory: Callable[[], Any] | None = None, kw_only: bool = False) -> Any:  # noqa: ANN401  # as `field`
    """Declare a context field for a live thing, such as a client or an open file, which is never written.

    When a run is resumed it holds what the action's `create_context` put there. Otherwise it is a field like any
    other that has a default.

    Args:
        default: What the field holds when nothing is given: None, unless said otherwise.
        default_factory: Makes what it holds when nothing is given.
        kw_only: Whether the constructor takes it by its name only.

    Example:
        >>> from dataclasses import dataclass
        >>> from threading import Lock
        >>> from synapse_sdk.plugins.context import RuntimeContext
        >>> from synapse_sdk.plugins.steps import BaseStepContext
        >>> @dataclass
        ... class UploadContext(BaseStepContext):
        ...     keys: list[str] = field(default_factory=list)
        ...     lock: Any = handle(default_factory=Lock)
        >>> ContextCheckpoint(UploadContext(RuntimeContext())).names
        ('errors', 'keys')
    """
    if default_factory is not None:
        if default is not None:
            msg = "cannot specify both default and default_factory"
            raise ValueError(msg)
        return field(default_factory=default_factory, kw_only=kw_only, metadata={_HANDLE: True})
    return field(default=default, kw_only=kw_only, metadata={_HANDLE: True})


class ContextCheckpoint:
    """The fields of one context as JSON text, and which of them changed since they were last written.

    Written is every dataclass field except `runtime_ctx`, `step_results`, `current_step` and those that are a
    `handle()`. Other attributes are not: neither what a step merely sets on the context, nor an annotation in a
    subclass that is not decorated with `@dataclass` itself, which then has the fields it inherits.

    Making one checks the whole context, so that nothing is started that could not be resumed.

    Example:
        >>> from synapse_sdk.plugins.context import RuntimeContext
        >>> from synapse_sdk.plugins.steps import BaseStepContext
        >>> context = BaseStepContext(RuntimeContext())
        >>> checkpoint = ContextCheckpoint(context)
        >>> checkpoint.changes()
        {'errors': '[]'}
        >>> checkpoint.changes()
        {}
        >>> context.errors.append("cat.jpg: broken")
        >>> checkpoint.changes()
        {'errors': '["cat.jpg: broken"]'}
        >>> resumed = BaseStepContext(RuntimeContext())
        >>> ContextCheckpoint(resumed).restore({"errors": '["cat.jpg: broken"]'})
        >>> resumed.errors
        ['cat.jpg: broken']

    Raises:
        UnencodableValueError: An annotation names a class of which no value can be written, or cannot be resolved, or
            a present value cannot be written.
    """

    def __init__(self, context: "BaseStepContext") -> None:
        written = [each for each in fields(context) if each.name not in _NOT_WRITTEN and _HANDLE not in each.metadata]
        self.names = tuple(each.name for each in written)
        """The fields that are written, in the order of the class."""
        collector = ClassCollector()
        for each in written:
            collector.add_field(type(context), each, f"context.{each.name}")
        self.codec = ValueCodec(collector.classes)
        """Writes and reads values of every class that the context's annotations name."""
        self._context = context
        self._values: dict[str, object] = {}
        self._texts: dict[str, str | bytes] = {}  # of long ones the digest
        self._fingerprints: dict[str, bytes] = {}  # of values whose texts are known
        for name, value in self._present().items():
            self.codec.encode(value, f"context.{name}")

    def changes(self) -> dict[str, str]:
        """Return the text of each field that changed since the last call; of all fields at first.

        A number, a text or the like that was not replaced costs nothing. A list or an object may have changed within:
        plain data is compared by a fingerprint, anything else is written to be compared. When it raises, the next call
        reports all that this one had to.

        Raises:
            UnencodableValueError: A field holds a value that cannot be written; the message says where.
        """
        changed: dict[str, str] = {}
        texts: dict[str, str | bytes] = {}
        fingerprints: dict[str, bytes] = {}
        for name in self.names:
            value = getattr(self._context, name, MISSING)
            if value is MISSING:  # declared with `init=False`, and not set yet
                continue
            if name in self._texts and value is self._values.get(name, MISSING) and type(value) in _ATOMS:
                continue
            if not value and _EMPTY.get(self._texts.get(name, "")) is type(value):
                continue
            fingerprint = None if type(value) in _ATOMS else _fingerprint(value)
            if fingerprint is not None and self._fingerprints.get(name) == fingerprint:
                continue
            text = self.codec.encode(value, f"context.{name}")
            short = _short(text)
            if short != self._texts.get(name):
                changed[name], texts[name] = text, short
            if fingerprint is not None:
                fingerprints[name] = fingerprint
            if type(value) in _ATOMS:
                self._values[name] = value
            else:
                self._values.pop(name, None)
        self._texts.update(texts)
        self._fingerprints.update(fingerprints)
        return changed

    def restore(self, fields: Mapping[str, str], *, lenient: bool = False) -> None:
        """Put journalled values back into the context, and count them as unchanged.

        Nothing is put back when anything cannot be. Fields that are not given keep what they have.

        Args:
            fields: The latest text of each field.
            lenient: Leave out what the context no longer has, instead of raising.

        Raises:
            PlanChangedError: The journal holds fields that the context no longer has.
            JournalCorruptedError: A text is none that this context could have written.
        """
        if (unknown := sorted(fields.keys() - set(self.names))) and not lenient:
            msg = f"The journal holds {', '.join(unknown)}, which {type(self._context).__name__} no longer writes"
            raise PlanChangedError(
                msg, fix="Resume with the code that started the run, or start it anew", fields=unknown
            )
        values = {name: self._decode(name, fields[name]) for name in self.names if name in fields}
        for name, value in values.items():
            setattr(self._context, name, value)
            self._texts[name] = _short(fields[name])
            self._fingerprints.pop(name, None)
            self._values[name] = value

    def _decode(self, name: str, text: str) -> object:
        try:
            return self.codec.decode(text)
        except JournalCorruptedError as error:
            msg = f"Field {name!r} of {type(self._context).__name__} cannot be read back: {error.message}"
            raise JournalCorruptedError(msg, why=error.why, fix=error.fix, field=name) from error

    def _present(self) -> dict[str, object]:
        context = self._context
        # A field may be declared with `init=False` and not be set yet.
        return {name: getattr(context, name) for name in self.names if hasattr(context, name)}


def _short(text: str) -> str | bytes:
    """Return what a text is known by: itself, or its digest if it is long, as a list of a million files is."""
    return text if len(text) <= SHORT else blake2b(text.encode(), digest_size=16).digest()


def _fingerprint(value: Any) -> bytes | None:  # noqa: ANN401  # what it takes is found out by trying
    """Return what is the same only for equal data of the same types; None for what is not plain data.

    `marshal` takes exactly the built-in types, in C; in format 2 it writes equal data alike.
    """
    try:
        return blake2b(marshal.dumps(value, 2), digest_size=16).digest()
    except ValueError:
        return None

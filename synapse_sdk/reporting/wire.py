"""Events as JSON data, to carry them from one process to another.

JSON data arrives as it was sent. What JSON cannot hold is represented by what comes closest; it is never an exception.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, get_args

from synapse_sdk.errors import InvalidDocumentError
from synapse_sdk.reporting.events import Event, LogLevel, RunStatus, StepOutcome
from synapse_sdk.reporting.jsonable import as_json, key_text
from synapse_sdk.types import JsonValue

__all__ = ["RecordedOutcome", "decode_event", "encode_event", "to_json"]

EVENT_TYPES: Mapping[str, Any] = {cls.__name__: cls for cls in get_args(Event.__value__)}


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedOutcome:
    """A step's result as it arrives from another process."""

    success: bool
    skipped: bool = False
    error: str | None = None
    data: dict[str, Any] = field(default_factory=dict)
    rollback_data: dict[str, Any] = field(default_factory=dict)


def encode_event(event: Event) -> dict[str, JsonValue]:
    """Return an event as JSON data that `decode_event` understands; never raises."""
    encoded: dict[str, JsonValue] = {"type": type(event).__name__}
    for each in fields(event):
        value = getattr(event, each.name)
        encoded[each.name] = encode_outcome(value) if each.name == "result" else to_json(value)
    return encoded


def decode_event(data: Mapping[str, Any]) -> Event:
    """Return the event that `encode_event` took apart; a step's result arrives as a `RecordedOutcome`.

    Raises:
        InvalidDocumentError: It is not an event.
    """
    try:
        values = dict(data)
        cls = EVENT_TYPES[values.pop("type")]
        event: Event = cls(**{name: DECODERS.get(name, _as_it_is)(value) for name, value in values.items()})
    except (KeyError, TypeError, ValueError) as error:
        msg = f"Not an event: {data!r:.200}"
        raise InvalidDocumentError(msg, why=f"{type(error).__name__}: {error}") from error
    return event


def encode_outcome(result: StepOutcome) -> JsonValue:
    """Return a step's result as JSON data for `decode_outcome`."""
    return {each.name: to_json(getattr(result, each.name, None)) for each in fields(RecordedOutcome)}


def decode_outcome(data: Mapping[str, Any]) -> RecordedOutcome:
    """Return the result that `encode_outcome` took apart."""
    return RecordedOutcome(**data)


def to_json(value: object) -> JsonValue:
    """Return a value as JSON data, whole: plain JSON data as it is, everything else as what comes closest.

    Example:
        >>> to_json({"sizes": (1, 2), "loss": float("nan"), 3: {1.5: b"x"}})
        {'sizes': [1, 2], 'loss': 'NaN', '3': {'1.5': 'x'}}
    """
    return _to_json(value, frozenset())


def _to_json(value: object, around: frozenset[int]) -> JsonValue:
    if isinstance(value, str):
        return str.__str__(value)  # of a StrEnum its value
    if not isinstance(value, dict | list | tuple):
        return as_json(value)
    if id(value) in around:
        return "<contains itself>"
    around |= {id(value)}
    try:
        if isinstance(value, dict):
            return {key_text(key): _to_json(item, around) for key, item in value.items()}
        return [_to_json(item, around) for item in value]
    except Exception:  # noqa: BLE001  # too deep, changed by another thread, or a subclass that breaks
        return f"<{type(value).__name__}>"


def _decode_steps(steps: list[Any]) -> tuple[Any, ...]:
    return tuple(tuple(step) if isinstance(step, list) else step for step in steps)


def _as_it_is(value: object) -> object:
    return value


DECODERS: Mapping[str, Callable[[Any], object]] = {
    "occurred_at": datetime.fromisoformat,
    "steps": _decode_steps,
    "finished": tuple,
    "level": LogLevel,
    "status": RunStatus,
    "result": decode_outcome,
}
"""How a field becomes again what it was, where it is more than JSON data."""

"""What of an annotation of version 1 stays when its twin of version 2 was changed."""

from collections import defaultdict, deque
from collections.abc import Mapping, Sequence

from synapse_sdk.formats.dm.to_v1 import Downgraded
from synapse_sdk.types import JsonObject, JsonValue

__all__ = ["kept_entry", "kept_payload"]

CLASSIFICATION, COORDINATE = "classification", "coordinate"


def kept_entry(entry: JsonObject, prior: Downgraded | None, now: Downgraded) -> JsonObject:
    """Return the entry in `annotations`: label from version 2, flags from before, attributes from both.

    Args:
        entry: As it was.
        prior: What it becomes on its way to version 2 and back; None if it does not come back.
        now: What version 2 says.
    """
    if prior is not None and now.entry == prior.entry:
        return entry
    said = {key: value for key, value in now.entry.items() if key in now.v2 and key not in {"id", CLASSIFICATION}}
    before, after = entry.get(CLASSIFICATION), now.entry[CLASSIFICATION]
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        after = {**before, **after}
    return {**entry, **said, CLASSIFICATION: after}


def kept_payload(payload: JsonObject | None, prior: Downgraded | None, now: Downgraded) -> JsonObject | None:
    """Return the entry in `annotationsData`: as it was, unless version 2 says something else.

    Args:
        payload: As it was; None if there was none.
        prior: As with `kept_entry`.
        now: What version 2 says.
    """
    if payload is None or prior is None:
        return None if payload is None else now.payload
    if now.payload == prior.payload:
        return payload
    rest = {key: value for key, value in payload.items() if key not in prior.payload}
    return {**rest, **now.payload, **_coordinate(payload.get(COORDINATE), now.payload.get(COORDINATE))}


def _coordinate(before: JsonValue, after: JsonValue) -> JsonObject:
    """Return where it is: points that stay where they were keep their ids."""
    if not isinstance(before, list | tuple) or not isinstance(after, list | tuple):
        return {}
    ids: dict[str, deque[JsonValue]] = defaultdict(deque)
    for point in before:
        if isinstance(point, Mapping):
            ids[_place(point)].append(point.get("id"))
    return {COORDINATE: [_with_old_id(point, ids) for point in after]}


def _with_old_id(point: JsonValue, ids: Mapping[str, deque[JsonValue]]) -> JsonValue:
    if not isinstance(point, Mapping):
        return point
    known = ids.get(_place(point))
    return {**point, "id": known.popleft()} if known else point


def _place(point: JsonObject) -> str:
    numbers: Sequence[JsonValue] = [point.get(axis) for axis in ("x", "y", "z")]
    return repr([float(each) if isinstance(each, int) else each for each in numbers])

"""From the frames of a journal back to the events that they record."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from synapse_sdk.errors import JournalCorruptedError
from synapse_sdk.journal import Frame, RunState
from synapse_sdk.journal.state import instant
from synapse_sdk.plugins.encoding import ValueCodec
from synapse_sdk.reporting.events import (
    Event,
    Logged,
    LogLevel,
    LogsShed,
    MetricsReported,
    ProgressReported,
    ProgressSaved,
    RollbackStarted,
    RunFinished,
    RunProgressed,
    RunStarted,
    RunStatus,
    StepFinished,
    StepRollbackStarted,
    StepRolledBack,
    StepStarted,
    UndoRecorded,
)
from synapse_sdk.reporting.parts import PartEvents
from synapse_sdk.reporting.wire import RecordedOutcome

__all__ = ["events_of"]

type Data = Mapping[str, Any]


def events_of(
    frame: Frame, state: RunState, run_id: str, parts: dict[tuple[str, ...], PartEvents] | None = None
) -> Iterator[Event]:
    """Yield the events of a frame; kinds that only a newer version knows are left out.

    Args:
        frame: What was recorded.
        state: Where the run stood when the frame had been added.
        run_id: The run.
        parts: What is kept from frame to frame about the runs inside it; empty before the first.
    """
    yield from _events(json.loads(frame.text), state, run_id, {} if parts is None else parts, ())


def _events(
    recorded: Sequence[Data],
    state: RunState,
    run_id: str,
    parts: dict[tuple[str, ...], PartEvents],
    path: tuple[str, ...],
) -> Iterator[Event]:
    for data in recorded:
        kind = data["type"]
        if kind in {"RunStarted", "RunResumed"}:
            is_first = kind == "RunStarted"
            done = () if is_first else tuple(name for name in state.order if state.steps[name].is_finished)
            yield RunStarted(_plan(data), done, run_id, occurred_at=instant(data["at"]))
        elif kind == "UndoRecorded":
            for entry in data["entries"]:
                yield UndoRecorded(data["step"], _value(entry), occurred_at=instant(data["at"]))
        elif kind == "HappenedWithin":
            step = data["step"]
            inside = parts.setdefault((*path, step), PartEvents(step))
            for event in _events(data["events"], state.parts[step], f"{run_id}-{step}", parts, (*path, step)):
                yield from inside.told(event)
        elif (make := MAKERS.get(kind)) is not None:
            yield make(data)


def _plan(data: Data) -> tuple[tuple[str, float], ...]:
    return tuple((name, share) for name, share in data["steps"])


def _value(data: Any) -> Any:  # noqa: ANN401  # whatever was written
    """Return a value as it was; one of a class that is not known here stays as it was written."""
    try:
        return ValueCodec().from_json(data)
    except JournalCorruptedError:
        return data


def _outcome(result: Data) -> RecordedOutcome:
    return RecordedOutcome(
        success=result["success"],
        skipped=result["skipped"],
        error=result["error"],
        data=_value(result["data"]),
        rollback_data=_value(result["rollback_data"]),
    )


def _logged(data: Data) -> Event:
    level, about = LogLevel(data["level"]), {"file": data.get("file"), "category": data.get("category")}
    return Logged(data["event"], data["data"], level, **about, occurred_at=instant(data["at"]))


def _rolled_back(data: Data) -> Event:
    return StepRolledBack(
        data["step"], data["elapsed"], data["error"], data.get("traceback"), occurred_at=instant(data["at"])
    )


def _finished(data: Data) -> Event:
    status = RunStatus(data["status"])
    return RunFinished(status, data["elapsed"], data["error"], data["interrupted"], occurred_at=instant(data["at"]))


MAKERS: Mapping[str, Callable[[Data], Event]] = {
    "StepStarted": lambda data: StepStarted(data["step"], occurred_at=instant(data["at"])),
    "StepFinished": lambda data: StepFinished(
        data["step"], _outcome(data["result"]), data["elapsed"], occurred_at=instant(data["at"])
    ),
    "ProgressSaved": lambda data: ProgressSaved(data["step"], _value(data["state"]), occurred_at=instant(data["at"])),
    "RollbackStarted": lambda data: RollbackStarted(
        tuple(data["steps"]), data["reason"], occurred_at=instant(data["at"])
    ),
    "StepRollbackStarted": lambda data: StepRollbackStarted(data["step"], occurred_at=instant(data["at"])),
    "StepRolledBack": _rolled_back,
    "RunFinished": _finished,
    "RunProgressed": lambda data: RunProgressed(data["percent"], occurred_at=instant(data["at"])),
    "Logged": _logged,
    "LogsShed": lambda data: LogsShed(data["count"], occurred_at=instant(data["at"])),
    "ProgressReported": lambda data: ProgressReported(
        data["category"], data["current"], data["total"], occurred_at=instant(data["at"])
    ),
    "MetricsReported": lambda data: MetricsReported(data["category"], data["values"], occurred_at=instant(data["at"])),
}
"""How each kind of event is made again from what was recorded."""

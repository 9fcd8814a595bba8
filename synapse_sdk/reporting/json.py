"""The run as NDJSON: one JSON object a line, for programs."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TextIO

from synapse_sdk.clock import SYSTEM_CLOCK, Clock
from synapse_sdk.reporting.events import (
    Event,
    InterruptHeld,
    Logged,
    LogLevel,
    LogsShed,
    MetricsReported,
    ProgressReported,
    RollbackStarted,
    RunFinished,
    RunProgressed,
    RunStarted,
    StepFinished,
    StepRollbackStarted,
    StepRolledBack,
    StepStarted,
    UndoRecorded,
)
from synapse_sdk.reporting.jsonable import json_line
from synapse_sdk.reporting.output import StreamReporter

__all__ = ["SCHEMA_VERSION", "JsonReporter"]

SCHEMA_VERSION = 1
"""Version of the names below; new names may come within a version, none goes or changes its meaning."""


type Record = dict[str, Any]


class JsonReporter(StreamReporter):
    """Writes every event as one line of JSON.

    Every line has `type` and `at` (aware UTC, ISO 8601), the first one `schema_version`. Durations are seconds. Lines
    are in the order of what happened; a line of progress is dated when it is written, up to a tenth of a second later.

    | `type` | further names |
    |---|---|
    | `run_started` | `steps`: list of `name` and `share` (0.0 to 1.0) |
    | `step` | `step`, `status`: started, succeeded, skipped or failed; at its end `elapsed`, `data`, `error` |
    | `progress` | `percent` of the run; or `category`, `current`, `total` |
    | `metrics` | `category`, `values` |
    | `log` | `level`, `event`, `data`, `file`, `category`; `logs_shed` with `count` stands for missing lines |
    | `undo` | `step`, `entry`: how to undo what the step is about to do |
    | `rollback` | `status`: started (`steps` in the order of undoing, `reason`), undoing, undone, failed (`step`) |
    | `interrupt` | `presses`, `presses_left` |
    | `run_finished` | `status`, `elapsed`, `error` |
    | `result` | what `show_result` was given |

    What JSON cannot hold is represented, see `json_line`. `ProgressSaved` is for journals and is not written.

    Args:
        stream: Where the lines go; stays open.
        clock: Dates what comes without a date.
    """

    def __init__(self, stream: TextIO | None, *, clock: Clock = SYSTEM_CLOCK) -> None:
        super().__init__(stream, clock=clock)
        self._head: dict[str, Any] = {"schema_version": SCHEMA_VERSION}

    def observe(self, event: Event) -> None:
        """Write the event."""
        describe = DESCRIPTIONS.get(type(event))
        if describe is not None:
            self._write_record(event.occurred_at, describe(event))

    def set_progress(self, current: float, total: float, category: str | None) -> None:
        """Write the progress."""
        self._write_record(self._clock.now(), progress(ProgressReported(category, current, total)))

    def show_result(self, result: Mapping[str, Any]) -> None:
        """Write the one final line: what the run returned."""
        self._write_record(self._clock.now(), {**result, "type": "result"})

    def _write_record(self, at: datetime, record: Record) -> None:
        head = {"type": record["type"], **self._head, "at": at.astimezone(UTC).isoformat()}
        self._head = {}
        self._write(json_line(head | {name: value for name, value in record.items() if name not in head}))


def run_started(event: RunStarted) -> Record:
    """Describe the start of a run."""
    steps = [{"name": name, "share": share} for name, share in event.steps]
    known = {} if event.run_id is None else {"run_id": event.run_id}
    known |= {} if event.within is None else {"within": event.within}
    return {"type": "run_started", **known, "steps": steps} | (
        {"finished": list(event.finished)} if event.finished else {}
    )


def step_started(event: StepStarted) -> Record:
    """Describe the start of a step."""
    return {"type": "step", "step": event.step, "status": "started"}


def step_finished(event: StepFinished) -> Record:
    """Describe the end of a step."""
    result = event.result
    status = "skipped" if result.skipped else "succeeded" if result.success else "failed"
    outcome = {"data": result.data, "error": result.error}
    return {"type": "step", "step": event.step, "status": status, "elapsed": event.elapsed, **outcome}


def run_progressed(event: RunProgressed) -> Record:
    """Describe how far the run has come."""
    return {"type": "progress", "percent": event.percent}


def progress(event: ProgressReported) -> Record:
    """Describe how far the work of a category has come."""
    return {"type": "progress", "category": event.category, "current": event.current, "total": event.total}


def metrics(event: MetricsReported) -> Record:
    """Describe figures."""
    return {"type": "metrics", "category": event.category, "values": event.values}


def logged(event: Logged) -> Record:
    """Describe a log line."""
    about = {"file": event.file, "category": event.category}
    return {"type": "log", "level": event.level, "event": event.event, "data": event.data, **about}


def logs_shed(event: LogsShed) -> Record:
    """Describe missing log lines as a log line: a reader who knows no more than `log` learns of it."""
    return logged(Logged("logs_shed", {"count": event.count}, LogLevel.WARNING))


def undo_recorded(event: UndoRecorded) -> Record:
    """Describe an undo entry."""
    return {"type": "undo", "step": event.step, "entry": event.entry}


def rollback_started(event: RollbackStarted) -> Record:
    """Describe the start of a rollback."""
    return {"type": "rollback", "status": "started", "steps": event.steps, "reason": event.reason}


def step_rollback_started(event: StepRollbackStarted) -> Record:
    """Describe the start of undoing a step."""
    return {"type": "rollback", "status": "undoing", "step": event.step}


def step_rolled_back(event: StepRolledBack) -> Record:
    """Describe the end of undoing a step."""
    status = "undone" if event.error is None else "failed"
    problem = {"error": event.error, "traceback": event.traceback}
    return {"type": "rollback", "status": status, "step": event.step, "elapsed": event.elapsed, **problem}


def interrupt_held(event: InterruptHeld) -> Record:
    """Describe an interrupt that the rollback withstood."""
    return {"type": "interrupt", "presses": event.presses, "presses_left": event.presses_left}


def run_finished(event: RunFinished) -> Record:
    """Describe the end of a run."""
    return {"type": "run_finished", "status": event.status, "elapsed": event.elapsed, "error": event.error}


DESCRIPTIONS: Mapping[type, Callable[[Any], Record]] = {
    RunStarted: run_started,
    StepStarted: step_started,
    StepFinished: step_finished,
    RunProgressed: run_progressed,
    ProgressReported: progress,
    MetricsReported: metrics,
    Logged: logged,
    LogsShed: logs_shed,
    UndoRecorded: undo_recorded,
    RollbackStarted: rollback_started,
    StepRollbackStarted: step_rollback_started,
    StepRolledBack: step_rolled_back,
    InterruptHeld: interrupt_held,
    RunFinished: run_finished,
}
"""How each event is written; `ProgressSaved` is left to journals."""

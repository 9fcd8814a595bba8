"""Where a run stands, worked out from what was written about it."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import batched
from typing import TYPE_CHECKING, Any

from synapse_sdk.errors import JournalCorruptedError
from synapse_sdk.journal.model import Frame
from synapse_sdk.reporting.events import RunStatus

if TYPE_CHECKING:
    from synapse_sdk.journal.base import Journal

__all__ = ["RunState", "StepState", "StepStatus", "read_events", "read_state"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

FRAMES_AT_ONCE = 500
"""Frames that are taken in together."""

type Data = Mapping[str, Any]


class StepStatus(StrEnum):
    """Where a step stands."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    SKIPPED = "skipped"
    FAILED = "failed"
    ROLLING_BACK = "rolling_back"
    ROLLED_BACK = "rolled_back"
    NOT_ROLLED_BACK = "not_rolled_back"
    """Its rollback raised, or said that something is left behind."""


@dataclass(slots=True)
class StepState:
    """One step of a run. Values are JSON data as they were written; `plugins.encoding` turns them back."""

    name: str
    share: float = 0.0
    """Its part of the progress, 0.0 to 1.0."""
    status: StepStatus = StepStatus.PENDING
    started_us: int | None = None
    elapsed: float = 0.0
    """Seconds it took, forward."""
    result: Data | None = None
    """How it ended; None before."""
    undo_log: list[Any] = field(default_factory=list)
    saved_progress: dict[str, Any] = field(default_factory=dict)
    error: str | None = None
    """Why it failed."""
    rollback_error: str | None = None
    """Why it could not be undone."""
    starts: int = 0
    """How often it was started."""

    @property
    def started_at(self) -> datetime | None:
        """Aware UTC instant of its last start."""
        return None if self.started_us is None else instant(self.started_us)

    @property
    def is_finished(self) -> bool:
        """Whether it succeeded or was skipped, and is not to run again."""
        return self.result is not None and bool(self.result.get("success"))


@dataclass(slots=True)
class RunState:
    """A run as its frames tell it."""

    steps: dict[str, StepState] = field(default_factory=dict)
    """In the order of the plan."""
    versions: dict[str, str] = field(default_factory=dict)
    """The versions of those steps that have one."""
    order: list[str] = field(default_factory=list)
    """Names of the steps that were started, in the order of their first start."""
    current: str | None = None
    """The step in flight when the last frame was written."""
    context: dict[str, Any] = field(default_factory=dict)
    """The fields of the context, as of the last snapshot."""
    status: RunStatus = RunStatus.PENDING
    percent: int = 0
    reason: str | None = None
    """Why the run is, or was, undone."""
    interrupted: bool = False
    """Whether it was stopped rather than failed."""
    to_undo: list[str] = field(default_factory=list)
    """Steps whose rollback is not done, in the order of undoing."""
    error: str | None = None
    result: Any = None
    """What the action gave back, as JSON data for people."""
    started_us: int | None = None
    last_us: int | None = None
    resumes: int = 0
    progress: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Per category: how much of how much."""
    metrics: dict[str, dict[str, Any]] = field(default_factory=dict)
    frames: int = 0
    digest: bytes = b""
    parts: "dict[str, RunState]" = field(default_factory=dict)
    """The runs inside it, by the step in which each of them is: those of the actions of a pipeline."""

    @property
    def started_at(self) -> datetime | None:
        """Aware UTC instant at which its first step could begin."""
        return None if self.started_us is None else instant(self.started_us)

    @property
    def last_at(self) -> datetime | None:
        """Aware UTC instant of the last event."""
        return None if self.last_us is None else instant(self.last_us)

    @property
    def is_going_back(self) -> bool:
        """Whether it has failed or was stopped, so that all that is left to do is to undo it."""
        return self.reason is not None

    @property
    def leftovers(self) -> dict[str, str]:
        """Steps that are not undone although they should be, and why."""
        if not self.is_going_back:
            return {}
        return {name: self.steps[name].rollback_error or "the rollback was cut short" for name in self.to_undo}

    def add(self, frame: Frame) -> None:
        """Take in what the next frame says.

        Raises:
            JournalCorruptedError: It does not follow the last one, or is damaged.
        """
        self.add_all([frame])

    def add_all(self, frames: Iterable[Frame]) -> None:
        """Take in what the next frames say; raises as `add` does."""
        texts = []
        for frame in frames:
            if not frame.follows(self.frames, self.digest):
                msg = f"Frame {frame.number} of the run does not follow frame {self.frames}, or was changed"
                raise JournalCorruptedError(msg, fix="Save what can be saved: synapse journal repair")
            self.frames, self.digest = frame.number, frame.digest
            texts.append(frame.text)
        for events in json.loads(f"[{','.join(texts)}]"):  # in one go: most runs have thousands of small frames
            self.add_events(events)

    def add_events(self, events: Iterable[Data]) -> None:
        """Take in what the next events say."""
        for event in events:
            self.last_us = event["at"]
            fold = FOLDS.get(event["type"])
            if fold is not None:
                fold(self, event)

    def step(self, name: str) -> StepState:
        """Return a step, which may be one that only an earlier plan had."""
        step = self.steps.get(name)
        if step is None:
            step = self.steps[name] = StepState(name)
        return step


def read_state(journal: "Journal", run_id: str) -> RunState:
    """Read a run, and verify every frame of it.

    Raises:
        RunNotFoundError: There is no such run.
        JournalCorruptedError: A frame is damaged or missing.
    """
    run = journal.run(run_id)
    state = RunState(digest=run.digest)
    for frames in batched(journal.frames(run_id), FRAMES_AT_ONCE):
        state.add_all(frames)
    return state


def read_events(journal: "Journal", run_id: str, after: int = 0) -> Iterator[tuple[int, Data]]:
    """Yield a run's events in order, each with the number of its frame, from the frame after a certain one."""
    for frame in journal.frames(run_id, after):
        for event in json.loads(frame.text):
            yield frame.number, event


def instant(microseconds: int) -> datetime:
    """Return the instant that is so many microseconds after the start of 1970."""
    return EPOCH + timedelta(microseconds=microseconds)


def _run_started(state: RunState, event: Data) -> None:
    _take_plan(state, event)
    state.status = RunStatus.RUNNING
    state.started_us = state.started_us or event["at"]


def _run_resumed(state: RunState, event: Data) -> None:
    state.resumes += 1
    _take_plan(state, event)


def _take_plan(state: RunState, event: Data) -> None:
    plan = {name: state.step(name) for name, _ in event["steps"]}
    for name, share in event["steps"]:
        plan[name].share = share
    state.steps = {**plan, **state.steps}
    state.versions = event.get("versions", {})
    state.context |= event.get("context", {})


def _step_started(state: RunState, event: Data) -> None:
    step = state.step(event["step"])
    if not step.starts:
        state.order.append(step.name)
    step.starts += 1
    step.status, step.started_us, step.error = StepStatus.RUNNING, event["at"], None
    state.current = step.name


def _step_finished(state: RunState, event: Data) -> None:
    step, result = state.step(event["step"]), event["result"]
    step.result, step.elapsed = result, event["elapsed"]
    state.context |= event.get("context", {})
    state.current = None
    if not result["success"]:
        step.status, step.error = StepStatus.FAILED, result["error"]
        state.reason = state.reason or f"Step {step.name!r} failed: {step.error}"
    else:
        step.status = StepStatus.SKIPPED if result["skipped"] else StepStatus.SUCCEEDED


def _undo_recorded(state: RunState, event: Data) -> None:
    state.step(event["step"]).undo_log += event["entries"]


def _progress_saved(state: RunState, event: Data) -> None:
    state.step(event["step"]).saved_progress |= event["state"]
    state.context |= event.get("context", {})


def _rollback_started(state: RunState, event: Data) -> None:
    state.status, state.reason = RunStatus.ROLLING_BACK, event["reason"]
    state.to_undo = list(event["steps"])
    state.context |= event.get("context", {})


def _step_rollback_started(state: RunState, event: Data) -> None:
    state.reason = state.reason or "its rollback had begun"  # even if the record of that could not be written
    state.step(event["step"]).status = StepStatus.ROLLING_BACK


def _step_rolled_back(state: RunState, event: Data) -> None:
    step = state.step(event["step"])
    step.rollback_error = event["error"]
    if event["error"] is None:
        step.status = StepStatus.ROLLED_BACK
        state.to_undo = [name for name in state.to_undo if name != step.name]
    else:
        step.status = StepStatus.NOT_ROLLED_BACK
    state.context |= event.get("context", {})


def _run_finished(state: RunState, event: Data) -> None:
    state.status, state.error = RunStatus(event["status"]), event["error"]
    state.interrupted = event["interrupted"]
    state.result = event.get("result")
    if state.status is RunStatus.ROLLED_BACK:
        state.to_undo = []
    if state.status is not RunStatus.SUCCEEDED:
        state.reason = state.reason or state.error or "it failed"
    else:
        state.percent = 100


def _run_progressed(state: RunState, event: Data) -> None:
    state.percent = event["percent"]


def _progress_reported(state: RunState, event: Data) -> None:
    state.progress[event["category"] or ""] = (event["current"], event["total"])


def _metrics_reported(state: RunState, event: Data) -> None:
    state.metrics.setdefault(event["category"] or "", {}).update(event["values"])


def _happened_within(state: RunState, event: Data) -> None:
    state.parts.setdefault(event["step"], RunState()).add_events(event["events"])


FOLDS: Mapping[str, Callable[[RunState, Data], None]] = {
    "RunStarted": _run_started,
    "RunResumed": _run_resumed,
    "StepStarted": _step_started,
    "StepFinished": _step_finished,
    "UndoRecorded": _undo_recorded,
    "ProgressSaved": _progress_saved,
    "RollbackStarted": _rollback_started,
    "StepRollbackStarted": _step_rollback_started,
    "StepRolledBack": _step_rolled_back,
    "RunFinished": _run_finished,
    "RunProgressed": _run_progressed,
    "ProgressReported": _progress_reported,
    "MetricsReported": _metrics_reported,
    "HappenedWithin": _happened_within,
}
"""How each kind of event changes the state of a run; other kinds do not."""

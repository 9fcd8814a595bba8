"""A recorded run at one moment, as a value: where it stands, what its steps did, and what can be done about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from synapse_sdk.journal import RunRecord, RunState, StepState
from synapse_sdk.journal.base import LEASE_SECONDS
from synapse_sdk.journal.state import StepStatus
from synapse_sdk.reporting.events import RunStatus

__all__ = ["CollectedRuns", "NextStep", "RunReport", "StepReport", "is_interrupted"]


class NextStep(StrEnum):
    """What can be done about a run as it stands."""

    WATCH = "watch"
    CANCEL = "cancel"
    RESUME = "resume"
    ROLLBACK = "rollback"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepReport:
    """One step of a run."""

    name: str
    status: StepStatus
    share: float
    """Its part of the progress, 0.0 to 1.0."""
    started_at: datetime | None
    elapsed: float
    """Seconds it took, forward."""
    starts: int
    """How often it was started."""
    undo_entries: int
    """Entries of its undo log."""
    data: Mapping[str, Any]
    """What its result says, as JSON data."""
    error: str | None
    """Why it failed."""
    rollback_error: str | None
    """Why it could not be undone."""
    steps: "tuple[StepReport, ...]" = ()
    """Those of the run inside it, if it is an action of a pipeline."""

    @classmethod
    def of(cls, step: StepState, part: RunState | None = None) -> "StepReport":
        """Return what there is to know about a step, and about the run inside it."""
        inner = () if part is None else tuple(cls.of(each, part.parts.get(each.name)) for each in part.steps.values())
        return cls(
            name=step.name,
            status=step.status,
            share=step.share,
            started_at=step.started_at,
            elapsed=step.elapsed,
            starts=step.starts,
            undo_entries=len(step.undo_log),
            data=(step.result or {}).get("data") or {},
            error=step.error,
            rollback_error=step.rollback_error,
            steps=inner,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """One run as its journal knows it at one moment."""

    record: RunRecord
    status: RunStatus
    steps: tuple[StepReport, ...]
    """In the order of the plan; none if no step was begun."""
    started_at: datetime | None
    """Aware UTC instant at which its first worker began; None before."""
    last_at: datetime | None
    """When the last thing happened."""
    percent: int
    resumes: int
    """How often another worker went on with it."""
    progress: Mapping[str, tuple[float, float]]
    """Per category: how much of how much."""
    metrics: Mapping[str, Mapping[str, Any]]
    """Per category: figures."""
    reason: str | None
    """Why it is, or was, undone."""
    error: str | None
    """What ended it."""
    was_stopped: bool
    """Whether it was stopped or cancelled rather than failed."""
    result: Any
    """What the action gave back, as JSON data."""
    leftovers: Mapping[str, str]
    """Steps that should be undone and are not, and why."""
    errors: tuple[str, ...]
    """What the steps said went wrong without failing (the errors of their context)."""
    damage: str | None = field(default=None)
    """Why what happened cannot be read, if the journal is damaged; then most of the above is missing."""

    @property
    def id(self) -> str:
        """Names the run."""
        return self.record.id

    @property
    def is_alive(self) -> bool:
        """Whether a worker is at work on it, as far as is known."""
        return self.record.is_owned and not self.record.has_ended

    @property
    def is_interrupted(self) -> bool:
        """Whether it was begun and has no end, and no worker that lives."""
        return is_interrupted(self.record)

    @property
    def done(self) -> int:
        """How many steps succeeded or were skipped, whatever became of them later."""
        return sum(step.status not in _NOT_DONE and not step.error for step in self.steps)

    @property
    def elapsed(self) -> float | None:
        """Seconds from its first beginning to its end, or to the last thing that happened; None before."""
        if self.started_at is None:
            return None
        end = self.record.ended_at or (datetime.now(UTC) if self.is_alive else self.last_at) or self.started_at
        return max(0.0, (end - self.started_at).total_seconds())

    @property
    def next_steps(self) -> tuple[NextStep, ...]:
        """What can be done about it now; nothing about a run that has ended."""
        if self.record.has_ended:
            return ()
        if self.is_alive:
            return (NextStep.WATCH, NextStep.CANCEL)
        can_go_on = self.reason is None and self.record.cancellation is None and self.damage is None
        return (NextStep.RESUME, NextStep.ROLLBACK) if can_go_on else (NextStep.ROLLBACK,)


_NOT_DONE = frozenset({StepStatus.PENDING, StepStatus.RUNNING, StepStatus.FAILED})


def is_interrupted(run: RunRecord) -> bool:
    """Whether a run was begun and has no end, and no worker that lives."""
    if run.has_ended or run.is_owned or run.status is RunStatus.ROLLBACK_INCOMPLETE:
        return False
    # One that nobody has begun with may be about to begin, in a process that is only starting.
    is_new = run.token == 0 and datetime.now(UTC) - run.created_at < timedelta(seconds=LEASE_SECONDS)
    return not is_new


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectedRuns:
    """Runs that were forgotten, or could be."""

    runs: tuple[RunRecord, ...]
    size: int
    """Bytes of what was recorded about them."""
    are_forgotten: bool
    """Whether they are; False if it was only asked which there are."""

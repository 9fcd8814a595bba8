"""What runs have submitted to tasks, and what comes of it."""

from dataclasses import dataclass
from enum import StrEnum

from synapse_sdk.backend.records.work import TaskId
from synapse_sdk.types import JsonObject

__all__ = ["Submission", "SubmissionOutcome", "WithdrawalOutcome", "WithdrawnTask"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """Annotation data that a run has for a task."""

    task_id: TaskId
    data: JsonObject
    """A DM document, which takes the place of what the task has."""
    expected_version: int
    """The version that the task had when the run looked at it."""


class SubmissionOutcome(StrEnum):
    """What became of a submission."""

    SUBMITTED = "submitted"
    """The task has the data, now or since an earlier call."""
    CONFLICT = "conflict"
    """Somebody has changed the task meanwhile; it keeps what it has."""
    GONE = "gone"
    """There is no such task any more."""


class WithdrawalOutcome(StrEnum):
    """What became of a task when a submission was withdrawn."""

    RESTORED = "restored"
    """It has again what it had before."""
    CONFLICT = "conflict"
    """Somebody has changed it since; it keeps what it has."""
    GONE = "gone"
    """There is no such task any more."""


@dataclass(frozen=True, slots=True)
class WithdrawnTask:
    """A task from which a run has taken back what it had submitted."""

    task_id: TaskId
    outcome: WithdrawalOutcome

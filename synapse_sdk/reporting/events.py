"""What can happen in a run: the vocabulary shared by the engine, reporters and the journal.

Events are values. The engine makes them only when somebody observes the run. Every event knows when it happened.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Protocol

__all__ = [
    "Event",
    "InterruptHeld",
    "LogLevel",
    "Logged",
    "LogsShed",
    "MetricsReported",
    "ProgressReported",
    "ProgressSaved",
    "RollbackStarted",
    "RunFinished",
    "RunProgressed",
    "RunStarted",
    "RunStatus",
    "StepFinished",
    "StepOutcome",
    "StepRollbackStarted",
    "StepRolledBack",
    "StepStarted",
    "UndoRecorded",
]


class LogLevel(StrEnum):
    """How much a log line matters."""

    DEBUG = "debug"
    INFO = "info"
    SUCCESS = "success"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"


class RunStatus(StrEnum):
    """Where a run stands; `SUCCEEDED`, `FAILED`, `ROLLED_BACK` and `CANCELLED` are final."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    ROLLING_BACK = "rolling_back"
    ROLLED_BACK = "rolled_back"
    ROLLBACK_INCOMPLETE = "rollback_incomplete"
    CANCELLED = "cancelled"


class StepOutcome(Protocol):
    """What an observer may read of a step's result (`StepResult` fits)."""

    @property
    def success(self) -> bool: ...  # noqa: D102
    @property
    def skipped(self) -> bool: ...  # noqa: D102
    @property
    def error(self) -> str | None: ...  # noqa: D102
    @property
    def data(self) -> dict[str, Any]: ...  # noqa: D102
    @property
    def rollback_data(self) -> dict[str, Any]: ...  # noqa: D102


def utc_now() -> datetime:
    """Return the current instant, aware, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Timed:
    occurred_at: datetime = field(default_factory=utc_now, compare=False, repr=False)
    """Aware UTC instant at which it happened."""


@dataclass(frozen=True, slots=True)
class RunStarted(_Timed):
    """A run begins."""

    steps: tuple[tuple[str, float], ...]
    """Name and share of the progress bar (0.0 to 1.0, summing to 1) of every step, in order."""
    finished: tuple[str, ...] = ()
    """Names of the steps that an earlier worker of a resumed run has done; they do not run again."""
    run_id: str | None = None
    """Names the run, in the journal as well; None for one that nobody has named."""
    within: str | None = None
    """The step of another run of which this one is a part; that one tells how far both have come. None for others."""


@dataclass(frozen=True, slots=True)
class StepStarted(_Timed):
    """A step is about to run, or to be skipped."""

    step: str


@dataclass(frozen=True, slots=True)
class UndoRecorded(_Timed):
    """A step is about to have an effect and has said how to undo it."""

    step: str
    entry: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ProgressSaved(_Timed):
    """A step has said from where it could go on."""

    step: str
    state: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StepFinished(_Timed):
    """A step succeeded, failed or was skipped, as its result says."""

    step: str
    result: StepOutcome
    elapsed: float
    """Seconds since its start."""


@dataclass(frozen=True, slots=True)
class RunProgressed(_Timed):
    """The whole run has come this far."""

    percent: int
    """0 to 100; never falls, and is 100 only when everything is done."""


@dataclass(frozen=True, slots=True)
class RollbackStarted(_Timed):
    """The run failed or was stopped and is about to be undone."""

    steps: tuple[str, ...]
    """Names of the steps to undo, in the order of undoing."""
    reason: str


@dataclass(frozen=True, slots=True)
class StepRollbackStarted(_Timed):
    """A step is about to be undone."""

    step: str


@dataclass(frozen=True, slots=True)
class StepRolledBack(_Timed):
    """A step was undone, or could not be."""

    step: str
    elapsed: float
    """Seconds the undoing took."""
    error: str | None = None
    """Why it could not be undone; None when it was."""
    traceback: str | None = None


@dataclass(frozen=True, slots=True)
class InterruptHeld(_Timed):
    """Ctrl-C or a request to end came during a rollback, which goes on."""

    presses: int
    presses_left: int
    """Further presses after which the rollback is abandoned."""


@dataclass(frozen=True, slots=True)
class RunFinished(_Timed):
    """A run has come to its end; the last event of a run."""

    status: RunStatus
    elapsed: float
    """Seconds since its start, rollback included."""
    error: str | None = None
    interrupted: bool = False
    """Whether it was stopped (Ctrl-C, a request to end, cancellation) rather than failed."""


@dataclass(frozen=True, slots=True)
class Logged(_Timed):
    """A step, an action or a library has something to say."""

    event: str
    """What happened, as a stable word such as `resize_failed`."""
    data: Mapping[str, Any]
    level: LogLevel = LogLevel.INFO
    file: str | None = None
    category: str | None = None


@dataclass(frozen=True, slots=True)
class LogsShed(_Timed):
    """Log lines came faster than they could be shown, and some were dropped."""

    count: int
    """Lines dropped since the last such event."""


@dataclass(frozen=True, slots=True)
class ProgressReported(_Timed):
    """Work within a category has come this far."""

    category: str | None
    current: float
    total: float


@dataclass(frozen=True, slots=True)
class MetricsReported(_Timed):
    """Figures of a category have these values now; earlier names keep theirs."""

    category: str | None
    values: Mapping[str, Any]


type Event = (
    RunStarted
    | StepStarted
    | UndoRecorded
    | ProgressSaved
    | StepFinished
    | RunProgressed
    | RollbackStarted
    | StepRollbackStarted
    | StepRolledBack
    | InterruptHeld
    | RunFinished
    | Logged
    | LogsShed
    | ProgressReported
    | MetricsReported
)
"""Everything an observer can be told."""

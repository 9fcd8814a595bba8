"""What there is to show of a single step, and of an undoing: the parts of a `RunView`."""

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["STOPS", "RollbackView", "StepState", "StepView"]

STOPS = {
    "KeyboardInterrupt": "Ctrl-C",
    "Terminated": "a request to end (SIGTERM)",
    "HungUp": "the closing of its terminal (SIGHUP)",
    "CancelledError": "cancellation",
}
"""What the engine gives as the error of a step that did not fail but was stopped, in the words of people."""


class StepState(StrEnum):
    """Where a step stands, as one word for people."""

    RUNNING = "running"
    DONE = "done"
    DONE_BEFORE = "done before"
    """By an earlier worker of the run."""
    SKIPPED = "skipped"
    FAILED = "failed"
    UNDOING = "undoing"
    UNDONE = "undone"
    NOT_UNDONE = "not undone"


@dataclass(slots=True)
class StepView:
    """What is known of one step that has been started."""

    name: str
    number: int
    """Place in its run, from 1."""
    state: StepState = StepState.RUNNING
    elapsed: float = 0.0
    """Seconds from start to end; 0.0 while it runs."""
    has_failed: bool = False
    error: str | None = None
    """Why it failed."""
    undo_error: str | None = None
    """Why it could not be undone."""

    @property
    def stopped_by(self) -> str | None:
        """What stopped it, such as Ctrl-C; None if it was not stopped but failed, or did not fail at all."""
        return STOPS.get(self.error or "")


@dataclass(slots=True)
class RollbackView:
    """How far the undoing of a run has come."""

    steps: tuple[str, ...]
    """Names of the steps to undo, in the order of undoing."""
    reason: str
    done: int = 0
    """Steps that were tried, whether they could be undone or not."""
    current: str | None = None
    """Name of the step that is being undone."""

    @property
    def left(self) -> int:
        """Steps that are not behind us yet, the current one included."""
        return len(self.steps) - self.done

    @property
    def number(self) -> int:
        """Place of the current step, or of the last one, from 1."""
        return self.done + (self.current is not None)

"""The two ports of reporting: who observes a run, and who also takes what steps say."""

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from synapse_sdk.reporting.events import Event

__all__ = ["Reporter", "RunObserver"]


@runtime_checkable
class RunObserver(Protocol):
    """Is told, in order and at once, what the engine does.

    This is the one seam between the engine and everything that wants to know about a run. For each step an observer
    hears `StepStarted`, any number of `UndoRecorded` and `ProgressSaved`, then `StepFinished`; a run is framed by
    `RunStarted` and `RunFinished`; an undone run has `RollbackStarted` and a pair of `StepRollbackStarted` and
    `StepRolledBack` for every step, in the order of undoing.

    `UndoRecorded` is delivered before `context.record_undo` returns, that is before the effect it describes: an
    observer that stores it durably can undo the effect even if the process dies right after.

    Calls come from the thread that runs the step, so from several threads at once within `ParallelSteps`.
    """

    def observe(self, event: "Event") -> None:
        """Take note of one event."""
        ...


@runtime_checkable
class Reporter(RunObserver, Protocol):
    """Shows or keeps what happens: an observer that also takes logs, metrics and progress.

    Logs and metrics arrive through `observe`. Progress has a method of its own because a step may report it a
    hundred thousand times: an implementation keeps the last value of each category and returns at once.
    """

    def set_progress(self, current: float, total: float, category: str | None) -> None:
        """Note how far the work of a category has come; the last value wins."""
        ...

    def close(self) -> None:
        """Show what is still held back and release everything; safe to call twice."""
        ...

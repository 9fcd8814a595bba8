"""Telling observers what an execution does; loaded only when somebody observes."""

from collections.abc import Mapping, Sequence
from time import perf_counter
from typing import TYPE_CHECKING, Any

from synapse_sdk.errors import LeaseLostError
from synapse_sdk.plugins.steps.base import StepResult
from synapse_sdk.plugins.steps.compiled import CompiledPlan
from synapse_sdk.reporting.events import (
    Event,
    InterruptHeld,
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

if TYPE_CHECKING:
    from synapse_sdk.plugins.steps.context import SinkFailures
    from synapse_sdk.plugins.steps.rollback import RollbackError
    from synapse_sdk.reporting.base import RunObserver

__all__ = ["Announcer"]


class Announcer:
    """Makes an event of each thing that happens and hands it to the journal first, then to the observers.

    On the way forward an exception of the journal is the run's: what cannot be recorded must not be done. On the way
    back, and from observers always, exceptions are counted and the run goes on; all but LeaseLostError, after which the
    run is another worker's.
    """

    def __init__(
        self,
        journal: "RunObserver | None",
        observers: "Sequence[RunObserver]",
        sink_failures: "SinkFailures",
        run_id: str | None = None,
    ) -> None:
        self._run_id = run_id
        self._journal = journal
        self._observers = tuple(observers)
        self.is_watched = any(getattr(each, "inner", each) is not None for each in self._observers)
        """Whether anybody but the journal is told."""
        self.is_disowned = False
        """Whether another worker has taken over the run, so that nothing of it may be touched here any more."""
        self._sink_failures = sink_failures
        self._run_began = self._step_began = perf_counter()

    def tell(self, event: Event) -> None:
        """Tell everybody; the journal may refuse by raising, which the observers hear of in a later event."""
        try:
            if self._journal is not None:
                self._journal.observe(event)
        except LeaseLostError:
            self.is_disowned = True
            raise
        finally:
            self._tell_observers(event)

    def tell_regardless(self, event: Event) -> None:
        """Tell everybody, on the way back, where nothing may stand in the way."""
        if self._journal is not None:
            try:
                self._journal.observe(event)
            except LeaseLostError:
                self.is_disowned = True
                raise
            except Exception as error:  # noqa: BLE001  # undoing matters more than recording it
                self._sink_failures.note("journal", error)
        self._tell_observers(event)

    def _tell_observers(self, event: Event) -> None:
        for observer in self._observers:
            try:
                observer.observe(event)
            except Exception as error:  # noqa: BLE001  # whoever watches must not be able to fail the run
                self._sink_failures.note(f"observer {type(observer).__name__}", error)

    def run_started(self, plan: CompiledPlan, finished: int = 0) -> None:
        """Say that the run begins, or goes on after so many steps."""
        shares = tuple((name, plan.share(index)) for index, name in enumerate(plan.names))
        self.tell(RunStarted(shares, tuple(plan.names[:finished]), self._run_id))

    def step_started(self, name: str) -> None:
        """Say that a step's turn has come."""
        self._step_began = perf_counter()
        self.tell(StepStarted(name))

    def undo_recorded(self, name: str, entry: Mapping[str, Any]) -> None:
        """Say how to undo what a step is about to do."""
        self.tell(UndoRecorded(name, entry))

    def undos_recorded(self, name: str, entries: "Sequence[Mapping[str, Any]]") -> None:
        """Say how to undo many effects; a journal that can do so records them in one go."""
        events = [UndoRecorded(name, entry) for entry in entries]
        observe_all = getattr(self._journal, "observe_all", None)
        if observe_all is None:
            for event in events:
                self.tell(event)
            return
        try:
            observe_all(events)
        except LeaseLostError:
            self.is_disowned = True
            raise
        for event in events:
            self._tell_observers(event)

    def progress_saved(self, name: str, state: Mapping[str, Any]) -> None:
        """Say from where a step could go on."""
        self.tell(ProgressSaved(name, state))

    def step_finished(self, name: str, result: StepResult) -> None:
        """Say that a step succeeded or was skipped."""
        self.tell(StepFinished(name, result, perf_counter() - self._step_began))

    def run_progressed(self, percent: int) -> None:
        """Say how far the whole run has come."""
        self._tell_observers(RunProgressed(percent))

    def step_failed(self, name: str, result: StepResult) -> None:
        """Say that a step failed."""
        self.tell_regardless(StepFinished(name, result, perf_counter() - self._step_began))

    def rollback_started(self, names: Sequence[str], reason: str) -> None:
        """Say what is going to be undone, and why."""
        self.tell_regardless(RollbackStarted(tuple(names), reason))

    def step_rollback_started(self, name: str) -> None:
        """Say that a step is about to be undone."""
        self._step_began = perf_counter()
        self.tell_regardless(StepRollbackStarted(name))

    def step_rolled_back(self, name: str, problem: "RollbackError | None") -> None:
        """Say that a step was undone, or why it could not be."""
        elapsed = perf_counter() - self._step_began
        if problem is None:
            self.tell_regardless(StepRolledBack(name, elapsed))
        else:
            self.tell_regardless(StepRolledBack(name, elapsed, problem.text, problem.traceback))

    def interrupt_held(self, presses: int, presses_left: int) -> None:
        """Say that a signal was held back."""
        self._tell_observers(InterruptHeld(presses, presses_left))

    def run_finished(self, status: str, error: str | None = None, *, interrupted: bool = False) -> None:
        """Say how the run ended."""
        self.tell_regardless(RunFinished(RunStatus(status), perf_counter() - self._run_began, error, interrupted))

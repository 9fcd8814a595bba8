"""What there is to show of a run: a pure model, fed by events, that every drawing reads."""

from collections.abc import Callable, Mapping, Sized
from typing import Any

from synapse_sdk.clock import Clock
from synapse_sdk.reporting.events import (
    Event,
    InterruptHeld,
    MetricsReported,
    ProgressReported,
    RollbackStarted,
    RunFinished,
    RunProgressed,
    RunStarted,
    RunStatus,
    StepFinished,
    StepRollbackStarted,
    StepRolledBack,
    StepStarted,
)
from synapse_sdk.reporting.pace import WorkProgress
from synapse_sdk.reporting.step_view import RollbackView, StepState, StepView

__all__ = ["RunView"]

MOST_CATEGORIES = 1_000
"""Categories whose progress is remembered at a time; the oldest is forgotten first."""
WHOLE_RUN = "overall"
"""The category under which a progress callback reports the run itself; the bar shows that already."""


class RunView:
    """The state of one run, and of the run inside its current step if there is one.

    A view is reused: a run that starts after the end of another begins with a clean slate.

    Args:
        clock: Where elapsed times and rates come from.
        depth: 0 for a run of its own, 1 for a run inside a step of it, and so on.
    """

    def __init__(self, clock: Clock, depth: int = 0) -> None:
        self.depth = depth
        self._clock = clock
        self._reactions: Mapping[type, Callable[[Any], None]] = {
            RunStarted: self._run_started,
            StepStarted: self._step_started,
            StepFinished: self._step_finished,
            RunProgressed: self._run_progressed,
            RollbackStarted: self._rollback_started,
            StepRollbackStarted: self._step_rollback_started,
            StepRolledBack: self._step_rolled_back,
            InterruptHeld: self._interrupt_held,
            RunFinished: self._run_finished,
            MetricsReported: self._metrics_reported,
            ProgressReported: self._progress_reported,
        }
        self._reset(0)

    def _reset(self, total: int) -> None:
        self.status = RunStatus.PENDING
        self.percent = 0
        self.total = total
        """How many steps the run has."""
        self.steps: dict[str, StepView] = {}
        """Every step that was started, by name, in order."""
        self.current: StepView | None = None
        """The step that runs now; None between steps and during a rollback."""
        self.rollback: RollbackView | None = None
        self.interrupt: InterruptHeld | None = None
        """The last interrupt that the rollback withstood."""
        self.failed: dict[str | None, int] = {}
        """How many things failed, by category, as far as metrics or results say so; zeros are left out."""
        self.error: str | None = None
        self.is_stopped = False
        """Whether it was stopped, by Ctrl-C for example, rather than failed."""
        self.inner: RunView | None = None
        """The run inside the current step."""
        self.is_part = False
        """Whether the run around it tells how far both have come."""
        self.progress: dict[str | None, WorkProgress] = {}
        """Last progress of each category, the least recently changed first."""
        self._started_at = self._clock.monotonic()
        self._elapsed: float | None = None

    def observe(self, event: Event) -> "RunView":
        """Take an event in and return the view of the run it belongs to: this one, or one inside it."""
        if self.inner is not None and not (self.inner.is_part and isinstance(event, RunProgressed)):
            view = self.inner.observe(event)
            if not self.inner.is_active:
                self.inner = None
            return view
        if isinstance(event, RunStarted) and self.is_active:
            self.inner = RunView(self._clock, self.depth + 1)
            return self.inner.observe(event)
        reaction = self._reactions.get(type(event))
        if reaction is not None:
            reaction(event)
        return self

    def set_progress(self, current: float, total: float, category: str | None) -> None:
        """Note how far the work of a category has come."""
        if self.inner is not None:
            self.inner.set_progress(current, total, category)
        elif category != WHOLE_RUN:
            progress = self.progress.pop(category, None) or WorkProgress()
            progress.update(current, total, self.now)
            self.progress[category] = progress
            if len(self.progress) > MOST_CATEGORIES:
                del self.progress[next(iter(self.progress))]

    # What to show

    @property
    def now(self) -> float:
        """Seconds on the clock of this view."""
        return self._clock.monotonic()

    @property
    def elapsed(self) -> float:
        """Seconds since the start of the run, up to its end."""
        return self.now - self._started_at if self._elapsed is None else self._elapsed

    @property
    def is_active(self) -> bool:
        """Whether the run has begun and not ended."""
        return self.status in {RunStatus.RUNNING, RunStatus.ROLLING_BACK}

    @property
    def innermost(self) -> "RunView":
        """The run in which things happen now."""
        return self if self.inner is None else self.inner.innermost

    @property
    def work(self) -> WorkProgress | None:
        """How far the step that runs, or is being undone, has come by its own account."""
        name = self.busy_with
        return None if name is None else self.progress.get(name)

    @property
    def busy_with(self) -> str | None:
        """Name of the step that runs or is being undone."""
        if self.rollback is not None:
            return self.rollback.current
        return None if self.current is None else self.current.name

    def side_work(self) -> list[tuple[str, WorkProgress]]:
        """Return the unfinished work of other categories than the step's own, the last changed first."""
        others = [(name, work) for name, work in self.progress.items() if name and name != self.busy_with]
        return [(name, work) for name, work in reversed(others) if not work.is_done]

    @property
    def undone(self) -> int:
        """How many steps were undone."""
        return sum(step.state is StepState.UNDONE for step in self.steps.values())

    @property
    def skipped(self) -> int:
        """How many steps were skipped."""
        return sum(step.state is StepState.SKIPPED for step in self.steps.values())

    def leftovers(self) -> list[tuple[str, str | None]]:
        """Return the steps that should have been undone and were not, with the reason; None for those not tried."""
        if self.rollback is None:
            return []
        states = [(name, self._step(name)) for name in self.rollback.steps]
        return [(name, step.undo_error) for name, step in states if step.state is not StepState.UNDONE]

    # What happens

    def _step(self, name: str) -> StepView:
        if name not in self.steps:
            self.steps[name] = StepView(name, len(self.steps) + 1)
        return self.steps[name]

    def _run_started(self, event: RunStarted) -> None:
        self._reset(len(event.steps))
        self.is_part = event.within is not None
        self.status = RunStatus.RUNNING
        for name in event.finished:
            self._step(name).state = StepState.DONE_BEFORE

    def _step_started(self, event: StepStarted) -> None:
        self.current = self._step(event.step)
        self.progress.clear()

    def _step_finished(self, event: StepFinished) -> None:
        step, result = self._step(event.step), event.result
        step.elapsed, step.error = event.elapsed, None if result.success else result.error
        step.has_failed = not result.success
        step.state = StepState.SKIPPED if result.skipped else StepState.DONE if result.success else StepState.FAILED
        self.current = None
        self._count_failed(event.step, result.data)

    def _run_progressed(self, event: RunProgressed) -> None:
        self.percent = event.percent

    def _progress_reported(self, event: ProgressReported) -> None:
        self.set_progress(event.current, event.total, event.category)

    def _metrics_reported(self, event: MetricsReported) -> None:
        self._count_failed(event.category, event.values)

    def _count_failed(self, category: str | None, values: Mapping[str, Any]) -> None:
        failed = values.get("failed")
        if isinstance(failed, Sized) and not isinstance(failed, str | bytes):
            failed = len(failed)
        if isinstance(failed, int) and not isinstance(failed, bool):
            self.failed.pop(category, None)
            if failed > 0:
                self.failed[category] = failed

    def _rollback_started(self, event: RollbackStarted) -> None:
        self.status = RunStatus.ROLLING_BACK
        self.rollback = RollbackView(event.steps, event.reason)
        self.current = None
        self.progress.clear()

    def _step_rollback_started(self, event: StepRollbackStarted) -> None:
        self._step(event.step).state = StepState.UNDOING
        if self.rollback is not None:
            self.rollback.current = event.step

    def _step_rolled_back(self, event: StepRolledBack) -> None:
        step = self._step(event.step)
        step.state = StepState.UNDONE if event.error is None else StepState.NOT_UNDONE
        step.undo_error = event.error
        if self.rollback is not None:
            self.rollback.current = None
            self.rollback.done += 1

    def _interrupt_held(self, event: InterruptHeld) -> None:
        self.interrupt = event

    def _run_finished(self, event: RunFinished) -> None:
        self.status, self.error, self._elapsed = event.status, event.error, event.elapsed
        self.is_stopped = event.interrupted
        self.current = None

"""One execution of a plan: a small state machine that goes forward, or stops and goes backward."""

from _thread import RLock, allocate_lock, get_ident  # what `threading` is made of, at a tenth of its start-up cost
from collections.abc import Awaitable, Callable, Iterable, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, NoReturn

from synapse_sdk.errors import StepFailedError, WorkflowError
from synapse_sdk.plugins.steps.base import BaseStep, StepResult
from synapse_sdk.plugins.steps.compiled import CompiledPlan
from synapse_sdk.plugins.steps.context import BaseStepContext, StepScope
from synapse_sdk.plugins.steps.outcome import checked_result, error_text

if TYPE_CHECKING:
    from synapse_sdk.plugins.steps.announce import Announcer
    from synapse_sdk.plugins.steps.coroutines import LoopThread
    from synapse_sdk.plugins.steps.history import History

__all__ = ["Execution"]


class _ReturnedFailureError(Exception):
    """Carries a result with `success=False` out of the loop."""

    def __init__(self, result: StepResult) -> None:
        super().__init__(result.error or "it returned success=False and no reason")
        self.result = result


class Execution(StepScope):
    """Where a run stands, and what would have to be undone.

    It advances step by step until all are done or something is raised; what is raised ends in `_fail`, which undoes
    what was done and raises in its turn. It is also the scope of its context: it takes what the step in flight
    records, saves and reports. Made for one run, used once.

    Args:
        plan: The steps, worked out.
        context: What they share.
        progress_callback: Called with `(percent, 100)` when the whole percent changes.
        announce: Told of everything that happens; None when nobody observes, which costs nothing.
    """

    def __init__(
        self,
        plan: CompiledPlan,
        context: BaseStepContext,
        progress_callback: Callable[[int, int], object] | None,
        announce: "Announcer | None",
    ) -> None:
        super().__init__()
        self._plan = plan
        self._context = context
        self._callback = progress_callback
        self._announce = announce
        self._results: list[StepResult] = []  # of this run, aligned with the plan
        self._reached: str | None = None  # the step whose turn came last; None before the first and while undoing
        self._never_began = False  # whether that step could not even be asked if it wants to be skipped
        self._is_undoing = False  # whether signals are held back by now
        self._has_records = False  # whether the step in flight recorded an undo entry or saved progress
        self._half_done: str | None = None  # the step that an earlier worker had begun; it is undone in any case
        self._skipped = 0
        self._percent = 0
        self._percent_lock = RLock()
        self.thread_id = get_ident()
        self._loop: LoopThread | None = None  # there is one once a step turned out to be `async`
        self._loop_lock = allocate_lock()

    def take_up(self, history: "History") -> None:
        """Go on after the steps that an earlier worker has done, the first of this plan."""
        context, plan = self._context, self._plan
        self._results = [history.finished[name] for name in plan.names[: len(history.finished)]]
        self._skipped = sum(result.skipped for result in self._results)
        context.step_results += self._results
        if len(self._results) < len(plan) and plan.names[len(self._results)] == history.in_flight:
            self._half_done = history.in_flight
            self.undo_log = [dict(entry) for entry in history.undo_log]
            self.saved_progress = dict(history.saved_progress)
            self._has_records = bool(self.undo_log or self.saved_progress)

    def run(self, conclude: Callable[[dict[str, Any]], object] | None = None) -> dict[str, Any]:
        """Go forward and, if need be, backward; returns and raises what `Orchestrator.execute` does."""
        context = self._context
        outer, outer_step = context._scope, context.current_step  # noqa: SLF001  # the slot is there for the engine
        if not isinstance(outer, Execution):
            outer = outer_step = None
        elif outer.thread_id != self.thread_id:
            msg = "This context is in use by a run in another thread"
            raise WorkflowError(msg, fix="Give each run a context of its own")
        context._scope = self  # noqa: SLF001  # as above
        try:
            return self._run_to_its_end(conclude)
        finally:
            context._scope, context.current_step = outer, outer_step  # noqa: SLF001  # as above
            if self._loop is not None:
                self._loop.close()
            context.sink_failures.sum_up()

    def _run_to_its_end(self, conclude: Callable[[dict[str, Any]], object] | None) -> dict[str, Any]:
        try:
            self._advance()
            summary = self._concluded(conclude)
        except BaseException as error:  # noqa: BLE001  # every way out but success undoes what was done
            while True:
                try:
                    self._fail(error)
                except KeyboardInterrupt as press:
                    self._count_if_early(press)
        try:
            self._show_percent(100)
        finally:  # the run is done, even if Ctrl-C comes just now
            if self._announce is not None:
                self._announce.run_finished("succeeded")
        return summary

    def _count_if_early(self, press: KeyboardInterrupt) -> None:
        """Let undoing begin again after a Ctrl-C that came before signals were held back; any other goes on."""
        from signal import SIGINT  # noqa: PLC0415  # loaded by `Orchestrator.execute`

        if self._is_undoing:
            raise press
        self.held_signals.append(SIGINT)

    # Forward

    def _advance(self) -> None:  # noqa: C901, PLR0912  # in one piece, because each call would cost every step
        """Take step after step. Every workflow pays for each line of this loop."""
        context, announce = self._context, self._announce
        keep, show = self._results.append, context.step_results.append
        plan, plain_result, next_percent_at = self._plan, StepResult, self._plan.weight_beyond(0)
        if announce is not None:
            announce.run_started(plan, len(self._results))
        steps: Iterable[tuple[str, BaseStep[Any], float]] = zip(plan.names, plan.steps, plan.ends, strict=True)
        if self._results:  # of an earlier worker
            next_percent_at = self._show_weight(plan.ends[len(self._results) - 1])
            steps = islice(steps, len(self._results), None)
        for name, step, weight_done in steps:
            self._reached = context.current_step = name
            try:
                if announce is not None:
                    announce.step_started(name)
                skips = step.can_skip(context)
                if skips is not False and skips is not True:
                    skips = self._truth(skips)
            except BaseException:
                self._never_began = True
                raise
            if skips:
                result = StepResult(skipped=True)
                self._skipped += 1
            else:
                outcome = step.execute(context)
                result = outcome if outcome.__class__ is plain_result else self._settled(outcome)
            if self._has_records:
                result = self._with_records(result)
            if not result.success:
                raise _ReturnedFailureError(result)
            keep(result)
            show(result)
            if announce is not None:
                announce.step_finished(name, result)
            if weight_done >= next_percent_at:
                next_percent_at = self._show_weight(weight_done)

    def _truth(self, answer: object) -> bool:
        return bool(self.wait_for(answer) if isinstance(answer, Awaitable) else answer)

    def _settled(self, outcome: object) -> StepResult:
        return checked_result(self.wait_for(outcome) if isinstance(outcome, Awaitable) else outcome)

    def _with_records(self, result: StepResult) -> StepResult:
        """Hand over what the step recorded; in a copy, because a step may return the same object again and again."""
        if self.undo_log:
            result = result.with_undo_log(self.undo_log)
        self.undo_log, self.saved_progress, self._has_records = [], {}, False
        return result

    def _concluded(self, conclude: Callable[[dict[str, Any]], object] | None) -> dict[str, Any]:
        self._reached = None  # what goes wrong from here on is no step's fault
        total = len(self._plan)
        summary = {"success": True, "steps_executed": total - self._skipped, "steps_total": total}
        if conclude is not None:
            conclude(summary)
        return summary

    # Backward

    def _fail(self, error: BaseException) -> NoReturn:
        """Record what failed, undo everything that was started, and raise what the caller is to see."""
        from synapse_sdk.interrupts import InsistentInterrupt  # noqa: PLC0415  # loaded, as the next
        from synapse_sdk.plugins.steps.rollback import Rollback, shielded  # noqa: PLC0415

        if self._announce is not None and self._announce.is_disowned:
            self._is_undoing = True  # as far as this worker is concerned: no Ctrl-C begins it again
            raise error  # it is another worker's run by now, who goes on with it or undoes it
        name, interrupted = self._reached, not isinstance(error, Exception)
        reason = error_text(error) if name is None else f"Step {name!r} failed: {error_text(error)}"
        with shielded(self._announce, presses=int(interrupted)) as shield:
            self._is_undoing = True
            failure = self._failure(error)
            rollback = Rollback(self._started(failure), self._context, self._announce)
            status = "rolled_back" if rollback.left else "cancelled" if interrupted else "failed"
            self._reached = None
            insistent = None
            try:
                if isinstance(error, InsistentInterrupt):  # a step held the presses before it back
                    raise error
                for number in self.held_signals:
                    shield.hold(number)
                rollback.run(reason)
            except InsistentInterrupt as press:
                insistent = press
                rollback.note_abandoned()
            if self._announce is not None:
                status = status if rollback.is_complete else "rollback_incomplete"
                self._announce.run_finished(status, reason, interrupted=interrupted)
        if insistent is not None:
            raise insistent from (error if insistent is not error else None)
        seen = error
        if not interrupted and name is not None:
            step = self._plan.steps[self._plan.names.index(name)]
            seen = StepFailedError(reason, step=step, result=failure, rollback_errors=rollback.errors)
            seen.__cause__ = None if isinstance(error, _ReturnedFailureError) else error
        try:
            raise seen
        finally:
            shield.obey(but=seen)

    def _started(self, failure: StepResult) -> list[tuple[BaseStep[Any], StepResult]]:
        """Return the steps that may have had effects, with their results; record the one in flight as failed."""
        plan, index = self._plan, len(self._results)
        done = zip(plan.steps, self._results, strict=False)  # the plan goes on where the results end
        half_done = self._half_done
        started = [
            (step, result)
            for step, result in done
            if not result.skipped or result.rollback_data or (half_done is not None and step.name == half_done)
        ]
        name = plan.names[index] if index < len(plan) else None
        may_have_begun = name is not None and name == half_done
        if name is not None and name == self._reached:  # else it was caught between two steps
            self._context.step_results.append(failure)
            if self._announce is not None:
                self._announce.step_failed(name, failure)
            may_have_begun = may_have_begun or not self._never_began or bool(failure.rollback_data)
        return [*started, (plan.steps[index], failure)] if may_have_begun else started

    def _failure(self, error: BaseException) -> StepResult:
        if isinstance(error, _ReturnedFailureError):
            result = error.result
            return result if result.error else result.with_fields(error=str(error))
        result = StepResult(success=False, error=error_text(error))
        return self._with_records(result) if self._has_records else result

    # The step in flight, as its context sees it

    def record_undo(self, entry: dict[str, Any]) -> None:
        """Tell observers, then keep the entry; returns before the effect it describes."""
        self._has_records = True
        self.undo_log.append(entry)
        if self._announce is not None and self._reached is not None:
            self._announce.undo_recorded(self._reached, entry)

    def record_undos(self, entries: Sequence[dict[str, Any]]) -> None:
        """Tell observers of all and keep all; returns before the effects they describe."""
        self._has_records = True
        self.undo_log += entries
        if self._announce is not None and self._reached is not None:
            self._announce.undos_recorded(self._reached, entries)

    def save_progress(self, state: dict[str, Any]) -> None:
        """Keep what was saved and tell observers."""
        self._has_records = True
        super().save_progress(state)
        if self._announce is not None and self._reached is not None:
            self._announce.progress_saved(self._reached, state)

    def advance(self, fraction: float) -> None:
        """Move the bar by the step's share; only the end of the run shows 100."""
        if self._reached is None:
            return
        plan, index = self._plan, len(self._results)
        percent = plan.percent(plan.ends[index] - plan.weights[index] * (1.0 - fraction))
        if percent > self._percent:
            with self._percent_lock:  # a step's own threads may come here at the same time
                if percent > self._percent:
                    self._show_percent(percent)

    def wait_for(self, awaitable: Awaitable[Any]) -> Any:  # noqa: ANN401  # whatever the coroutine returns
        """Run an awaitable on the one loop of this run."""
        with self._loop_lock:  # parallel steps may come here at the same time
            if self._loop is None:
                from synapse_sdk.plugins.steps.coroutines import LoopThread  # noqa: PLC0415  # 50 ms, with asyncio

                self._loop = LoopThread()
        return self._loop.wait_for(awaitable)

    def _show_weight(self, weight_done: float) -> float:
        """Show how much of the run this is, and return the weight from which there is more to show."""
        plan = self._plan
        percent = plan.percent(weight_done)
        if percent > self._percent and len(self._results) < len(plan.steps):  # 100 comes at the end
            self._show_percent(percent)
        return plan.weight_beyond(percent)

    def _show_percent(self, percent: int) -> None:
        self._percent = percent
        if self._callback is not None:
            try:
                self._callback(percent, 100)
            except Exception as error:  # noqa: BLE001  # whoever watches must not be able to fail the run
                self._context.sink_failures.note("progress callback", error)
        if self._announce is not None:
            self._announce.run_progressed(percent)

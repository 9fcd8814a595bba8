"""Runs the steps of a workflow: forward until one fails, then backward until all is undone."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from synapse_sdk.errors import WorkflowError
from synapse_sdk.plugins.steps.compiled import CompiledPlan
from synapse_sdk.plugins.steps.context import BaseStepContext, StepScope
from synapse_sdk.plugins.steps.execution import Execution
from synapse_sdk.plugins.steps.registry import StepRegistry

if TYPE_CHECKING:
    from synapse_sdk.plugins.steps.announce import Announcer
    from synapse_sdk.plugins.steps.history import History, RunJournal
    from synapse_sdk.plugins.steps.plan import Plan
    from synapse_sdk.plugins.steps.rollback import RollbackError
    from synapse_sdk.reporting.base import RunObserver

__all__ = ["Orchestrator"]


class Orchestrator[C: BaseStepContext]:
    """Executes a registry's steps in order and undoes them when one fails.

    Args:
        registry: The steps.
        context: What they share; its runtime context's reporter is told of everything that happens.
        progress_callback: Called with `(percent, 100)` whenever the whole percent of the run changes.
        journal: The run's journal, or any observer that must not miss anything: when it raises, the step in flight
            fails. By default that of the runtime context, if it has one. A run that the journal knows already goes on
            where it was.
        observers: Further observers; like the callback and the reporter they never fail a run.
        conclude: Called with the summary once all steps have succeeded, and before the run counts as done: when it
            raises, everything is undone and its exception goes on as it is.

    Example:
        >>> registry = StepRegistry()
        >>> context = BaseStepContext(runtime_ctx=None)
        >>> Orchestrator(registry, context).execute()
        {'success': True, 'steps_executed': 0, 'steps_total': 0}
    """

    def __init__(
        self,
        registry: StepRegistry[C],
        context: C,
        progress_callback: Callable[[int, int], object] | None = None,
        *,
        journal: "RunJournal | RunObserver | None" = None,
        observers: "Sequence[RunObserver]" = (),
        conclude: Callable[[dict[str, Any]], object] | None = None,
    ) -> None:
        self._registry = registry
        self._context = context
        self._progress_callback = progress_callback
        self._journal = journal
        self._observers = tuple(observers)
        self._conclude = conclude

    def execute(self) -> dict[str, Any]:
        """Run all steps.

        Returns:
            `{"success": True, "steps_executed": n, "steps_total": m}`; skipped steps count in the total only.

        Raises:
            StepFailedError: A step failed: it returned `success=False` or no StepResult, or it or its `can_skip`
                raised. Every step that had started was rolled back first, the failing one included, in reverse order.
            BaseException: KeyboardInterrupt, SystemExit and cancellation go on as themselves, after the same rollback.
            InvalidWeightError: A step's weight is not a number from 0.0 to 1.0; nothing was run.
            UnencodableValueError: The journal cannot write a field of the context; nothing was run.
            PlanChangedError: The journal knows this run with other steps; nothing was run.
            LeaseLostError: Another worker has taken over the journalled run; nothing was undone, that is its business.
        """
        # Loaded before the first step, not with the package: a run that fails because the process has no file handles
        # or memory left could not load it any more.
        import synapse_sdk.plugins.steps.rollback  # noqa: F401, PLC0415

        with self._attached() as (journal, history):
            registry = self._registry if history is None else history.order(self._registry)
            run = Execution(CompiledPlan(registry), self._context, self._progress_callback, self._announcer(journal))
            if history is not None:
                run.take_up(history)
            return run.run(self._conclude)

    def rollback(self, reason: str, *, is_cancelled: bool = False) -> "Sequence[RollbackError]":
        """Undo what a journalled run has done so far, as its journal tells, and go on where an earlier rollback ended.

        Args:
            reason: Why, for the journal and for observers; that of an earlier rollback is kept.
            is_cancelled: Whether a run of which nothing has to be undone counts as cancelled rather than failed.

        Returns:
            What could not be undone.

        Raises:
            WorkflowError: There is no journal, or it has nothing about this run.
            LeaseLostError: Another worker has taken over the run.
            InsistentInterrupt: The user pressed Ctrl-C until it was obeyed; what is left can be undone later.
        """
        from synapse_sdk.plugins.steps.rollback import Rollback, roll_back_run  # noqa: PLC0415  # most runs succeed

        with self._attached() as (journal, history):
            if history is None:
                msg = "There is nothing to undo: the journal has no step of this run"
                raise WorkflowError(msg)
            announce = self._announcer(journal)
            self._context.errors.clear()  # what an earlier rollback could not undo is tried again
            rollback = Rollback(history.started(self._registry), self._context, announce)
            outer, self._context._scope = self._context._scope, StepScope()  # noqa: SLF001  # for the engine
            try:
                why, has_undone = history.reason or reason, bool(history.undone)
                roll_back_run(rollback, announce, why, is_cancelled=is_cancelled, has_undone=has_undone)
            finally:
                self._context._scope, self._context.current_step = outer, None  # noqa: SLF001  # as above
                self._context.sink_failures.sum_up()
            return rollback.errors

    def plan(self) -> "Plan":
        """Return the steps, their weights, and which would be skipped if the run began now; nothing is executed."""
        from synapse_sdk.plugins.steps.plan import plan_of  # noqa: PLC0415  # a run does not need it

        return plan_of(CompiledPlan(self._registry), self._context)

    @contextmanager
    def _attached(self) -> "Iterator[tuple[RunObserver | None, History | None]]":
        """Take the run's journal for as long as this orchestrator runs, and yield it with what it knows of the run."""
        journal: Any = self._journal
        if journal is None:
            journal = getattr(self._context.runtime_ctx, "journal", None)
            if journal is not None and journal.is_taken:  # a workflow within a step is that step's own business
                journal = None
        if not hasattr(journal, "attach"):
            yield journal, None
            return
        history = journal.attach(self._context, self._registry)
        try:
            yield journal, history
        finally:
            journal.detach()

    def _announcer(self, journal: "RunObserver | None") -> "Announcer | None":
        """Return what tells journal, observers and reporter of the run, or None when there are none."""
        ctx: Any = self._context.runtime_ctx
        reporter: Any = getattr(ctx, "reporter", None)
        run_id = getattr(ctx, "job_id", None)
        observers = [*self._observers]
        if callable(getattr(reporter, "observe", None)):
            observers.append(reporter)
        if journal is None and not observers:
            return None
        from synapse_sdk.plugins.steps.announce import Announcer  # noqa: PLC0415  # unobserved runs do not pay for it

        return Announcer(journal, observers, self._context.sink_failures, None if run_id is None else str(run_id))

"""Runs the steps of a workflow: forward until one fails, then backward until all is undone."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from synapse_sdk.plugins.steps.compiled import CompiledPlan
from synapse_sdk.plugins.steps.context import BaseStepContext
from synapse_sdk.plugins.steps.execution import Execution
from synapse_sdk.plugins.steps.registry import StepRegistry

if TYPE_CHECKING:
    from synapse_sdk.plugins.steps.announce import Announcer
    from synapse_sdk.plugins.steps.plan import Plan
    from synapse_sdk.reporting.base import RunObserver

__all__ = ["Orchestrator"]


class Orchestrator[C: BaseStepContext]:
    """Executes a registry's steps in order and undoes them when one fails.

    Args:
        registry: The steps.
        context: What they share; its runtime context's reporter is told of everything that happens.
        progress_callback: Called with `(percent, 100)` whenever the whole percent of the run changes.
        journal: An observer that must not miss anything: when it raises, the step in flight fails.
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
        journal: "RunObserver | None" = None,
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
        """
        # Loaded before the first step, not with the package: a run that fails because the process has no file handles
        # or memory left could not load it any more.
        import synapse_sdk.plugins.steps.rollback  # noqa: F401, PLC0415

        plan = CompiledPlan(self._registry)
        run = Execution(plan, self._context, self._progress_callback, self._announcer())
        return run.run(self._conclude)

    def plan(self) -> "Plan":
        """Return the steps, their weights, and which would be skipped if the run began now; nothing is executed."""
        from synapse_sdk.plugins.steps.plan import plan_of  # noqa: PLC0415  # a run does not need it

        return plan_of(CompiledPlan(self._registry), self._context)

    def _announcer(self) -> "Announcer | None":
        """Return what tells journal, observers and reporter of the run, or None when there are none."""
        reporter: Any = getattr(self._context.runtime_ctx, "reporter", None)
        observers = [*self._observers]
        if callable(getattr(reporter, "observe", None)):
            observers.append(reporter)
        if self._journal is None and not observers:
            return None
        from synapse_sdk.plugins.steps.announce import Announcer  # noqa: PLC0415  # unobserved runs do not pay for it

        return Announcer(self._journal, observers, self._context.sink_failures)

"""Tries a step again when it fails."""

from typing import TYPE_CHECKING, Any

from synapse_sdk.clock import SYSTEM_CLOCK, Clock
from synapse_sdk.plugins.steps.base import BaseStep, StepResult
from synapse_sdk.plugins.steps.outcome import error_text, roll_back_all, run_step
from synapse_sdk.plugins.steps.wrapper import StepWrapper
from synapse_sdk.retry import RetryPolicy

if TYPE_CHECKING:
    from synapse_sdk.plugins.steps.context import BaseStepContext

__all__ = ["RetryStep"]


class RetryStep[C: "BaseStepContext"](StepWrapper[C]):
    """Try the wrapped step until it succeeds or the policy gives up.

    An attempt fails by raising or by returning `success=False`. Between attempts nothing is undone: the next one finds
    `context.saved_progress` as the last one left it and may go on from there. Rollback undoes the last attempt, then
    every failed one that left rollback data, newest first. Each failed attempt that is followed by another is logged
    as `step_retry {step, error, delay}`, the delay in seconds.

    Args:
        step: The step.
        policy: How often, with which pauses, and after which exceptions.
        clock: Where pauses are waited for.
    """

    prefix = "retried_"

    def __init__(self, step: BaseStep[C], policy: RetryPolicy | None = None, *, clock: Clock = SYSTEM_CLOCK) -> None:
        super().__init__(step)
        self._policy = policy or RetryPolicy()
        self._clock = clock

    def execute(self, context: C) -> StepResult:
        """Run the wrapped step, again and again if need be."""
        delays = self._policy.delays()
        while True:
            delay = next(delays)  # None with the last attempt, which leaves the loop
            try:
                result = run_step(self.wrapped, context)
            except Exception as error:
                if delay is None or not self._policy.should_retry(error):
                    raise
                problem = error_text(error)
            else:
                if result.success or delay is None:
                    return result
                problem = result.error or "it gave no reason"
                if result.rollback_data:
                    # Among the undo entries it outlives this attempt, however the next ones end.
                    context.record_undo(failed_attempt_of=self.name, rollback_data=result.rollback_data)
            context.log("step_retry", {"step": self.name, "error": problem, "delay": delay})
            self._clock.sleep(delay)

    def rollback(self, context: C, result: StepResult) -> None:
        """Undo the last attempt, then the failed ones before it, newest first."""
        own: list[dict[str, Any]] = []
        others: list[dict[str, Any]] = []
        for entry in result.rollback_data.get("undo_log", []):
            (own if entry.get("failed_attempt_of") == self.name else others).append(entry)
        last = result.with_undo_log(others) if own else result
        attempts = [StepResult(success=False, rollback_data=entry["rollback_data"]) for entry in reversed(own)]
        roll_back_all([(self.wrapped, attempt) for attempt in (last, *attempts)], context)

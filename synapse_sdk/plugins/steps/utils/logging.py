"""Says in the log when a step starts and how it ends."""

from time import perf_counter
from typing import TYPE_CHECKING

from synapse_sdk.plugins.steps.base import StepResult
from synapse_sdk.plugins.steps.outcome import run_step
from synapse_sdk.plugins.steps.wrapper import StepWrapper

if TYPE_CHECKING:
    from synapse_sdk.plugins.steps.context import BaseStepContext

__all__ = ["LoggingStep"]


class LoggingStep[C: "BaseStepContext"](StepWrapper[C]):
    """Log `step_start {step}` before the wrapped step and `step_end {step, elapsed, success}` after it.

    `step` is this wrapper's own name (`logged_...`), `elapsed` is in seconds. The end is logged, with `success` false,
    also when the wrapped step raises.
    """

    prefix = "logged_"

    def execute(self, context: C) -> StepResult:
        """Run the wrapped step between two log lines."""
        name, begin, success = self.name, perf_counter(), False
        context.log("step_start", {"step": name})
        try:
            result = run_step(self.wrapped, context)
            success = result.success
        finally:
            context.log("step_end", {"step": name, "elapsed": perf_counter() - begin, "success": success})
        return result

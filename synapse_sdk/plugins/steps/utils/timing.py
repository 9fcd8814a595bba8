"""Measures how long a step takes."""

from time import perf_counter
from typing import TYPE_CHECKING

from synapse_sdk.plugins.steps.base import StepResult
from synapse_sdk.plugins.steps.outcome import error_text, run_step
from synapse_sdk.plugins.steps.wrapper import StepWrapper

if TYPE_CHECKING:
    from synapse_sdk.plugins.steps.context import BaseStepContext

__all__ = ["TimingStep"]


class TimingStep[C: "BaseStepContext"](StepWrapper[C]):
    """Put the seconds the wrapped step took into `result.data["duration_seconds"]`, to the microsecond.

    The wrapped step's own result object is not changed. When the step raises, the exception goes on, and the duration
    is logged as `step_timed {step, duration_seconds, error}`, as there is no result to carry it.
    """

    prefix = "timed_"

    def execute(self, context: C) -> StepResult:
        """Run the wrapped step and measure it."""
        begin = perf_counter()
        try:
            result = run_step(self.wrapped, context)
        except BaseException as error:
            duration = round(perf_counter() - begin, 6)
            particulars = {"step": self.name, "duration_seconds": duration, "error": error_text(error)}
            context.log("step_timed", particulars)
            raise
        duration = round(perf_counter() - begin, 6)
        return result.with_fields(data={**result.data, "duration_seconds": duration})

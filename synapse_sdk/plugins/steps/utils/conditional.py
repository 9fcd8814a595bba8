"""Runs a step only when a condition holds."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from synapse_sdk.plugins.steps.base import BaseStep, StepResult
from synapse_sdk.plugins.steps.outcome import run_step
from synapse_sdk.plugins.steps.wrapper import StepWrapper

if TYPE_CHECKING:
    from synapse_sdk.plugins.steps.context import BaseStepContext

__all__ = ["ConditionalStep"]


class ConditionalStep[C: "BaseStepContext"](StepWrapper[C]):
    """Skip the wrapped step unless `when(context)` is true, or when it wants to be skipped itself.

    Args:
        step: The step.
        when: Asked when the step's turn comes.

    Example:
        >>> from synapse_sdk.plugins.steps.utils import ValidationStep
        >>> step = ConditionalStep(ValidationStep(lambda context: (True, None)), when=lambda context: False)
        >>> step.name, step.can_skip(None)
        ('conditional_validate', True)
    """

    prefix = "conditional_"

    def __init__(self, step: BaseStep[C], when: Callable[[C], bool]) -> None:
        super().__init__(step)
        self._when = when

    def can_skip(self, context: C) -> bool:
        """Whether the condition does not hold or the wrapped step has nothing to do."""
        return not self._when(context) or self.wrapped.can_skip(context)

    def execute(self, context: C) -> StepResult:
        """Run the wrapped step."""
        return run_step(self.wrapped, context)

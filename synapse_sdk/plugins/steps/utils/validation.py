"""Checks the context before the work goes on."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from synapse_sdk.plugins.steps.base import BaseStep, StepResult

if TYPE_CHECKING:
    from synapse_sdk.plugins.steps.context import BaseStepContext

__all__ = ["ValidationStep"]


class ValidationStep[C: "BaseStepContext"](BaseStep[C]):
    """Fail the run unless the context is as the validator wants it.

    Args:
        validator: Returns `(True, None)`, or `(False, "what is wrong")`.
        name: Name of the step.
        progress_weight: Its weight, 0.0 to 1.0.
    """

    def __init__(
        self, validator: Callable[[C], tuple[bool, str | None]], name: str = "validate", progress_weight: float = 0.05
    ) -> None:
        self._validator = validator
        self._name = name
        self._progress_weight = progress_weight

    @property
    def name(self) -> str:
        """Name of the step."""
        return self._name

    @property
    def progress_weight(self) -> float:
        """Weight of the step."""
        return self._progress_weight

    def execute(self, context: C) -> StepResult:
        """Ask the validator."""
        valid, error = self._validator(context)
        return StepResult() if valid else StepResult(success=False, error=error or "Validation failed")

"""The steps of a run, worked out once before the first of them."""

from itertools import accumulate
from math import fsum
from typing import Any

from synapse_sdk.plugins.steps.base import BaseStep
from synapse_sdk.plugins.steps.registry import check_weight
from synapse_sdk.plugins.steps.wrapper import StepWrapper

__all__ = ["ALMOST_DONE", "ROUNDING", "CompiledPlan", "overrides"]

ALMOST_DONE = 99
"""The percent that is not exceeded before the end."""
ROUNDING = 1e-9
"""Added before a percent is cut to a whole number: 0.1 + 0.2 of 0.3 is all of it."""


class CompiledPlan:
    """The steps of one run with everything that must not be worked out between them.

    Column by column rather than step by step, because a run goes through whole columns and a column is made in one go.
    Weights count in relation to their sum; when all are zero, each step counts the same.

    Raises:
        InvalidWeightError: A weight is not a number from 0.0 to 1.0 (any more).
    """

    def __init__(self, steps: list[BaseStep[Any]]) -> None:
        self.steps = steps
        self.names = [step.name for step in self.steps]
        weights = [step.progress_weight for step in self.steps]
        if not all(0.0 <= weight <= 1.0 for weight in set(weights)):
            for name, weight in zip(self.names, weights, strict=True):
                check_weight(name, weight)
        if not any(weights):
            weights = [1.0] * len(weights)
        scale = 100.0 / (fsum(weights) or 1.0)
        self.ends = [done * scale for done in accumulate(weights)]
        """Percent of the run that is done after each step, unrounded."""
        self.percents = [int(end + ROUNDING) for end in self.ends]
        """The same, as shown: whole, and 100 for the last step only."""
        for index in range(len(weights) - 2, -1, -1):
            if self.percents[index] <= ALMOST_DONE:
                break
            self.percents[index] = ALMOST_DONE
        if weights:
            self.percents[-1] = 100

    def __len__(self) -> int:
        return len(self.steps)

    def start(self, index: int) -> float:
        """Percent of the run that is done before a step, unrounded."""
        return self.ends[index - 1] if index else 0.0

    def share(self, index: int) -> float:
        """Percent of the run that a step stands for, unrounded."""
        return self.ends[index] - self.start(index)


def overrides(step: BaseStep[Any], hook: str) -> bool:
    """Whether the step, or the step it wraps, has its own `can_skip` or `rollback`."""
    while isinstance(step, StepWrapper) and getattr(type(step), hook) is getattr(StepWrapper, hook):
        step = step.wrapped
    return getattr(getattr(step, hook), "__func__", None) is not getattr(BaseStep, hook)

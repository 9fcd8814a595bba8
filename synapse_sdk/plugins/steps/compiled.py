"""The steps of a run, worked out once before the first of them."""

from itertools import accumulate
from math import fsum, inf
from typing import Any

from synapse_sdk.plugins.steps.base import BaseStep
from synapse_sdk.plugins.steps.registry import StepRegistry, check_weight
from synapse_sdk.plugins.steps.wrapper import StepWrapper

__all__ = ["CompiledPlan", "overrides"]

ALMOST_DONE = 99
"""The percent that is not exceeded before the end."""
ROUNDING = 1e-9
"""Added before a percent is cut to a whole number: 0.1 + 0.2 of 0.3 is all of it."""
LEAST_TOTAL = 1e-300
"""Weights that sum to less are made larger first: a hundredth of them is no number any more."""


class CompiledPlan:
    """The steps of one run with everything that must not be worked out between them.

    Column by column rather than step by step, because a run goes through whole columns and a column is made in one go.
    Weights count in relation to their sum; when all are zero, each step counts the same.

    Raises:
        InvalidWeightError: A weight is not a number from 0.0 to 1.0 (any more).
    """

    def __init__(self, registry: StepRegistry[Any]) -> None:
        self.names, self.steps = registry.named_steps()
        weights = [step.progress_weight for step in self.steps]
        try:
            valid = all(0.0 <= weight <= 1.0 for weight in set(weights))
        except TypeError:
            valid = False
        if not valid:
            for name, weight in zip(self.names, weights, strict=True):
                check_weight(name, weight)
        total = fsum(weights)
        if total < LEAST_TOTAL:
            heaviest = max(weights, default=0.0)
            weights = [weight / heaviest if heaviest else 1.0 for weight in weights]
            total = fsum(weights)
        self.weights = weights
        self.ends = list(accumulate(weights))
        """Weight that is done after each step."""
        self._scale = 100.0 / (total or 1.0)

    def __len__(self) -> int:
        return len(self.steps)

    def share(self, index: int) -> float:
        """Share of the run that a step stands for, 0.0 to 1.0."""
        return self.weights[index] * self._scale / 100.0

    def percent(self, weight_done: float) -> int:
        """Whole percent of the run that this much weight is; never 100, which is said at the end."""
        percent = int(weight_done * self._scale + ROUNDING)
        return percent if percent < ALMOST_DONE else ALMOST_DONE  # noqa: FURB136  # `min` takes twice as long

    def weight_beyond(self, percent: int) -> float:
        """Weight that must be done before more than this percent is shown; infinite when no more will be."""
        return (percent + 1 - ROUNDING) / self._scale if percent < ALMOST_DONE else inf


def overrides(step: BaseStep[Any], hook: str) -> bool:
    """Whether the step, or the step it wraps, has its own `can_skip` or `rollback`."""
    while isinstance(step, StepWrapper) and getattr(type(step), hook) is getattr(StepWrapper, hook):
        step = step.wrapped
    return getattr(getattr(step, hook), "__func__", None) is not getattr(BaseStep, hook)

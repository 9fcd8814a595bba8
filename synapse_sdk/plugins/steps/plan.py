"""What a workflow is going to do: worked out once, before its first step runs."""

from dataclasses import dataclass
from html import escape
from itertools import accumulate
from math import fsum
from typing import TYPE_CHECKING, Any

from synapse_sdk.plugins.steps.base import BaseStep
from synapse_sdk.plugins.steps.outcome import asks_to_skip, error_text
from synapse_sdk.plugins.steps.registry import check_weight
from synapse_sdk.plugins.steps.wrapper import StepWrapper

if TYPE_CHECKING:
    from synapse_sdk.plugins.steps.context import BaseStepContext

__all__ = ["CompiledPlan", "Plan", "PlannedStep", "overrides", "planned_step"]

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


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """One line of a plan."""

    name: str
    weight: float
    share: float
    """Percent of the whole run."""
    skipped: bool
    """Whether the step would be skipped if its turn came now."""
    undoes: bool
    """Whether it has something to undo when a later step fails."""
    problem: str | None = None
    """Why it cannot be told whether it would be skipped."""

    @property
    def note(self) -> str:
        """What there is to say about the step, in a few words."""
        if self.problem is not None:
            return f"unknown: {self.problem}"
        return ", ".join(word for word, true in (("skipped now", self.skipped), ("can undo", self.undoes)) if true)


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps of a workflow in order, printed as a table in a terminal or a notebook."""

    steps: tuple[PlannedStep, ...]

    def __str__(self) -> str:
        """Return a table with a line a step."""
        width = max((len(step.name) for step in self.steps), default=4)
        lines = [f"{'':>3} {'step':<{width}} {'weight':>7} {'share':>6}  note"]
        for number, step in enumerate(self.steps, 1):
            line = f"{number:>3} {step.name:<{width}} {step.weight:>7g} {step.share:>5.0f}%  {step.note}"
            lines.append(line.rstrip())
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{number}</td><td>{escape(step.name)}</td><td>{step.weight:g}</td>"
            f"<td>{step.share:.0f} %</td><td>{escape(step.note)}</td></tr>"
            for number, step in enumerate(self.steps, 1)
        )
        head = "<tr><th></th><th>step</th><th>weight</th><th>share</th><th>note</th></tr>"
        return f"<table><thead>{head}</thead><tbody>{rows}</tbody></table>"


def planned_step(plan: CompiledPlan, index: int, context: "BaseStepContext") -> PlannedStep:
    """Describe a step as it stands now, asking it whether it would be skipped."""
    step, skipped, problem = plan.steps[index], False, None
    try:
        skipped = asks_to_skip(step, context)
    except Exception as error:  # noqa: BLE001  # a plan describes; the run is what fails
        problem = error_text(error)
    undoes = overrides(step, "rollback")
    return PlannedStep(plan.names[index], step.progress_weight, plan.share(index), skipped, undoes, problem)

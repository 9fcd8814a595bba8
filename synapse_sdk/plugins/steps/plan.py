"""What a workflow would do, to look at before it does it."""

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from synapse_sdk.plugins.steps.compiled import CompiledPlan, overrides
from synapse_sdk.plugins.steps.outcome import asks_to_skip, error_text

if TYPE_CHECKING:
    from synapse_sdk.plugins.steps.context import BaseStepContext

__all__ = ["Plan", "PlannedStep", "plan_of"]


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


def plan_of(compiled: CompiledPlan, context: "BaseStepContext") -> Plan:
    """Describe the steps as they stand now, asking each whether it would be skipped."""
    return Plan(tuple(_planned_step(compiled, index, context) for index in range(len(compiled))))


def _planned_step(compiled: CompiledPlan, index: int, context: "BaseStepContext") -> PlannedStep:
    step, skipped, problem = compiled.steps[index], False, None
    try:
        skipped = asks_to_skip(step, context)
    except Exception as error:  # noqa: BLE001  # a plan describes; the run is what fails
        problem = error_text(error)
    undoes = overrides(step, "rollback")
    return PlannedStep(
        compiled.names[index], step.progress_weight, 100 * compiled.share(index), skipped, undoes, problem
    )

"""The step that compares what was read with what is known."""

from collections.abc import Iterator
from typing import Any

from synapse_sdk.backend import DataUnit, Task
from synapse_sdk.plugins.actions import AddTaskDataContext
from synapse_sdk.plugins.steps import BaseStep, StepResult

__all__ = ["CompareStep"]

PAGE = 200
DIGITS = frozenset("0123456789")


class CompareStep(BaseStep[AddTaskDataContext]):
    """Compare the annotations of tasks with what the names of their units say, such as `3-0045`.

    Args:
        least: The share that has to be the same, from 0.0 to 1.0.
    """

    name = "compare"
    progress_weight = 0.0

    def __init__(self, least: float) -> None:
        self._least = least

    def execute(self, context: AddTaskDataContext) -> StepResult:
        """Return how many were compared, and which share is right; fails if it is too small."""
        pairs = [(truth(unit), read(task)) for task, unit in _tasks(context)]
        known = [(true, found) for true, found in pairs if true is not None]
        right = sum(true == found for true, found in known)
        accuracy = right / len(known) if known else None
        if accuracy is not None and accuracy < self._least:
            error = f"only {accuracy:.1%} of {len(known):,} digits are read correctly, and {self._least:.1%} are wanted"
            return StepResult(success=False, error=error)
        return StepResult(data={"compared": len(known), "accuracy": accuracy})

    def rollback(self, context: AddTaskDataContext, result: StepResult) -> None:
        """Nothing was changed."""


def truth(unit: DataUnit) -> str | None:
    """Return what the name of a unit says that it shows; None if it says nothing."""
    digit, dash, _ = unit.key.partition("-")
    return digit if dash and digit in DIGITS else None


def read(task: Task) -> str | None:
    """Return what the annotation of a task says that its image shows; None if it says nothing."""
    images: Any = (task.data or {}).get("images") or [{}]
    found = images[0].get("classification") or [{}]
    label = found[0].get("classification")
    return label if isinstance(label, str) else None


def _tasks(context: AddTaskDataContext) -> Iterator[tuple[Task, DataUnit]]:
    backend, after = context.backend, 0
    while page := backend.tasks.list(context.wanted, after=after, limit=PAGE):
        units = {unit.id: unit for unit in backend.data_units.many(task.unit_id for task in page)}
        yield from ((task, units[task.unit_id]) for task in page if task.unit_id in units)
        after = page[-1].id

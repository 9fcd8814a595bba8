"""Steps that add something to another step."""

from typing import TYPE_CHECKING, Any

from synapse_sdk.plugins.steps.base import BaseStep, StepResult
from synapse_sdk.plugins.steps.registry import check_step

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from synapse_sdk.plugins.steps.context import BaseStepContext

__all__ = ["StepWrapper"]


class StepWrapper[C: "BaseStepContext"](BaseStep[C]):
    """A step around another step, which keeps its weight, its skipping and its rollback.

    Subclasses set `prefix`, which goes before the wrapped step's name, and override `execute`. Wrappers compose in any
    order. Call the wrapped step through `run_step`, which also takes `async` steps.

    Raises:
        InvalidStepError: What is to be wrapped is not an instance of `BaseStep`.
    """

    prefix: str
    """What the wrapper puts before the name, such as `logged_`."""

    def __init__(self, step: BaseStep[C]) -> None:
        check_step(step)
        self.wrapped = step

    @property
    def name(self) -> str:
        """The wrapped step's name with the prefix."""
        return self.prefix + self.wrapped.name

    @property
    def progress_weight(self) -> float:
        """The wrapped step's weight."""
        return self.wrapped.progress_weight

    def can_skip(self, context: C) -> bool:
        """Ask the wrapped step."""
        return self.wrapped.can_skip(context)

    def rollback(self, context: C, result: StepResult) -> "Coroutine[Any, Any, None] | None":
        """Let the wrapped step undo its work."""
        return self.wrapped.rollback(context, result)

"""Going backward: every started step is undone, whatever happens on the way."""

import traceback
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from synapse_sdk.errors import WorkflowError
from synapse_sdk.interrupts import InsistentInterrupt
from synapse_sdk.plugins.steps.base import BaseStep, StepResult
from synapse_sdk.plugins.steps.compiled import overrides
from synapse_sdk.plugins.steps.outcome import error_text, roll_back_step

if TYPE_CHECKING:
    from synapse_sdk.plugins.steps.announce import Announcer
    from synapse_sdk.plugins.steps.context import BaseStepContext

__all__ = ["Rollback", "RollbackError"]


@dataclass(frozen=True, slots=True)
class RollbackError:
    """One thing that could not be undone."""

    step: str
    """Name of the step whose rollback failed."""
    error: BaseException
    traceback: str
    """The full traceback, as text; empty when the step itself noted in `context.errors` what it had to leave."""

    @property
    def text(self) -> str:
        """What the exception says, or its type's name if it says nothing."""
        return error_text(self.error)


class Rollback:
    """Undoes steps in reverse order and keeps account of what could not be undone.

    Args:
        started: The steps that were started, with their results, in the order in which they ran.
        context: Handed to each step's `rollback`.
        announce: Told of everything; None when nobody observes.
    """

    def __init__(
        self,
        started: Sequence[tuple[BaseStep[Any], StepResult]],
        context: "BaseStepContext",
        announce: "Announcer | None",
    ) -> None:
        self.left = deque((step, result) for step, result in reversed(started) if overrides(step, "rollback"))
        """What is still to be undone, next first."""
        self.errors: list[RollbackError] = []
        """What could not be undone, in the order it was tried."""
        self._context = context
        self._announce = announce

    def run(self, reason: str) -> None:
        """Undo everything, for a reason that is told to observers.

        Raises:
            InsistentInterrupt: The user pressed Ctrl-C until it was obeyed; `left` is what remains.
        """
        if self._announce is not None and self.left:
            self._announce.rollback_started([step.name for step, _ in self.left], reason)
        while self.left:
            self._undo(*self.left[0])
            self.left.popleft()

    @property
    def is_complete(self) -> bool:
        """Whether nothing is left behind."""
        return not self.errors and not self.left

    def _undo(self, step: BaseStep[Any], result: StepResult) -> None:
        context = self._context
        name = context.current_step = step.name
        if self._announce is not None:
            self._announce.step_rollback_started(name)
        problem, told = None, len(context.errors)
        try:
            roll_back_step(step, context, result)
        except InsistentInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001  # the other steps must be undone, whatever this one raised
            problem = RollbackError(name, error, "".join(traceback.format_exception(error)))
            context.errors.append(f"Rollback of step {name!r} failed: {problem.text}\n{problem.traceback}")
        else:
            if len(context.errors) > told:  # it went on to its end, but says that something is left behind
                problem = RollbackError(name, WorkflowError("; ".join(context.errors[told:])), "")
        if problem is not None:
            self.errors.append(problem)
            particulars = {"step": name, "error": problem.text, "traceback": problem.traceback}
            context.log("rollback_failed", particulars)
        if self._announce is not None:
            self._announce.step_rolled_back(name, problem)

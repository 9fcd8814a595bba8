"""From whatever a step's method returned, a coroutine or the thing itself, to the value the engine needs."""

from collections.abc import Awaitable, Iterable
from reprlib import repr as short_repr
from typing import TYPE_CHECKING

from synapse_sdk.plugins.steps.base import BaseStep, StepResult

if TYPE_CHECKING:
    from synapse_sdk.plugins.steps.context import BaseStepContext

__all__ = [
    "asks_to_skip",
    "checked_result",
    "error_text",
    "roll_back_all",
    "roll_back_step",
    "run_step",
]


def run_step[C: "BaseStepContext"](step: BaseStep[C], context: C) -> StepResult:
    """Execute a step, plain or `async`, and return its result.

    Raises:
        TypeError: It returned something other than a StepResult.
        BaseException: Whatever the step raised.
    """
    outcome: object = step.execute(context)
    if outcome.__class__ is StepResult:  # nearly always; asking whether it can be awaited takes longer than many steps
        return outcome
    if isinstance(outcome, Awaitable):
        outcome = context.scope.wait_for(outcome)
    return checked_result(outcome)


def asks_to_skip[C: "BaseStepContext"](step: BaseStep[C], context: C) -> bool:
    """Ask a step, whose `can_skip` may be plain or `async`, whether it wants to be skipped."""
    answer: object = step.can_skip(context)
    return bool(context.scope.wait_for(answer) if isinstance(answer, Awaitable) else answer)


def roll_back_step[C: "BaseStepContext"](step: BaseStep[C], context: C, result: StepResult) -> None:
    """Let a step undo its work, whether its `rollback` is plain or `async`."""
    answer: object = step.rollback(context, result)
    if isinstance(answer, Awaitable):
        context.scope.wait_for(answer)


def roll_back_all[C: "BaseStepContext"](undone: Iterable[tuple[BaseStep[C], StepResult]], context: C) -> None:
    """Undo several steps in the given order; one that fails does not stop the others.

    Raises:
        BaseException: What failed, after all were tried: itself if it is alone, else a group of all that failed.
        InsistentInterrupt: At once.
    """
    from synapse_sdk.interrupts import InsistentInterrupt  # noqa: PLC0415  # loaded by `Orchestrator.execute`

    errors: list[BaseException] = []
    for step, result in undone:
        try:
            roll_back_step(step, context, result)
        except InsistentInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001  # the others must be undone, whatever this one raised
            error.add_note(f"raised by the rollback of step {step.name!r}")
            errors.append(error)
    if len(errors) == 1:
        raise errors[0]
    if errors:
        msg = "; ".join(error_text(error) for error in errors)
        raise BaseExceptionGroup(msg, errors)


def checked_result(outcome: object) -> StepResult:
    """Return the outcome if it is a StepResult.

    Raises:
        TypeError: It is not.
    """
    if isinstance(outcome, StepResult):
        return outcome
    msg = f"execute() returned {short_repr(outcome)} instead of a StepResult"
    raise TypeError(msg)


def error_text(error: BaseException) -> str:
    """Return what an exception says, or its type's name if it says nothing or is a request to stop."""
    try:
        text = str(error) if isinstance(error, Exception) else ""
    except Exception:  # noqa: BLE001  # an author's __str__ must not keep the run from being undone
        text = ""
    return text or type(error).__name__

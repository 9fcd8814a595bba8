"""Going backward: every started step is undone, whatever happens on the way."""

import os
import signal
import time
import traceback
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from synapse_sdk.errors import LeaseLostError, WorkflowError
from synapse_sdk.interrupts import InsistentInterrupt, InterruptShield
from synapse_sdk.plugins.steps.base import BaseStep, StepResult
from synapse_sdk.plugins.steps.compiled import overrides
from synapse_sdk.plugins.steps.outcome import error_text, roll_back_step

if TYPE_CHECKING:
    from synapse_sdk.plugins.steps.announce import Announcer
    from synapse_sdk.plugins.steps.context import BaseStepContext

__all__ = ["Rollback", "RollbackError", "roll_back_run", "shielded"]

OBEYED_PRESS = 3
"""The Ctrl-C that ends a rollback before it is done; the first is usually the one that started it."""
PAUSES = (0.2, 1.0, 5.0)
"""Seconds to wait before a rollback that failed for a reason that may pass is tried again."""


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
        pauses: Seconds to wait before each further try of a rollback that failed for a reason that may pass.
    """

    def __init__(
        self,
        started: Sequence[tuple[BaseStep[Any], StepResult]],
        context: "BaseStepContext",
        announce: "Announcer | None",
        *,
        pauses: Sequence[float] = PAUSES,
    ) -> None:
        self.left = deque((step, result) for step, result in reversed(started) if overrides(step, "rollback"))
        """What is still to be undone, next first."""
        self.errors: list[RollbackError] = []
        """What could not be undone, in the order it was tried."""
        self._context = context
        self._announce = announce
        self._pauses = pauses

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

    def note_abandoned(self) -> None:
        """Put down in the context what is left, because the user does not want to wait for it."""
        left = ", ".join(repr(step.name) for step, _ in self.left)
        self._context.errors.append(f"Rollback abandoned on request; not undone: {left}")

    def _undo(self, step: BaseStep[Any], result: StepResult) -> None:
        context = self._context
        name = context.current_step = step.name
        if self._announce is not None:
            self._announce.step_rollback_started(name)
        problem, told = None, len(context.errors)
        try:
            self._try_and_try_again(step, result)
        except (InsistentInterrupt, LeaseLostError):
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

    def _try_and_try_again(self, step: BaseStep[Any], result: StepResult) -> None:
        for pause in self._pauses:
            try:
                return roll_back_step(step, self._context, result)
            except Exception as error:
                if not may_pass(error):
                    raise
                self._context.log("rollback_retry", {"step": step.name, "error": error_text(error), "delay": pause})
            time.sleep(pause)
        return roll_back_step(step, self._context, result)


def may_pass(error: BaseException) -> bool:
    """Whether the same rollback may succeed a moment later: the error says so, or it is one of the network's."""
    if isinstance(error, BaseExceptionGroup):
        return all(may_pass(each) for each in error.exceptions)
    return bool(getattr(error, "transient", isinstance(error, (ConnectionError, TimeoutError))))


def shielded(announce: "Announcer | None", *, presses: int = 0) -> InterruptShield:
    """Return what holds signals back during a rollback, and says so."""

    def say_held(presses: int) -> None:
        left = OBEYED_PRESS - presses
        if announce is not None and announce.is_watched:
            announce.interrupt_held(presses, left)
        else:
            note = f"\nThe rollback goes on. Press Ctrl-C {left} more time{'s'[: left > 1]} to leave it unfinished.\n"
            os.write(2, note.encode())  # sys.stderr may be locked by the code that was interrupted

    return InterruptShield(say_held, presses=presses, limit=OBEYED_PRESS)


def roll_back_run(
    rollback: Rollback,
    announce: "Announcer | None",
    reason: str,
    *,
    is_cancelled: bool = False,
    has_undone: bool = False,
) -> None:
    """Undo what an earlier worker has done of a run, or has left to be undone, and say how that ended.

    Raises:
        InsistentInterrupt: The user pressed Ctrl-C until it was obeyed.
    """
    status = "rolled_back" if rollback.left or has_undone else "cancelled" if is_cancelled else "failed"
    with shielded(announce) as shield:
        try:
            rollback.run(reason)
        except InsistentInterrupt:
            rollback.note_abandoned()
            raise
        finally:
            if announce is not None and not announce.is_disowned:
                announce.run_finished(status if rollback.is_complete else "rollback_incomplete", reason)
    for number in sorted(shield.held):
        signal.raise_signal(number)

"""Seeing how a run ends: what the command says about a failure beyond what the exception knows."""

import threading
from typing import TYPE_CHECKING

from synapse_sdk.reporting.events import (
    Event,
    RollbackStarted,
    RunFinished,
    RunStarted,
    RunStatus,
    StepRolledBack,
    StepStarted,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from synapse_sdk.reporting import Reporter

__all__ = ["Witness"]


class Witness:
    """A reporter that passes everything on to another one and remembers how the run went.

    Args:
        reporter: The one that shows.
        observer: Somebody else who wants to be told, at once and in the thread of the run.
    """

    def __init__(self, reporter: "Reporter", observer: "Callable[[Event], None] | None" = None) -> None:
        self._reporter = reporter
        self._observer = observer
        self._lock = threading.Lock()
        self.has_started = False
        """Whether anything was run."""
        self.status: RunStatus | None = None
        """How the last run that ended did so."""
        self.step: str | None = None
        """The step whose turn came last."""
        self.leftovers: dict[str, str] = {}
        """Steps that should have been undone and were not, with the reason."""

    def observe(self, event: Event) -> None:
        """Remember, and pass on."""
        with self._lock:  # steps may run side by side
            self._remember(event)
        if self._observer is not None:
            self._observer(event)
        self._reporter.observe(event)

    def set_progress(self, current: float, total: float, category: str | None) -> None:
        """Pass on."""
        self._reporter.set_progress(current, total, category)

    def close(self) -> None:
        """Do nothing: the reporter belongs to whoever opened it."""

    def _remember(self, event: Event) -> None:
        match event:
            case RunStarted():
                self.has_started = True
            case StepStarted():
                self.step = event.step
            case RollbackStarted():
                self.leftovers |= dict.fromkeys(event.steps, "the rollback was cut short")
            case StepRolledBack(error=None):
                self.leftovers.pop(event.step, None)
            case StepRolledBack():
                self.leftovers[event.step] = event.error or "it gave no reason"
            case RunFinished():
                self.status = event.status
            case _:
                pass

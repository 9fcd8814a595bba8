"""Runs as lists of events, with times that do not depend on the machine, and the reporters they are shown to."""

import io
from collections.abc import Iterable
from typing import TextIO

from synapse_sdk.plugins.steps import StepResult
from synapse_sdk.reporting import Reporter
from synapse_sdk.reporting.events import (
    Event,
    MetricsReported,
    ProgressReported,
    RollbackStarted,
    RunFinished,
    RunProgressed,
    RunStarted,
    RunStatus,
    StepFinished,
    StepRollbackStarted,
    StepRolledBack,
    StepStarted,
)

STEPS = (("discover", 0.1), ("resize", 0.7), ("report", 0.2))

UP_TO_REPORT: list[Event] = [
    RunStarted(STEPS),
    StepStarted("discover"),
    StepFinished("discover", StepResult(), 0.5),
    RunProgressed(10),
    StepStarted("resize"),
    ProgressReported("resize", 12, 12),
    MetricsReported("resize", {"processed": 11, "failed": 1}),
    StepFinished("resize", StepResult(data={"processed": 11, "failed": 1}), 75.0),
    RunProgressed(80),
    StepStarted("report"),
]
SUCCESS: list[Event] = [
    *UP_TO_REPORT,
    StepFinished("report", StepResult(), 0.2),
    RunProgressed(100),
    RunFinished(RunStatus.SUCCEEDED, 75.8),
]
UP_TO_ROLLBACK: list[Event] = [
    *UP_TO_REPORT,
    StepFinished("report", StepResult(success=False, error="disk full"), 0.1),
    RollbackStarted(("report", "resize"), "Step 'report' failed: disk full"),
    StepRollbackStarted("report"),
]
FAILURE: list[Event] = [
    *UP_TO_ROLLBACK,
    StepRolledBack("report", 0.1),
    StepRollbackStarted("resize"),
    StepRolledBack("resize", 2.0),
    RunFinished(RunStatus.ROLLED_BACK, 80.0, "Step 'report' failed: disk full"),
]
LEFTOVERS: list[Event] = [
    *UP_TO_ROLLBACK,
    StepRolledBack("report", 0.1, "Permission denied", "Traceback ..."),
    StepRollbackStarted("resize"),
    RunFinished(RunStatus.ROLLBACK_INCOMPLETE, 80.0, "Step 'report' failed: disk full"),
]
STOPPED: list[Event] = [
    RunStarted(STEPS),
    StepStarted("discover"),
    StepFinished("discover", StepResult(success=False, error="KeyboardInterrupt"), 3.0),
    RollbackStarted((), "Step 'discover' failed: KeyboardInterrupt"),
    RunFinished(RunStatus.CANCELLED, 3.0, "Step 'discover' failed: KeyboardInterrupt", interrupted=True),
]


def show(events: Iterable[Event], reporter: Reporter) -> None:
    """Tell the reporter everything, progress by its own method."""
    for event in events:
        if isinstance(event, ProgressReported):
            reporter.set_progress(event.current, event.total, event.category)
        else:
            reporter.observe(event)


class FakeTerminal(io.StringIO):
    """A stream that says it is a terminal, and whose text can be read."""

    def isatty(self) -> bool:
        """Say so."""
        return True


def stream_in(encoding: str) -> TextIO:
    """Return a stream in memory that has an encoding."""
    return io.TextIOWrapper(io.BytesIO(), encoding=encoding, write_through=True)

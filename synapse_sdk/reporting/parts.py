"""What is told of a run that is a part of another one."""

from collections.abc import Iterator
from dataclasses import replace

from synapse_sdk.reporting.events import (
    Event,
    Logged,
    LogsShed,
    MetricsReported,
    RunFinished,
    RunProgressed,
    RunStarted,
)

__all__ = ["PartEvents"]


class PartEvents:
    """Lets through what happens in a run inside a step, as far as those who watch the run around it can place it.

    That is what comes between the start and the end of the part, and what it says about itself at any time. How far it
    has come is told by the run around it, and so is how it is undone after its end.

    Args:
        step: The step in which it is.
    """

    def __init__(self, step: str) -> None:
        self._step = step
        self._open: list[bool] = []  # the part and the runs inside it, each with whether it is one more part

    def told(self, event: Event) -> Iterator[Event]:
        """Yield what those who watch are told of an event: one, or none."""
        if isinstance(event, RunProgressed):
            return
        if isinstance(event, RunStarted):
            event = event if self._open else replace(event, within=self._step)
            self._open.append(event.within is not None)
        if self._open or isinstance(event, (Logged, LogsShed, MetricsReported)):
            yield event
        if isinstance(event, RunFinished) and self._open:
            self._open.pop()

    @property
    def is_about_part(self) -> bool:
        """Whether it is the part itself whose progress is told now, and not a workflow inside one of its steps."""
        return bool(self._open) and all(self._open)

"""What waits to be reported: in order, without waste, and within bounds."""

import threading
from collections import deque
from dataclasses import replace
from itertools import count
from operator import itemgetter
from typing import TYPE_CHECKING

from synapse_sdk.clock import Clock
from synapse_sdk.reporting.events import (
    Event,
    Logged,
    LogLevel,
    LogsShed,
    MetricsReported,
    ProgressReported,
    ProgressSaved,
    RollbackStarted,
    RunFinished,
    RunProgressed,
    RunStarted,
    StepFinished,
    StepRollbackStarted,
    StepRolledBack,
    StepStarted,
)

if TYPE_CHECKING:
    from collections.abc import Hashable

__all__ = ["EventQueue"]

EDGES = frozenset(
    {RunStarted, StepStarted, StepFinished, RollbackStarted, StepRollbackStarted, StepRolledBack, RunFinished}
)
"""Events that nothing may move across: what was reported before one is shown before it."""
PROBLEMS = frozenset({LogLevel.WARNING, LogLevel.ERROR, LogLevel.CRITICAL})


class EventQueue:
    """Keeps events in order until they are taken.

    - Of progress, metrics, saved progress and the percent of the run only the last value between two edges is kept.
    - Log lines are bounded: beyond `max_logs` the OLDEST are shed, because the last lines before a failure explain it.
      Lines from warning upward have a bound of their own, so that chatter cannot push out a problem. A `LogsShed` in
      front of the first line that survived says how many are missing.
    - Run, step and undo events are never shed.

    Args:
        max_logs: Log lines kept below warning, and as many from there upward; at least 1.
        clock: Dates what is reported without a date.
    """

    def __init__(self, max_logs: int, clock: Clock) -> None:
        if max_logs < 1:
            msg = f"max_logs is {max_logs!r}; at least one line must be kept"
            raise ValueError(msg)
        self.progress: dict[str | None, tuple[float, float]] = {}
        """Last `(current, total)` by category. Setting an item is atomic, so a writer needs no lock."""
        self._lock = threading.RLock()  # re-entrant: a signal handler may report in the middle of a report
        self._clock = clock
        self._numbers = count()
        self._events: list[tuple[float, Event]] = []
        self._latest: dict[Hashable, Event] = {}
        self._chatter = _Lines(max_logs)
        self._problems = _Lines(max_logs)

    def put(self, event: Event) -> None:
        """Add an event; returns at once."""
        with self._lock:
            match event:
                case Logged():
                    lines = self._problems if event.level in PROBLEMS else self._chatter
                    lines.add((next(self._numbers), event))
                case ProgressReported():
                    self.progress[event.category] = (event.current, event.total)
                case RunProgressed():
                    self._latest[RunProgressed] = event
                case MetricsReported():
                    self._merge_metrics(event)
                case ProgressSaved():
                    self._merge_saved(event)
                case _:
                    if type(event) in EDGES:
                        self._settle()
                    self._events.append((next(self._numbers), event))

    def take(self) -> list[Event]:
        """Return everything that waits, in order, and forget it."""
        with self._lock:
            self._settle()
            events, self._events = self._events, []
            lines = [*self._chatter.take(self._clock), *self._problems.take(self._clock)]
        if lines:
            events = sorted(events + lines, key=itemgetter(0))
        return [event for _, event in events]

    @property
    def is_filling(self) -> bool:
        """Whether log lines will soon have to be shed."""
        return self._chatter.is_filling or self._problems.is_filling

    def _settle(self) -> None:
        """Give the last values their place in the order."""
        latest, self._latest = self._latest, {}
        self._events += [(next(self._numbers), event) for event in latest.values()]
        for category in list(self.progress):
            current, total = self.progress.pop(category)
            event = ProgressReported(category, current, total, occurred_at=self._clock.now())
            self._events.append((next(self._numbers), event))

    def _merge_metrics(self, event: MetricsReported) -> None:
        key = (MetricsReported, event.category)
        earlier = self._latest.pop(key, None)
        if isinstance(earlier, MetricsReported):
            event = replace(event, values={**earlier.values, **event.values})
        self._latest[key] = event

    def _merge_saved(self, event: ProgressSaved) -> None:
        key = (ProgressSaved, event.step)
        earlier = self._latest.pop(key, None)
        if isinstance(earlier, ProgressSaved):
            event = replace(event, state={**earlier.state, **event.state})
        self._latest[key] = event


class _Lines:
    """The last so many log lines, and how many there were before them."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._kept: deque[tuple[float, Event]] = deque(maxlen=limit)
        self._shed = 0

    def add(self, line: tuple[float, Event]) -> None:
        self._shed += len(self._kept) == self.limit
        self._kept.append(line)

    @property
    def is_filling(self) -> bool:
        return len(self._kept) * 2 > self.limit

    def take(self, clock: Clock) -> list[tuple[float, Event]]:
        lines = list(self._kept)
        if self._shed:
            lines.insert(0, (lines[0][0] - 0.5, LogsShed(self._shed, occurred_at=clock.now())))
        self._kept.clear()
        self._shed = 0
        return lines

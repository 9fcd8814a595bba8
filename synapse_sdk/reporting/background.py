"""Reporting off the hot path: the run leaves word and goes on, a thread of its own does the showing."""

import atexit
import logging
import os
import threading
from collections import deque
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self
from weakref import WeakSet

from synapse_sdk.clock import SYSTEM_CLOCK, Clock
from synapse_sdk.reporting.base import Reporter
from synapse_sdk.reporting.events import Event, ProgressReported
from synapse_sdk.reporting.queue import EventQueue

__all__ = ["BackgroundReporter"]

MAX_LOGS = 10_000
"""Log lines kept by default: some megabytes, and a tenth of a second of the fastest flood."""
PATIENCE = 5.0
"""Seconds that closing waits by default for a sink that does not get on."""
TIME_TO_GIVE_UP = 1.0
"""Seconds in which a sink that was told to give up should have returned."""


class BackgroundReporter:
    """Takes events and progress at once, and hands them to another reporter from a thread of its own.

    The run is never held up: not by a slow terminal, not by a pipe nobody reads, not by a sink that raises. The first
    failure of the sink is logged to `synapse_sdk.reporting` with its traceback, the rest are counted and summed up at
    the end. After a broken pipe (`| head`) the sink is left alone; `is_pipe_broken` says so.

    What waits is bounded as `EventQueue` describes; log lines beyond `max_logs` are shed, the oldest first, and
    counted. The sink sees events in their order, about every `interval` seconds, and of values that replace each
    other only the last. If it has the methods `tick`, `show_result` and `give_up` of `StreamReporter`, they are used.

    Args:
        sink: The reporter that shows; it is called from one thread only, and closed at the end.
        max_logs: Log lines that may wait (as many again from warning upward).
        interval: Seconds between two deliveries.
        patience: Seconds that `close` waits for the sink before it gives up.
        clock: Dates progress, and paces ticks.

    Example:
        >>> from synapse_sdk.reporting import MemoryReporter
        >>> memory = MemoryReporter()
        >>> with BackgroundReporter(memory) as reporter:
        ...     for done in range(1, 100_001):
        ...         reporter.set_progress(done, 100_000, "resize")
        >>> memory.progress
        {'resize': (100000, 100000)}
    """

    def __init__(
        self,
        sink: Reporter,
        *,
        max_logs: int = MAX_LOGS,
        interval: float = 0.1,
        patience: float = PATIENCE,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self.sink = sink
        """The reporter that shows; not to be called by others while this one is open."""
        self._queue = EventQueue(max_logs, clock)
        self._progress = self._queue.progress
        self._interval, self._patience, self._clock = interval, patience, clock
        self._requests: deque[tuple[Callable[[], object], threading.Event]] = deque()
        self._wake = threading.Event()
        self._is_closing = False
        self._failures = 0
        self._ticked_at = clock.monotonic()
        self.is_pipe_broken = False
        """Whether whoever read the stream has gone: a process that printed for them ends with exit code 141."""
        self.has_given_up = False
        """Whether closing took so long that the end of the report was not shown."""
        self._thread = threading.Thread(target=self._serve, name="synapse-reporting", daemon=True)
        self._thread.start()
        atexit.register(self.close)  # a script that forgets to close still shows its last lines
        _LIVE.add(self)

    # For the run: every call returns at once

    def observe(self, event: Event) -> None:
        """Take an event; ignored after `close`."""
        if not self._is_closing:
            self._queue.put(event)
            if self._queue.is_filling:
                self._wake.set()

    def set_progress(self, current: float, total: float, category: str | None) -> None:
        """Keep the last value of the category."""
        self._progress[category] = (current, total)

    # For whoever made it

    def show_result(self, result: Mapping[str, Any]) -> None:
        """Show what the run returned, if the sink has a place for it; waits at most `patience` seconds."""
        self._ask(lambda: self._call("show_result", dict(result)))

    def flush(self) -> bool:
        """Show everything reported so far; False if that took longer than `patience` seconds."""
        return self._ask(lambda: self._call("tick"))

    def close(self) -> None:
        """Show everything, stop the thread and close the sink; returns within `patience` seconds and a bit.

        Safe to call twice, and from a signal handler.
        """
        self._is_closing = True
        atexit.unregister(self.close)
        self._wake.set()
        if self._thread is threading.current_thread():
            return
        self._thread.join(self._patience)
        if self._thread.is_alive():
            self.has_given_up = True
            give_up = getattr(self.sink, "give_up", None)
            if give_up is not None:
                give_up()
                self._thread.join(TIME_TO_GIVE_UP)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # The thread

    def _ask(self, request: Callable[[], object]) -> bool:
        if self._is_closing or not self._thread.is_alive():
            return False
        done = threading.Event()
        self._requests.append((request, done))
        self._wake.set()
        return done.wait(self._patience)

    def _serve(self) -> None:
        while not self._is_closing:
            self._wake.wait(self._interval)
            self._wake.clear()
            self._deliver()
        self._deliver()
        self._call("tick")
        self._call("close")
        if self._failures > 1 and not self.has_given_up:
            log().warning("Reporting failed %d times; what was to be shown then is lost", self._failures)

    def _deliver(self) -> None:
        requests = [self._requests.popleft() for _ in range(len(self._requests))]
        for event in self._queue.take():
            if isinstance(event, ProgressReported):
                self._call("set_progress", event.current, event.total, event.category)
            else:
                self._call("observe", event)
        for request, done in requests:
            request()
            done.set()
        if self._clock.monotonic() - self._ticked_at >= self._interval:
            self._call("tick")
            self._ticked_at = self._clock.monotonic()

    def _call(self, method: str, *values: object) -> None:
        """Call a method of the sink, if it has it; nothing gets out."""
        if self.is_pipe_broken and method != "close":
            return
        try:
            getattr(self.sink, method, _do_nothing)(*values)
        except BrokenPipeError:
            self.is_pipe_broken = True
        except BaseException as error:  # noqa: BLE001  # what shows a run must not be able to fail it, or end unseen
            self._failures += 1
            if self._failures == 1:
                log().warning(
                    "Reporting failed, and the run goes on; further failures are only counted", exc_info=error
                )

    def _forget_parent(self) -> None:
        """In a forked child: there is no thread, and nothing to show, since the parent shows what it has."""
        self._is_closing = True
        self._queue = EventQueue(1, self._clock)  # the old one's lock may be held by a thread that is not here
        self._progress = self._queue.progress
        atexit.unregister(self.close)


_LIVE: "WeakSet[BackgroundReporter]" = WeakSet()


def _after_fork() -> None:
    for reporter in list(_LIVE):
        reporter._forget_parent()  # noqa: SLF001  # the other half of the class


if hasattr(os, "register_at_fork"):  # not on Windows, which does not fork
    os.register_at_fork(after_in_child=_after_fork)


def _do_nothing(*_values: object) -> None:
    """Stand in for a method that a sink does not have."""


def log() -> logging.Logger:
    """Return the logger for what goes wrong with reporting itself."""
    return logging.getLogger("synapse_sdk.reporting")

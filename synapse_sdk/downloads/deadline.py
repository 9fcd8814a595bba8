"""How long a download may wait, in all its waits together."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from synapse_sdk.clock import Clock

__all__ = ["Deadline", "within_deadline"]

SHORTEST = 0.001
"""Seconds of the shortest wait: none at all means something else to a socket."""


class Deadline:
    """Seconds that may be spent waiting. They count while a `running` block lasts, in one thread at a time.

    Example:
        >>> from synapse_sdk.testing import FakeClock
        >>> clock = FakeClock()
        >>> deadline = Deadline(10.0, clock)
        >>> clock.advance(60.0)
        >>> with deadline.running():
        ...     clock.advance(4.0)
        ...     print(within_deadline(30.0), within_deadline(1.0))
        6.0 1.0
        >>> deadline.left()
        6.0
    """

    def __init__(self, seconds: float, clock: Clock) -> None:
        self.seconds = seconds
        """What it was at the beginning."""
        self._clock = clock
        self._spent = 0.0
        self._started: float | None = None

    def left(self) -> float:
        """Return the seconds that are left, 0.0 or more."""
        running = 0.0 if self._started is None else self._clock.monotonic() - self._started
        return max(0.0, self.seconds - self._spent - running)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Let the time count, and bound by it all that `within_deadline` is asked about inside."""
        token = _running.set(self)
        self._started = self._clock.monotonic()
        try:
            yield
        finally:
            self._spent += self._clock.monotonic() - self._started
            self._started = None
            _running.reset(token)


def within_deadline(timeout: float | None) -> float | None:
    """Return how long one wait may last: `timeout` seconds, or what the running deadline leaves of them."""
    deadline = _running.get()
    if deadline is None:
        return timeout
    left = max(SHORTEST, deadline.left())
    return left if timeout is None else min(timeout, left)


_running: ContextVar[Deadline | None] = ContextVar("deadline", default=None)

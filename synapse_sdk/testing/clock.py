"""A clock that a test holds in its hand."""

import threading
from datetime import UTC, datetime, timedelta

__all__ = ["FakeClock"]


class FakeClock:
    """Time passes only when `advance` is called, or somebody sleeps.

    Args:
        start: The first instant, aware; the start of 2025 in UTC by default.

    Example:
        >>> clock = FakeClock()
        >>> clock.advance(90.0)
        >>> clock.now().isoformat(), clock.monotonic()
        ('2025-01-01T00:01:30+00:00', 90.0)
    """

    def __init__(self, start: datetime = datetime(2025, 1, 1, tzinfo=UTC)) -> None:
        self._start = start
        self._passed = 0.0
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """Return the current instant, aware."""
        return self._start + timedelta(seconds=self._passed)

    def monotonic(self) -> float:
        """Return seconds since the start."""
        return self._passed

    def sleep(self, seconds: float) -> None:
        """Let so many seconds pass, at once."""
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Let so many seconds pass.

        Raises:
            ValueError: Less than 0: time does not go back.
        """
        if seconds < 0:
            msg = f"Cannot advance by {seconds!r} seconds: time does not go back"
            raise ValueError(msg)
        with self._lock:
            self._passed += seconds

"""How far the work of one category has come, how fast it goes, and when it will be done."""

from collections import deque

__all__ = ["WorkProgress"]

WINDOW = 30.0
"""Seconds that a rate looks back: long enough to be steady, short enough to follow a change."""
SAMPLE_GAP = 0.5
"""Seconds between samples; with the window it bounds how many are kept."""


class WorkProgress:
    """`current` of `total`, with the rate over the last `WINDOW` seconds.

    The rate counts the time up to now, so it falls while nothing arrives, and the time left grows with it.
    """

    __slots__ = ("_samples", "current", "total")

    def __init__(self) -> None:
        self.current = 0.0
        self.total = 0.0
        self._samples: deque[tuple[float, float]] = deque()

    def update(self, current: float, total: float, now: float) -> None:
        """Note where the work stands at `now` (seconds); going backward is a fresh start."""
        if current < self.current or total != self.total:
            self._samples.clear()
        self.current, self.total = current, total
        samples = self._samples
        if len(samples) > 1 and now - samples[-2][0] < SAMPLE_GAP:
            samples.pop()
        samples.append((now, current))
        while len(samples) > 2 and now - samples[1][0] > WINDOW:  # noqa: PLR2004  # two points make a rate
            samples.popleft()

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to do."""
        return self.current >= self.total

    def rate(self, now: float) -> float | None:
        """Return units a second up to `now`; None as long as there is nothing to tell it from."""
        if len(self._samples) < 2 or now - self._samples[0][0] < SAMPLE_GAP:  # noqa: PLR2004  # as above
            return None
        (since, before), (_, after) = self._samples[0], self._samples[-1]
        return (after - before) / (now - since) or None

    def time_left(self, now: float) -> float | None:
        """Return seconds until the work is done if it goes on at this rate; None when that cannot be told."""
        rate = self.rate(now)
        return None if rate is None or self.is_done else (self.total - self.current) / rate

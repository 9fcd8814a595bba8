"""How many files to send at a time: more while that is faster, fewer as soon as the storage complains."""

__all__ = ["InFlightLimit"]

WINDOW = 0.5
"""Seconds over which a rate is measured before the limit is changed."""
GROWTH = 1.5
GAIN = 1.05
"""How much faster a higher limit has to be, to be kept."""
CALM = 2.0
"""Seconds after a complaint in which the limit is not lowered again: those files were sent before it was."""


class InFlightLimit:
    """Finds how many files to send at a time, by trying (additive the idea of RFC 5681: probe upwards, halve on loss).

    Args:
        start: How many to begin with.
        most: How many never to exceed.
        now: Seconds on a clock that never goes back.
    """

    def __init__(self, *, start: int, most: int, now: float) -> None:
        self.limit = min(start, most)
        """How many files may be under way now."""
        self._most = most
        self._since = now
        self._done = 0
        self._best_rate = 0.0
        self._before = self.limit
        self._is_settled = False
        self._calm_until = now

    def note_done(self, now: float) -> None:
        """Count a file that was sent; changes the limit at the end of a window."""
        self._done += 1
        if now - self._since < WINDOW or self._done < 2 * self.limit:
            return
        rate = self._done / (now - self._since)
        self._since, self._done = now, 0
        if self._is_settled:
            return
        if rate > self._best_rate * GAIN:
            self._best_rate, self._before = rate, self.limit
            self.limit = min(self._most, max(self.limit + 1, int(self.limit * GROWTH)))
        else:
            self.limit, self._is_settled = self._before, True  # more was not faster

    def note_trouble(self, now: float) -> None:
        """Take note that the storage asked for a pause, or did not answer: send half as many, and probe again later."""
        if now < self._calm_until:
            return
        self.limit = max(1, self.limit // 2)
        self._before = self.limit
        self._best_rate, self._is_settled = 0.0, False
        self._since, self._done = now, 0
        self._calm_until = now + CALM

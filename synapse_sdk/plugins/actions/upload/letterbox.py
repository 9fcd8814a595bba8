"""What the threads that read and send have to say to the one that decides."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from queue import Empty, SimpleQueue

__all__ = ["Letterbox", "Note"]

FEW = 4
"""The thread that decides is woken when one in so many of those that send is done: each time takes it a while."""

type Note = Callable[[], None]
"""Does what follows from something that has ended."""


class Letterbox:
    """Keeps notes until there are enough of them to wake the thread that waits for them."""

    def __init__(self) -> None:
        self._notes: deque[Note] = deque()
        self._bell: SimpleQueue[None] = SimpleQueue()
        self._enough = 1

    def post(self, note: Note, *, is_urgent: bool = False) -> None:
        """Leave a note; one that is urgent is read at once."""
        self._notes.append(note)
        if is_urgent or len(self._notes) >= self._enough:
            self._bell.put(None)

    def collect(self, wait: float, expected: int) -> Iterator[Note]:
        """Yield the notes that are there; waits for some if there are none.

        Args:
            wait: Seconds to wait at most.
            expected: How many of those that do not post yet will do so: when a part of them has, that is enough.
        """
        self._enough = max(1, expected // FEW)
        # In this order: whoever posts from now on knows how many are enough, and rings if they are there.
        if len(self._notes) < self._enough and wait:
            with suppress(Empty):
                self._bell.get(timeout=wait)
        while not self._bell.empty():  # before the notes: what is posted later rings anew
            self._bell.get_nowait()
        while self._notes:
            yield self._notes.popleft()

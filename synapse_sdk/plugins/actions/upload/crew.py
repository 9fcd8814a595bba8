"""Who reads and sends files: other threads, or the caller's own where others would only be in its way."""

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue

__all__ = ["Crew"]


class Crew:
    """Does work elsewhere, or at once.

    Python runs one thread at a time. To write a small file into a folder takes a dozen calls of the system, and after
    each of them a thread would wait until it has its turn again: beside a thread that computes, that takes longer than
    the writing.

    For what is as short as sending a small file, an executor of the standard library costs as much as the work: it
    makes a lock and a condition for each. Whoever gives work here learns from the work itself what has come of it.

    Args:
        size: Threads at most; they are made when they are needed.
        is_inline: Whether short work is done at once, by whoever asks for it.
    """

    def __init__(self, size: int, *, is_inline: bool) -> None:
        self._size, self._is_inline = size, is_inline
        self._work: SimpleQueue[Callable[[], object] | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._begun = 0
        """Work that was given and is not done; only as many threads are made as that needs."""

    def do(self, work: Callable[[], object], *, is_long: bool) -> bool:
        """Have some work done, which says itself what has come of it and raises nothing; return whether it is done.

        Only one thread may ask.
        """
        if self._is_inline and not is_long:
            work()
            return True
        with self._lock:
            self._begun += 1
            is_short_handed = self._begun > len(self._threads)
        if is_short_handed and len(self._threads) < self._size:
            thread = threading.Thread(target=self._serve, name=f"upload_{len(self._threads)}")
            self._threads.append(thread)
            thread.start()
        self._work.put(work)
        return False

    def dismiss(self) -> None:
        """Wait until what was begun is done; nothing else is begun any more."""
        try:
            while True:
                self._work.get_nowait()
        except Empty:
            pass
        for _ in self._threads:
            self._work.put(None)
        for thread in self._threads:
            if thread.ident is not None:  # else Ctrl-C came while it was started: it has no work, and ends by itself
                thread.join()

    def _serve(self) -> None:
        while (work := self._work.get()) is not None:
            work()
            with self._lock:
                self._begun -= 1

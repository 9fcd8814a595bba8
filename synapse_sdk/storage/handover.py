"""Pieces handed from the thread that has them to another one that sends them."""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Self

__all__ = ["Handover", "StoppedError", "send_elsewhere"]

ROOM = 2 << 20
"""Bytes that may wait to be taken."""


class StoppedError(Exception):
    """There will be no more pieces: those that came are not to be used."""


class Handover(Iterator[bytes]):
    """An iterator that gets its pieces from another thread, and makes that one wait when it is ahead."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: deque[bytes] = deque()
        self._bytes = 0
        self._is_complete = self._is_stopped = self._is_closed = False

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._is_complete or self._is_stopped)
            if self._is_stopped:
                raise StoppedError
            if not self._waiting:
                raise StopIteration
            piece = self._waiting.popleft()
            self._bytes -= len(piece)
            self._changed.notify_all()
            return piece

    def give(self, piece: bytes) -> bool:
        """Hand over a piece; return whether anybody still takes them."""
        with self._changed:
            self._changed.wait_for(lambda: self._bytes < ROOM or self._is_closed)
            self._waiting.append(piece)
            self._bytes += len(piece)
            self._changed.notify_all()
            return not self._is_closed

    def complete(self) -> None:
        """Say that this was the last piece."""
        with self._changed:
            self._is_complete = True
            self._changed.notify_all()

    def stop(self) -> None:
        """Have whoever takes the pieces give up."""
        with self._changed:
            self._is_stopped = True
            self._changed.notify_all()

    def close(self) -> None:
        """Say that nobody takes them any more."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()


def send_elsewhere[T](pieces: Iterable[bytes], send: Callable[[Iterator[bytes]], T], last: Callable[[], None]) -> T:
    """Read pieces in this thread while another one sends them, and return what sending returns.

    obstore takes pieces inside its own event loop, where nothing else may use it: pieces that come from another object
    store would end the program.

    Args:
        pieces: What is sent.
        send: Sends them; has to undo what it did when taking one raises.
        last: Called when all were read and before the last of them is known to be the last. If it raises, nothing
            is sent.
    """
    handover = Handover()
    with ThreadPoolExecutor(1, thread_name_prefix="synapse-send") as pool:
        sending = pool.submit(send, handover)
        sending.add_done_callback(lambda _: handover.close())
        try:
            if all(handover.give(piece) for piece in pieces):
                last()
                handover.complete()
        except BaseException:
            handover.stop()
            raise
        return sending.result()

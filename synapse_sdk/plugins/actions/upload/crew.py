"""Who reads and sends files: other threads, or the caller's own where others would only be in its way."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

__all__ = ["Crew"]


class Crew:
    """Does work elsewhere, or at once.

    Python runs one thread at a time. To write a small file into a folder takes a dozen calls of the system, and after
    each of them a thread would wait until it has its turn again: beside a thread that computes, that takes longer than
    the writing.

    Args:
        size: Threads at most; they are made when they are needed.
        is_inline: Whether short work is done at once, by whoever asks for it.
    """

    def __init__(self, size: int, *, is_inline: bool) -> None:
        self._is_inline = is_inline
        self._pool = ThreadPoolExecutor(size, thread_name_prefix="upload")

    def do[**P](self, is_long: bool, work: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:  # noqa: FBT001  # what follows belongs to the work
        """Have some work done, which says itself what has come of it and raises nothing."""
        if self._is_inline and not is_long:
            work(*args, **kwargs)
        else:
            self._pool.submit(work, *args, **kwargs)

    def dismiss(self) -> None:
        """Wait until what was begun is done; nothing else is begun any more."""
        self._pool.shutdown(wait=True, cancel_futures=True)

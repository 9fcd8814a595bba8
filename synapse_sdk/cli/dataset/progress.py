"""A line that says how far a command about a dataset has come, for people who watch."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["progress_line"]

PAUSE = 0.1
"""Seconds between two drawings."""
CLEAR = "\r\x1b[K"


@contextmanager
def progress_line(doing: str, *, is_quiet: bool) -> Iterator[Callable[[int, int | None], None] | None]:
    """Give what draws the line, which is gone when the block ends; None if nobody watches.

    Args:
        doing: What is done to items, such as `Converted`.
        is_quiet: Whether the answer is for a program.
    """
    if is_quiet or not sys.stderr.isatty():
        yield None
        return
    drawn_at = 0.0

    def draw(done: int, count: int | None) -> None:
        nonlocal drawn_at
        now = time.monotonic()
        if now - drawn_at >= PAUSE:
            drawn_at = now
            of = "" if count is None else f" of {count:,}"
            sys.stderr.write(f"{CLEAR}{doing} {done:,}{of} items")
            sys.stderr.flush()

    try:
        yield draw
    finally:
        sys.stderr.write(CLEAR)
        sys.stderr.flush()

"""Keeping standard output for data: while a plugin runs, whatever it prints goes to standard error."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

__all__ = ["prints_to_stderr"]


@contextmanager
def prints_to_stderr() -> Iterator[None]:
    """Send to standard error what is written to standard output inside the block, by whatever means.

    `print`, code in C and child processes all write to file descriptor 1, so that is what is turned.
    """
    original = sys.stdout
    original.flush()
    descriptor = _descriptor(original)
    kept = None if descriptor is None else os.dup(descriptor)
    target = _descriptor(sys.stderr)
    if descriptor is not None and target is not None:
        os.dup2(target, descriptor)
    sys.stdout = sys.stderr
    try:
        yield
    finally:
        sys.stdout = original
        if descriptor is not None and kept is not None:
            original.flush()  # what was printed through the old object is no data either
            os.dup2(kept, descriptor)
            os.close(kept)


def _descriptor(stream: TextIO) -> int | None:
    try:
        return stream.fileno()
    except (OSError, ValueError):  # a stream in memory, of a test or a notebook
        return None

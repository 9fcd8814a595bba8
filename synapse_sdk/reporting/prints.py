"""What a step prints itself, on a terminal on which a reporter draws."""

import os
import sys
from collections.abc import Callable, Iterable
from typing import Any, TextIO

__all__ = ["PrintGuard"]

ERASE_BELOW = "\x1b[J"


class PrintGuard:
    """Makes `print` erase a drawing that stands below the cursor, so that the text does not end up in it.

    While installed it stands in for `sys.stdout` and `sys.stderr`, where they are the terminal that is drawn on. What
    is printed goes where it always goes, at once and unchanged. Text that does not pass through them (of a child
    process, or of a handler that kept the stream from before) is not noticed.

    Args:
        terminal: The terminal that is drawn on.
        erase: Called before each text; returns whether there is a drawing, which is then erased.
    """

    def __init__(self, terminal: TextIO | None, erase: Callable[[], bool]) -> None:
        self._guarded = [
            (name, _GuardedStream(stream, erase))
            for name in ("stdout", "stderr")
            if (stream := getattr(sys, name)) is not None and is_same_terminal(stream, terminal)
        ]

    def install(self) -> None:
        """Stand in for the streams."""
        for name, guarded in self._guarded:
            setattr(sys, name, guarded)

    def remove(self) -> None:
        """Put the streams back, unless somebody else has put others in their place; safe to call twice."""
        for name, guarded in self._guarded:
            if getattr(sys, name) is guarded:
                setattr(sys, name, guarded.stream)


class _GuardedStream:
    """A stream that calls `erase` before it writes, and is the stream it was made from in everything else."""

    def __init__(self, stream: TextIO, erase: Callable[[], bool]) -> None:
        self.stream = stream
        self._erase = erase

    def write(self, text: str) -> int:
        self.stream.write(ERASE_BELOW + text if self._erase() else text)
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        self.write("".join(lines))

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # whatever the stream has
        return getattr(self.stream, name)


def is_same_terminal(stream: TextIO, terminal: TextIO | None) -> bool:
    """Whether both streams write to one terminal."""
    try:
        descriptors = stream.fileno(), terminal.fileno() if terminal is not None else -1
        return stream.isatty() and os.path.sameopenfile(*descriptors)
    except (AttributeError, OSError, ValueError):  # not a file, or closed
        return False

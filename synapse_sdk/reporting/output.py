"""Where a reporter's text goes: a stream that can neither hold up the run nor be left locked at exit."""

import io
import os
import select
import shutil
import stat
from collections.abc import Mapping
from typing import Any, Protocol, TextIO

from synapse_sdk.clock import Clock
from synapse_sdk.reporting.events import Event

__all__ = ["Output", "StreamReporter", "open_output"]

PIPE_PIECE = 4096
"""Bytes that a pipe takes at once when it says it is ready (PIPE_BUF of Linux; others say less but take as much)."""
USUAL_SIZE = os.terminal_size((80, 24))
MOST_UNSENT = 1_000
"""Texts that are held back for a common write."""
LOOK_UP_MS = 200
"""Milliseconds after which a writer that waits for its reader looks whether it should still wait."""


class Output(Protocol):
    """A place for text."""

    is_unicode: bool
    """Whether it can show more than ASCII."""

    @property
    def size(self) -> os.terminal_size:
        """Columns and lines of the terminal now, for windows are resized; 80 and 24 if it does not say."""
        ...

    def write(self, text: str) -> None:
        """Write all of the text; what the encoding does not have is escaped.

        Raises:
            BrokenPipeError: Nobody reads any more.
            OSError: The disk is full, the terminal is gone.
        """
        ...

    def give_up(self) -> None:
        """Let a `write` that waits for a reader, and all later ones, return without writing; from any thread."""
        ...

    def close(self) -> None:
        """Flush and release what was opened here; the stream it was made from stays open."""
        ...


class FileOutput:
    """Writes to a file descriptor of its own, past the buffers of the stream it was made from.

    Python's buffered streams hold a lock while they write. A thread that waits in one for a pipe nobody reads would
    make the interpreter hang or abort at exit. Here nothing is locked, and `give_up` ends the wait.
    """

    def __init__(self, stream: TextIO) -> None:
        self._descriptor = os.dup(stream.fileno())
        self._encoding = stream.encoding
        self._may_block = not stat.S_ISREG(os.fstat(self._descriptor).st_mode)
        self._gave_up = False
        self.is_unicode = speaks_unicode(stream)

    @property
    def size(self) -> os.terminal_size:
        """Columns and lines as the terminal says."""
        try:
            size = os.get_terminal_size(self._descriptor)
        except OSError:
            return USUAL_SIZE
        return size if size.columns and size.lines else USUAL_SIZE

    def write(self, text: str) -> None:
        """Write to the descriptor, piece by piece where a reader may be slow."""
        rest = memoryview(text.encode(self._encoding, "backslashreplace"))
        while rest and self._wait_until_ready():
            written = os.write(self._descriptor, rest[:PIPE_PIECE] if self._may_block else rest)
            rest = rest[written:]

    def _wait_until_ready(self) -> bool:
        if not self._may_block or not hasattr(select, "poll"):  # Windows: such a wait cannot be ended
            return not self._gave_up
        poll = select.poll()
        poll.register(self._descriptor, select.POLLOUT)
        while not self._gave_up:
            if poll.poll(LOOK_UP_MS):  # also after an error, which the write then raises
                return True
        return False

    def give_up(self) -> None:
        """End the wait for a reader."""
        self._gave_up = True

    def close(self) -> None:
        """Close the descriptor; safe to call twice."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class StreamOutput:
    """Writes to a stream that is no plain file: in memory, in a notebook, of a test."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._encoding = getattr(stream, "encoding", None) or "utf-8"
        self._gave_up = False
        self.is_unicode = speaks_unicode(stream)

    @property
    def size(self) -> os.terminal_size:
        """Columns and lines as the environment or the process's own terminal say."""
        return shutil.get_terminal_size(USUAL_SIZE)

    def write(self, text: str) -> None:
        """Write to the stream and flush it."""
        if not self._gave_up:
            self._stream.write(text.encode(self._encoding, "backslashreplace").decode(self._encoding))
            self._stream.flush()

    def give_up(self) -> None:
        """Write no more."""
        self._gave_up = True

    def close(self) -> None:
        """Leave the stream to its owner."""


def open_output(stream: TextIO | None) -> Output:
    """Return the way to write to a stream; None (a process without that stream) discards.

    What the stream has buffered is flushed first, so that it stays in front.
    """
    if stream is None:
        with open(os.devnull, "w", encoding="utf-8") as nowhere:  # noqa: PTH123  # a device, not a path of ours
            return FileOutput(nowhere)
    if not is_plain_file(stream):
        return StreamOutput(stream)
    stream.flush()
    return FileOutput(stream)


def is_plain_file(stream: TextIO) -> bool:
    """Whether the stream is one that Python opened on a file descriptor, and not something that resembles one."""
    buffer = getattr(stream, "buffer", None)  # a raw file itself under `python -u`
    return isinstance(stream, io.TextIOWrapper) and isinstance(getattr(buffer, "raw", buffer), io.FileIO)


def speaks_unicode(stream: TextIO) -> bool:
    """Whether the stream's encoding has every character; a stream without one keeps text as it is."""
    return (getattr(stream, "encoding", None) or "utf-8").lower().replace("_", "-").startswith("utf")


class StreamReporter:
    """Base of the reporters that write text: what `BackgroundReporter` can ask of them beyond the port.

    It calls them from one thread at a time. Text is sent at the next `tick`; whoever uses such a reporter without a
    `BackgroundReporter` calls `tick` itself. `observe` and `set_progress` are the subclass's.

    Args:
        stream: Where the text goes; stays open. None (a process without that stream) discards it.
        clock: Where the time comes from.
    """

    def __init__(self, stream: TextIO | None, *, clock: Clock) -> None:
        self._clock = clock
        self._output = open_output(stream)
        self._unsent: list[str] = []

    def observe(self, event: Event) -> None:
        """Take note of one event."""
        raise NotImplementedError

    def set_progress(self, current: float, total: float, category: str | None) -> None:
        """Note how far the work of a category has come."""
        raise NotImplementedError

    def tick(self) -> None:
        """Send what was written, and show what time alone changes: a heartbeat, a rate, a redraw.

        Called after deliveries, and when there was nothing to deliver; about ten times a second, never much more.
        """
        self._send()

    def show_result(self, result: Mapping[str, Any]) -> None:
        """Show what the run returned, if this reporter has a place for it."""

    def give_up(self) -> None:
        """Stop waiting for whoever should read the stream; called from another thread, when closing takes too long."""
        self._output.give_up()

    def close(self) -> None:
        """Send what is still unsent and release the stream; safe to call twice."""
        try:
            self._send()
        finally:
            self._output.close()

    def _write(self, text: str) -> None:
        """Add text to what the next `tick` sends; a lot of it is sent at once."""
        self._unsent.append(text)
        if len(self._unsent) >= MOST_UNSENT:
            self._send()

    def _send(self) -> None:
        texts, self._unsent = self._unsent, []
        if texts:
            self._output.write("".join(texts))

"""What a worker process and the process that started it say to each other: one JSON object a line.

The worker says `{"ready": true}`, then `{"event": ...}` for all that happens, and at its end `{"outcome": ...}` with
one of `result` (JSON data), `failure` (see `failures`), `interrupted` or `exit` (an exit code).
"""

import json
import os
import selectors
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from synapse_sdk.reporting.base import Reporter
from synapse_sdk.reporting.events import Event, ProgressReported
from synapse_sdk.reporting.jsonable import json_line
from synapse_sdk.reporting.wire import decode_event, encode_event

__all__ = ["CHUNK", "LOOK_INTERVAL", "Channel", "EventSender", "messages_in", "read_messages", "replay"]

CHUNK = 65_536
"""Bytes read at once."""
LOOK_INTERVAL = 0.25
"""Seconds of silence after which a reader looks whether the writer is still alive."""


class Channel:
    """The worker's end of the pipe; lines of several threads stay whole, and forked processes have no say."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._owner = os.getpid()
        self._lock = threading.Lock()

    def send(self, message: Mapping[str, Any]) -> None:
        """Send one message.

        Raises:
            BrokenPipeError: Nobody reads any more.
        """
        if os.getpid() != self._owner:  # an exception in a forked process came as far as here
            return
        rest = memoryview(json_line(message).encode())
        with self._lock:
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]


class EventSender:
    """A reporter that sends everything through a channel."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def observe(self, event: Event) -> None:
        """Send the event."""
        self._channel.send({"event": encode_event(event)})

    def set_progress(self, current: float, total: float, category: str | None) -> None:
        """Send the progress."""
        self.observe(ProgressReported(category, current, total))

    def close(self) -> None:
        """Leave the channel open: the outcome is still to come."""


def read_messages(descriptor: int, is_writer_alive: Callable[[], bool]) -> Iterator[dict[str, Any]]:
    """Yield messages until the writer is gone; what it was cut off in is left out."""
    yield from messages_in(_chunks(descriptor, is_writer_alive))


def messages_in(chunks: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """Yield the messages in a stream of bytes, which comes in pieces; the last line is left out if it has no end."""
    begun: list[bytes] = []  # the line that is not complete yet, in pieces
    for chunk in chunks:
        *ends, rest = chunk.split(b"\n")
        for end in ends:
            yield json.loads(b"".join([*begun, end]))
            begun.clear()
        begun.append(rest)


def _chunks(descriptor: int, is_writer_alive: Callable[[], bool]) -> Iterator[bytes]:
    """Yield what comes through a pipe.

    Its end is not enough to know that the writer is gone: processes that the writer started may hold it open.
    """
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        while _comes_more(selector, is_writer_alive) and (chunk := os.read(descriptor, CHUNK)):
            yield chunk


def _comes_more(selector: selectors.BaseSelector, is_writer_alive: Callable[[], bool]) -> bool:
    while not selector.select(LOOK_INTERVAL):
        if not is_writer_alive():
            return bool(selector.select(0))  # its last words may have come since
    return True


def replay(data: Mapping[str, Any], reporter: Reporter) -> None:
    """Tell a reporter of an event that came through a channel.

    Raises:
        InvalidDocumentError: It is not an event.
    """
    event = decode_event(data)
    if isinstance(event, ProgressReported):
        reporter.set_progress(event.current, event.total, event.category)
    else:
        reporter.observe(event)

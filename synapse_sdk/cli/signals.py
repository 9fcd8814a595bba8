"""Being told to stop: signals become exceptions, so that a run is undone before the process ends."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

__all__ = ["HungUp", "StoppedBySignal", "Terminated", "stop_on_signals"]


class StoppedBySignal(SystemExit):
    """The process was told to end; like Ctrl-C it passes through a workflow, which is undone on the way."""

    number: signal.Signals

    def __init__(self) -> None:
        super().__init__(128 + self.number)


class Terminated(StoppedBySignal):
    """Somebody (a scheduler, `kill`, a shutdown) asked the process to end."""

    number = signal.SIGTERM


class HungUp(StoppedBySignal):
    """The terminal was closed, or the connection to it was lost."""

    number = getattr(signal, "SIGHUP", signal.SIGTERM)  # Windows has none


@contextmanager
def stop_on_signals() -> Iterator[None]:
    """Raise `Terminated` or `HungUp` inside the block when the signal comes.

    A signal that was ignored when the process started (`nohup`) stays ignored.
    """
    previous = {}
    for stopped in (Terminated, HungUp):
        if signal.getsignal(stopped.number) is not signal.SIG_IGN:
            previous[stopped.number] = signal.signal(stopped.number, _handler(stopped))
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _handler(stopped: type[StoppedBySignal]) -> "signal._HANDLER":
    def stop(_number: int, _frame: FrameType | None) -> NoReturn:
        raise stopped

    return stop

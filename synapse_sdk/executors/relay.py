"""Passing signals on to a worker process, and obeying them when it has ended."""

import contextlib
import signal
import threading
from collections import deque
from types import FrameType, TracebackType
from typing import Protocol, Self

__all__ = ["SignalRelay", "SignalTarget", "is_main_thread"]

KILLING_PRESS = 4
"""The Ctrl-C that kills a worker which ignored all before; the third already ends a rollback."""
SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


def is_main_thread() -> bool:
    """Whether this is the thread in which Python handles signals."""
    return threading.current_thread() is threading.main_thread()


class SignalTarget(Protocol):
    """The way on which signals reach a worker; it may be called in a signal handler."""

    @property
    def can_be_suspended(self) -> bool:
        """Whether the worker stands still while this process does."""
        ...

    def deliver(self, number: signal.Signals, *, to_group: bool) -> None:
        """Send a signal to the worker, or to its process group; nothing happens if it has ended."""
        ...


class SignalRelay:
    """Inside the block, signals go to a worker in a process group of its own instead of being obeyed here.

    Ctrl-C goes to the whole group, as a terminal would send it, requests to end go to the worker alone. What comes
    before the worker is ready waits until it is. Suspending (Ctrl-Z) suspends the worker, too. Signals that are ignored
    stay ignored. In any other thread than the main one the block does nothing: there, Python has no say in signals.
    """

    def __init__(self) -> None:
        self.target: SignalTarget | None = None
        self.received: list[signal.Signals] = []
        """What came, in order."""
        self._waiting: deque[signal.Signals] = deque()  # to be passed on
        self._is_ready = False
        self._previous: dict[int, object] = {}

    def __enter__(self) -> Self:
        if is_main_thread():
            for number in SIGNALS:
                self._install(number, self._take)
            if hasattr(signal, "SIGTSTP"):
                self._install(signal.SIGTSTP, self._suspend)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # exactly what signal.signal returned
        self._previous.clear()

    def worker_is_ready(self) -> None:
        """Pass on what came so far; from now on everything is passed on at once."""
        self._is_ready = True
        self._pass_on()

    def obey(self) -> None:
        """Deliver the last signal that came to this process, now that the worker has ended.

        Raises:
            KeyboardInterrupt: It was Ctrl-C.
            BaseException: Whatever the process's own handler raises.
        """
        if self.received:
            number = self.received[-1]
            signal.raise_signal(number)
            if number is signal.SIGINT:
                raise KeyboardInterrupt

    def _install(self, number: int, handler: object) -> None:
        if signal.getsignal(number) not in (signal.SIG_IGN, None):  # None: a handler not written in Python
            self._previous[number] = signal.signal(number, handler)  # type: ignore[arg-type]  # one of the two below

    def _take(self, number: int, _frame: FrameType | None) -> None:
        self.received.append(signal.Signals(number))
        self._waiting.append(signal.Signals(number))
        if self._is_ready:
            self._pass_on()
        if self.received.count(signal.SIGINT) >= KILLING_PRESS:
            self._send(signal.SIGKILL, to_group=True)

    def _pass_on(self) -> None:
        with contextlib.suppress(IndexError):  # a signal may come in the middle, and pass on what waits
            while True:
                number = self._waiting.popleft()
                self._send(number, to_group=number is signal.SIGINT)

    def _suspend(self, number: int, frame: FrameType | None) -> None:
        if self.target is not None and self.target.can_be_suspended:
            self._send(signal.SIGSTOP, to_group=True)
        handler = signal.signal(number, self._previous[number])  # type: ignore[arg-type]  # as in __exit__
        signal.raise_signal(number)  # here the process stands still
        signal.signal(number, handler)
        if self.target is not None and self.target.can_be_suspended:
            self._send(signal.SIGCONT, to_group=True)

    def _send(self, number: signal.Signals, *, to_group: bool) -> None:
        if self.target is not None:
            self.target.deliver(number, to_group=to_group)

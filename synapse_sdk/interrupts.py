"""Holding signals back while something must not be cut short."""

import contextlib
import signal
import threading
from _thread import start_new_thread
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import inf
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, Self

if TYPE_CHECKING:
    from concurrent.futures import Future

__all__ = [
    "HungUp",
    "InsistentInterrupt",
    "InterruptShield",
    "StoppedBySignal",
    "Terminated",
    "stop_on_signals",
    "undisturbed",
    "wait_for_end",
]

HELD_SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)  # Windows has no SIGHUP
DEAF_AT_MOST = 0.5
"""Seconds after which a wait looks up, to see whether a signal came."""


class InsistentInterrupt(KeyboardInterrupt):
    """Ctrl-C was pressed so often that it is obeyed although something asked not to be cut short."""


class InterruptShield:
    """Let a rollback go on although the user presses Ctrl-C or the process is told to end.

    Inside the block SIGINT, SIGTERM and SIGHUP are counted instead of obeyed; each calls `on_held` with the number of
    presses so far. The press number `limit` raises InsistentInterrupt after all. Signals can be held in the main thread
    only (that is where Python delivers them); in another thread the block does nothing.

    Args:
        on_held: Told of each signal that is held back, with the presses so far. It runs in a thread of its own, because
            a signal may arrive while the interrupted code holds the very lock that a reporter needs.
        presses: Presses that came before the block, such as the one that started the rollback.
        limit: The press that is obeyed.
    """

    def __init__(self, on_held: Callable[[int], None], *, presses: int = 0, limit: int = 3) -> None:
        self._on_held = on_held
        self._limit = limit
        self._obeyed_press: float = inf  # nothing is raised while handlers are being changed
        self._previous: dict[int, object] = {}
        self.presses = presses
        self.held: set[int] = set()
        """The signals that were held back, to be obeyed once the work is done."""

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            handlers = {number: signal.getsignal(number) for number in HELD_SIGNALS}
            for number, handler in handlers.items():
                if handler not in (signal.SIG_IGN, None):  # None: a handler not written in Python
                    self._previous[number] = handler  # noted first: from the next line on a signal may come
                    signal.signal(number, self._hold)
        self._obeyed_press = self._limit
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._obeyed_press = inf
        for number, handler in reversed(self._previous.items()):  # Ctrl-C last: once it is back, it may raise here
            signal.signal(number, handler)  # type: ignore[arg-type]  # exactly what signal.getsignal returned

    def _hold(self, number: int, _frame: FrameType | None) -> None:
        self.hold(number)

    def hold(self, number: int) -> None:
        """Count a signal and hold it back; also one that came as an exception, just before the block."""
        self.presses += 1
        if self.presses >= self._obeyed_press:
            raise InsistentInterrupt
        self.held.add(number)
        with contextlib.suppress(RuntimeError):  # no new thread can be had while the interpreter shuts down
            # Not threading.Thread: it takes locks that the interrupted code may hold, and waits for them for ever.
            start_new_thread(self._on_held, (self.presses,))

    def obey(self, *, but: BaseException) -> None:
        """Deliver what was held back, now that it does no harm; a second Ctrl-C adds nothing to a KeyboardInterrupt.

        Args:
            but: What goes on its way anyhow.
        """
        for number in sorted(self.held):
            if number != signal.SIGINT or not isinstance(but, KeyboardInterrupt):
                signal.raise_signal(number)


def undisturbed(work: Callable[[], object], error: BaseException | None) -> set[int]:
    """Do something that must not be cut short, such as waiting for threads, and return the signals that came meanwhile.

    A Ctrl-C that comes just before signals are held back begins it again, and is counted.

    Args:
        work: What is done; safe to repeat.
        error: What is on its way; None if nothing is, and then the signals that came are delivered afterwards.

    Raises:
        InsistentInterrupt: Ctrl-C was pressed three times, the one that is on its way included.
    """
    presses, early = int(isinstance(error, KeyboardInterrupt)), set[int]()
    while True:
        try:
            with InterruptShield(lambda _: None, presses=presses) as shield:
                work()
        except InsistentInterrupt:
            raise
        except KeyboardInterrupt:
            presses += 1
            early.add(signal.SIGINT)
        else:
            break
    shield.held |= early
    if error is None:
        shield.obey(but=SystemExit())
    return shield.held


def wait_for_end(future: "Future[Any]") -> None:
    """Wait until a future has a result or an exception, and notice signals meanwhile.

    A signal that comes just before a thread begins to wait does not end the wait: Python would act on it only after
    the future has ended, and Ctrl-C would seem to be ignored.
    """
    while not future.done():
        with contextlib.suppress(TimeoutError):
            future.exception(timeout=DEAF_AT_MOST)


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
def stop_on_signals(*, over_others: bool = False) -> Iterator[None]:
    """Raise `Terminated` or `HungUp` inside the block when the signal comes.

    Signals arrive in the main thread only; in another one the block does nothing. One that was ignored when the process
    started (`nohup`) stays ignored.

    Args:
        over_others: Also take the place of handlers that somebody else has installed.
    """
    previous: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        for stopped in (Terminated, HungUp):
            handler = signal.getsignal(stopped.number)
            if handler is signal.SIG_DFL or (over_others and handler is not signal.SIG_IGN):
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

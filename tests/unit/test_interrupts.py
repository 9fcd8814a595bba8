import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

import pytest

from synapse_sdk.interrupts import InsistentInterrupt, InterruptShield, undisturbed, wait_for_end

PATIENCE = 30.0


def _press(number: int = signal.SIGINT) -> None:
    signal.raise_signal(number)


@contextmanager
def _handled_by(number: int, handler: Any) -> Iterator[None]:  # noqa: ANN401  # whatever signal.signal takes
    before = signal.signal(number, handler)
    try:
        yield
    finally:
        signal.signal(number, before)


def _break(_: int) -> None:
    msg = "boom"
    raise ValueError(msg)


def test_a_held_signal_is_counted_and_told() -> None:
    """In a thread of its own, with the presses so far."""
    told, threads, enough = list[int](), list[threading.Thread](), threading.Event()

    def on_held(presses: int) -> None:
        told.append(presses)
        threads.append(threading.current_thread())
        if len(told) == 2:
            enough.set()

    with InterruptShield(on_held) as shield:
        _press()
        _press()
        assert enough.wait(PATIENCE)

    assert sorted(told) == [1, 2]
    assert threading.main_thread() not in threads
    assert (shield.presses, shield.held) == (2, {signal.SIGINT})


@pytest.mark.parametrize(("presses", "limit"), [(0, 1), (0, 3), (1, 3), (2, 3)])
def test_the_last_press_is_obeyed(presses: int, limit: int) -> None:
    """Those before the block count."""
    with InterruptShield(lambda _: None, presses=presses, limit=limit) as shield:
        for _ in range(limit - presses - 1):
            _press()
        with pytest.raises(InsistentInterrupt):
            _press()

    assert shield.presses == limit


def test_an_insistent_interrupt_is_a_keyboard_interrupt() -> None:
    """Whoever handles the one handles the other."""
    assert issubclass(InsistentInterrupt, KeyboardInterrupt)


def test_handlers_are_put_back_whatever_happens() -> None:
    """Also when the block is left by an exception."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]

    with pytest.raises(ValueError, match="boom"), InterruptShield(lambda _: None):
        _break(signal.SIGINT)

    assert [signal.getsignal(number) for number in numbers] == before


def test_an_ignored_signal_stays_ignored() -> None:
    """`nohup` means it."""
    with _handled_by(signal.SIGHUP, signal.SIG_IGN), InterruptShield(lambda _: None) as shield:
        _press(signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN

    assert shield.presses == 0


def test_another_thread_is_left_alone() -> None:
    """Signals are delivered to the main thread; there is nothing to hold."""
    before, during = signal.getsignal(signal.SIGINT), list[Any]()

    def work() -> None:
        with InterruptShield(lambda _: None):
            during.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(PATIENCE)

    assert during == [before]


def test_what_was_held_is_delivered_afterwards() -> None:
    """To whoever handled it before."""
    received: list[int] = []
    with _handled_by(signal.SIGTERM, lambda number, _: received.append(number)):
        with InterruptShield(lambda _: None) as shield:
            _press(signal.SIGTERM)
        assert received == []
        shield.obey(but=ValueError())

    assert received == [signal.SIGTERM]


@pytest.mark.parametrize("going_on", [ValueError(), SystemExit(1)])
def test_a_held_press_is_delivered_unless_an_interrupt_is_under_way(going_on: BaseException) -> None:
    """A second Ctrl-C adds nothing to a KeyboardInterrupt."""
    with InterruptShield(lambda _: None) as shield:
        _press()

    shield.obey(but=KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        shield.obey(but=going_on)


def test_nothing_is_delivered_when_nothing_was_held() -> None:
    """A quiet block ends quietly."""
    with InterruptShield(lambda _: None) as shield:
        pass

    shield.obey(but=ValueError())


def test_a_listener_that_raises_disturbs_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """It runs in a thread of its own, and so does its mistake."""
    ended = threading.Event()
    monkeypatch.setattr(sys, "unraisablehook", lambda _: ended.set())

    with InterruptShield(_break) as shield:
        _press()
        assert ended.wait(PATIENCE)

    assert shield.presses == 1


def test_a_signal_that_came_just_before_the_block_can_be_counted() -> None:
    """It is told and obeyed like the others."""
    told = threading.Event()

    with InterruptShield(lambda _: told.set()) as shield:
        shield.hold(signal.SIGINT)
        assert told.wait(PATIENCE)
    with pytest.raises(KeyboardInterrupt):
        shield.obey(but=ValueError())

    assert (shield.presses, shield.held) == (1, {signal.SIGINT})


def test_a_signal_that_comes_while_a_thread_is_being_started_does_not_hang() -> None:
    """Starting a thread takes a lock of `threading`; what holds a signal must not want the same."""
    program = """
import signal, threading
from synapse_sdk.interrupts import InterruptShield
with InterruptShield(lambda _: None):
    with threading._active_limbo_lock:
        signal.raise_signal(signal.SIGINT)
print("went on")
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE, check=False
    )

    assert (done.stdout, done.stderr) == ("went on\n", "")


class _LateFuture(Future[None]):
    """Ends while it is waited for the third time."""

    waits = 0

    def exception(self, timeout: float | None = None) -> BaseException | None:
        assert timeout is not None
        self.waits += 1
        if self.waits == 3:
            self.set_result(None)
        return super().exception(timeout=0)


def test_a_long_wait_looks_up_now_and_then() -> None:
    """Python acts on a signal that came just before the wait only when the wait is over."""
    future = _LateFuture()

    wait_for_end(future)

    assert future.waits == 3


def test_a_future_that_holds_a_timeout_has_ended() -> None:
    """It is not mistaken for a wait that took too long."""
    future: Future[None] = Future()
    future.set_exception(TimeoutError())

    wait_for_end(future)

    assert future.done()


def test_shields_may_be_nested() -> None:
    """The inner one holds while it lasts, and hands what it held to the outer one."""
    with InterruptShield(lambda _: None) as outer:
        with InterruptShield(lambda _: None) as inner:
            _press()
        assert (inner.presses, outer.presses) == (1, 0)
        inner.obey(but=ValueError())

    assert outer.presses == 1


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ValueError()], ids=repr)
def test_what_must_not_be_cut_short_is_begun_again_after_a_press_that_came_early(error: BaseException) -> None:
    """It came before signals were held back: the work is done all the same, and the press is not forgotten."""
    begun: list[str] = []

    def work() -> None:
        begun.append("work")
        if len(begun) == 1:
            raise KeyboardInterrupt
        begun.append("done")

    assert undisturbed(work, error) == {signal.SIGINT}
    assert begun == ["work", "work", "done"]


def _pressing(done: list[int], presses: int = 1) -> Callable[[], None]:
    """Return work during which Ctrl-C is pressed, and which then notes that it is done."""

    def work() -> None:
        for _ in range(presses):
            _press()
        done.append(1)

    return work


def test_a_press_during_what_must_not_be_cut_short_is_handed_on() -> None:
    """With an error on its way, whoever undoes things gets to know of it."""
    done: list[int] = []

    assert undisturbed(_pressing(done), ValueError()) == {signal.SIGINT}
    assert done == [1]


def test_a_press_is_obeyed_after_what_must_not_be_cut_short() -> None:
    """If nothing else is on its way."""
    done: list[int] = []

    with pytest.raises(KeyboardInterrupt):
        undisturbed(_pressing(done), None)

    assert done == [1]


def test_whoever_insists_does_not_wait_for_what_must_not_be_cut_short() -> None:
    """The third press, of which one is on its way already."""
    with pytest.raises(InsistentInterrupt):
        undisturbed(_pressing([], presses=2), KeyboardInterrupt())


def test_presses_that_came_early_count_among_three() -> None:
    """Else nobody could get out."""
    left = [1]

    def work() -> None:
        if left:
            left.clear()
            raise KeyboardInterrupt
        _press()

    with pytest.raises(InsistentInterrupt):
        undisturbed(work, KeyboardInterrupt())

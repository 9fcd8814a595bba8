import signal
import subprocess
import threading
from collections.abc import Iterator

import pytest

from synapse_sdk.executors.child import ChildSignals
from synapse_sdk.executors.relay import SignalRelay


@pytest.fixture
def worker() -> Iterator[subprocess.Popen[bytes]]:
    """A process that any signal ends, in a group of its own."""
    with subprocess.Popen(["sleep", "60"], process_group=0) as process:  # noqa: S607  # any will do
        yield process
        process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_what_comes_before_the_worker_is_ready_waits(worker: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """A worker that cannot handle signals yet would die of them and say nothing."""
    with SignalRelay() as relay:
        relay.target = ChildSignals(worker)
        signal.raise_signal(number)
        with pytest.raises(subprocess.TimeoutExpired):
            worker.wait(0.05)
        relay.worker_is_ready()

        assert worker.wait(60) == -number
        assert relay.received == [number]


def test_the_fourth_ctrl_c_kills_even_a_worker_that_is_not_ready(worker: subprocess.Popen[bytes]) -> None:
    """Nothing can hang for ever."""
    with SignalRelay() as relay:
        relay.target = ChildSignals(worker)
        for _ in range(4):
            signal.raise_signal(signal.SIGINT)

        assert worker.wait(60) == -signal.SIGKILL


def test_a_signal_is_obeyed_after_the_block() -> None:
    """By whatever handler there was before."""
    with SignalRelay() as relay:
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        relay.obey()


def test_a_handler_that_does_not_raise_does_not_swallow_ctrl_c() -> None:
    """A loop over runs must stop."""
    heard = []
    previous = signal.signal(signal.SIGINT, lambda *_: heard.append("SIGINT"))
    try:
        with SignalRelay() as relay:
            signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            relay.obey()
    finally:
        signal.signal(signal.SIGINT, previous)
    assert heard == ["SIGINT"]


def test_signals_that_come_late_harm_nobody(worker: subprocess.Popen[bytes]) -> None:
    """The worker's process id may belong to somebody else by then."""
    worker.kill()
    worker.wait()
    with SignalRelay() as relay:
        relay.target = ChildSignals(worker)
        relay.worker_is_ready()
        signal.raise_signal(signal.SIGTERM)

        assert relay.received == [signal.SIGTERM]


def test_it_does_nothing_without_signals_and_in_other_threads() -> None:
    """There, Python has no say in them."""
    before = signal.getsignal(signal.SIGINT)
    seen = []

    def elsewhere() -> None:
        with SignalRelay() as relay:
            seen.append(signal.getsignal(signal.SIGINT))
        relay.obey()

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    with SignalRelay() as relay:
        assert signal.getsignal(signal.SIGINT) != before
    relay.obey()

    assert seen == [before]
    assert signal.getsignal(signal.SIGINT) == before

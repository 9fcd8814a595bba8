"""Running an action in a process of its own, whose death harms nobody else."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from synapse_sdk.executors.base import RunSpec
from synapse_sdk.executors.channel import read_messages
from synapse_sdk.executors.child import STDERR, WORKER_MODULE, ChildSignals, give, start_worker
from synapse_sdk.executors.outcome import result_of
from synapse_sdk.executors.relay import SignalRelay, is_main_thread
from synapse_sdk.executors.replayer import Replayer
from synapse_sdk.reporting.base import Reporter
from synapse_sdk.types import JsonValue

__all__ = ["ProcessExecutor"]


class ProcessExecutor:
    """Runs each action in a new process.

    The worker inherits environment, working directory and standard error; what it prints goes to standard error, so
    that this process's standard output stays its own. It rolls back and ends when this process dies, however that
    happens: its standard input ends then.

    Args:
        module: The module that is run as the worker.
        patience: Seconds a worker may take to end after it has sent its outcome; then it is killed.
    """

    def __init__(self, module: str = WORKER_MODULE, *, patience: float = 10.0) -> None:
        self._module = module
        self._patience = patience

    def run(self, spec: RunSpec, reporter: Reporter | None) -> JsonValue:
        """Run an action to its end and return its result; raises what `Executor.run` says."""
        line = spec.to_json()
        replayer = Replayer(reporter)
        paths = [str(entry) for entry in sys.path]
        with SignalRelay() as relay, self._worker(relay, paths) as (worker, events):
            give(worker, paths, line)
            outcome = replayer.hear_out(read_messages(events, lambda: worker.poll() is None), relay)
            self._see_off(worker, has_outcome=outcome is not None)
        try:
            return result_of(outcome, worker.returncode)
        finally:
            replayer.sum_up()
            relay.obey()

    @contextmanager
    def _worker(self, relay: SignalRelay, paths: list[str]) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
        """Start a worker, yield it with the pipe its events come through, and leave nothing behind."""
        # A group of its own: only then does every Ctrl-C arrive exactly once, wherever it was sent to. Where signals
        # cannot be handled, the worker must get them from the terminal itself.
        worker, events = start_worker(
            self._module,
            paths,
            stdout=STDERR if _is_open(STDERR) else subprocess.DEVNULL,
            stderr=None if _is_open(STDERR) else subprocess.DEVNULL,
            has_own_group=is_main_thread(),
        )
        try:
            with worker:
                relay.target = ChildSignals(worker)
                yield worker, events
        finally:
            os.close(events)

    def _see_off(self, worker: subprocess.Popen[bytes], *, has_outcome: bool) -> None:
        """Wait for the worker's end; one that has said everything and does not end, is killed."""
        try:
            worker.wait(self._patience if has_outcome else None)
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait()


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:  # closed, as in some services
        return False
    return True

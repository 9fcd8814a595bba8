"""Running an action in a process of its own, whose death harms nobody else."""

import contextlib
import fcntl
import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any, cast

from synapse_sdk.errors import ExecutorError, WorkerLostError
from synapse_sdk.executors.base import RunSpec
from synapse_sdk.executors.channel import read_messages, replay
from synapse_sdk.executors.failures import decode_failure
from synapse_sdk.executors.relay import SignalRelay, is_main_thread
from synapse_sdk.reporting.base import Reporter
from synapse_sdk.types import JsonValue

__all__ = ["ProcessExecutor"]

WORKER_MODULE = "synapse_sdk.plugins.entrypoint"
STDERR = 2
SIGNAL_EXIT = 128
"""A process that a signal told to end has this exit code plus the signal's number."""


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
        replayer = _Replayer(reporter)
        with SignalRelay() as relay, self._worker(relay) as (worker, events):
            _give(worker, line)
            outcome = None
            for message in read_messages(events, lambda: worker.poll() is None):
                if "ready" in message:
                    relay.worker_is_ready()
                elif "event" in message:
                    replayer.replay(message["event"])
                elif "outcome" in message:
                    outcome = message["outcome"]
                    break
            self._see_off(worker, has_outcome=outcome is not None)
        try:
            return _result(outcome, worker.returncode)
        finally:
            replayer.sum_up()
            relay.obey()

    @contextmanager
    def _worker(self, relay: SignalRelay) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
        """Start a worker, yield it with the pipe its events come through, and leave nothing behind."""
        events, sending_end = _pipe()
        try:
            # A group of its own: only then does every Ctrl-C arrive exactly once, wherever it was sent to. Where
            # signals cannot be handled, the worker must get them from the terminal itself.
            group = 0 if is_main_thread() else None
            command = [_interpreter(), *_flags(), "-m", self._module, str(sending_end)]
            try:
                worker = subprocess.Popen(  # noqa: S603  # this interpreter, with a module of ours
                    command,
                    stdin=subprocess.PIPE,
                    stdout=STDERR if _is_open(STDERR) else subprocess.DEVNULL,
                    stderr=None if _is_open(STDERR) else subprocess.DEVNULL,
                    pass_fds=[sending_end],
                    process_group=group,
                )
            except OSError as error:
                msg = "Cannot start a worker process"
                raise ExecutorError(msg, why=str(error), fix="Run the action with mode='local'") from error
            finally:
                os.close(sending_end)
            with worker:
                relay.worker = worker
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


class _Replayer:
    """Tells a reporter what happened in the worker; one that raises never fails the run."""

    def __init__(self, reporter: Reporter | None) -> None:
        self._reporter = reporter
        self._failures = 0

    def replay(self, event: Mapping[str, Any]) -> None:
        if self._reporter is None:
            return
        try:
            replay(event, self._reporter)
        except Exception:  # noqa: BLE001  # whoever watches must not be able to fail the run
            self._failures += 1
            if self._failures == 1:
                _log().warning(
                    "Reporting failed, and the run goes on; further failures are only counted", exc_info=True
                )

    def sum_up(self) -> None:
        if self._failures > 1:
            _log().warning("Reporting failed %d times during the run", self._failures)


def _give(worker: subprocess.Popen[bytes], line: str) -> None:
    """Hand the worker where this process finds modules, and what it is to run; its input stays open."""
    paths = json.dumps([str(entry) for entry in sys.path])
    with contextlib.suppress(BrokenPipeError):  # it died at once: whoever waits for its outcome will see
        stdin = cast("IO[bytes]", worker.stdin)
        stdin.write(f"{paths}\n{line}\n".encode())
        stdin.flush()


def _result(outcome: Mapping[str, Any] | None, exit_code: int) -> JsonValue:
    """Return the result, or raise what the outcome says."""
    match outcome:
        case {"result": result}:
            value: JsonValue = result
            return value
        case {"failure": failure}:
            raise decode_failure(failure)
        case {"interrupted": _}:
            raise KeyboardInterrupt
        case {"exit": code}:
            raise _ended_itself(code)
        case _:
            raise _lost(exit_code)


def _ended_itself(code: object) -> ExecutorError:
    number = code - SIGNAL_EXIT if isinstance(code, int) else 0
    if number in {signal.SIGTERM, signal.SIGHUP}:
        msg = f"The worker process was told to end ({signal.Signals(number).name}); it undid what it had done"
        return WorkerLostError(msg, fix="Run the action again")
    msg = f"The action ended its process with exit code {code!r} instead of returning"
    return ExecutorError(msg, fix="Raise an exception instead of calling sys.exit")


def _lost(exit_code: int) -> WorkerLostError:
    undone = "What it had done was not undone"
    if exit_code >= 0:
        msg = f"The worker process ended with exit code {exit_code} and without a result"
        return WorkerLostError(msg, why=undone, fix="Look for its last words on standard error", exit_code=exit_code)
    try:
        name = signal.Signals(-exit_code).name
    except ValueError:  # a real-time signal
        name = f"signal {-exit_code}"
    fix = {
        "SIGKILL": "If nobody killed it, the system ran out of memory: process less at once",
        "SIGSEGV": "A native library crashed: set PYTHONFAULTHANDLER=1 to see where",
    }.get(name, "Look for its last words on standard error")
    return WorkerLostError(f"The worker process was killed by {name}", why=undone, fix=fix, signal=name)


def _interpreter() -> str:
    if not sys.executable:
        msg = "Cannot start a worker process: this Python does not know its own executable"
        raise ExecutorError(msg, fix="Run the action with mode='local'")
    return sys.executable


def _flags() -> list[str]:
    """Return the flags that keep the working directory out of the worker's module path, unless it is in ours.

    A folder of data may hold a file `json.py`.
    """
    try:
        here = os.getcwd()  # noqa: PTH109  # compared with text
    except FileNotFoundError:  # it was removed
        here = ""
    return [] if {"", here} & set(sys.path) else ["-P"]


def _pipe() -> tuple[int, int]:
    """Return a pipe whose ends do not take the place of a standard stream that is closed."""
    ends = os.pipe()
    reading_end, writing_end = (fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, STDERR + 1) for end in ends)
    for end in ends:
        os.close(end)
    return reading_end, writing_end


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:  # closed, as in some services
        return False
    return True


def _log() -> logging.Logger:
    return logging.getLogger("synapse_sdk.executors")

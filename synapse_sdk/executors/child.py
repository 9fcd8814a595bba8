"""Starting a worker process, telling it what to do, and sending it signals."""

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import IO, cast

from synapse_sdk.errors import ExecutorError

__all__ = ["STDERR", "WORKER_MODULE", "ChildSignals", "give", "start_worker"]

WORKER_MODULE = "synapse_sdk.plugins.entrypoint"
"""The module that is run as the worker; dotted, because executors stand below plugins."""
STDERR = 2


def start_worker(
    module: str,
    paths: Sequence[str],
    *,
    stdout: int | None,
    stderr: int | None,
    has_own_group: bool = True,
    kept_open: Sequence[int] = (),
    directory: str | None = None,
    environ: Mapping[str, str] | None = None,
) -> tuple[subprocess.Popen[bytes], int]:
    """Start a worker and return it with the descriptor its events come through, which the caller closes.

    Args:
        module: What is run.
        paths: Where its caller finds modules.
        stdout: Where what it prints goes, as `subprocess` wants it.
        stderr: Where its standard error goes.
        has_own_group: Whether it gets a process group of its own.
        kept_open: Descriptors that it gets, too.
        directory: Where it starts; by default here.
        environ: Its environment; by default that of this process.

    Raises:
        ExecutorError: It cannot be started.
    """
    events, sending_end = _pipe()
    try:
        worker = subprocess.Popen(  # noqa: S603  # this interpreter, with a module of ours
            [_interpreter(), *_flags(directory, paths), "-m", module, str(sending_end)],
            stdin=subprocess.PIPE,
            stdout=stdout,
            stderr=stderr,
            pass_fds=[sending_end, *kept_open],
            process_group=0 if has_own_group else None,
            cwd=directory,
            env=environ,
        )
    except OSError as error:
        os.close(events)
        msg = "Cannot start a worker process"
        raise ExecutorError(msg, why=str(error), fix="Run the action with mode='local'") from error
    except BaseException:
        os.close(events)
        raise
    finally:
        os.close(sending_end)
    return worker, events


def give(worker: subprocess.Popen[bytes], paths: Sequence[str], line: str) -> None:
    """Hand a worker where its caller finds modules, and what it is to run; its input stays open."""
    with contextlib.suppress(BrokenPipeError):  # it died at once: whoever waits for its outcome will see
        stdin = cast("IO[bytes]", worker.stdin)
        stdin.write(f"{json.dumps(list(paths))}\n{line}\n".encode())
        stdin.flush()


class ChildSignals:
    """Sends signals to a process that was started here, or to its group, as long as it has not ended."""

    can_be_suspended = True

    def __init__(self, worker: subprocess.Popen[bytes]) -> None:
        self._worker = worker

    def deliver(self, number: signal.Signals, *, to_group: bool) -> None:
        """Send a signal."""
        if self._worker.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                (os.killpg if to_group else os.kill)(self._worker.pid, number)


def _interpreter() -> str:
    if not sys.executable:
        msg = "Cannot start a worker process: this Python does not know its own executable"
        raise ExecutorError(msg, fix="Run the action with mode='local'")
    return sys.executable


def _flags(directory: str | None, paths: Sequence[str]) -> list[str]:
    """Return the flags that keep the working directory out of the worker's module path, unless it is in its caller's.

    A folder of data may hold a file `json.py`.
    """
    try:
        here = directory or os.getcwd()  # noqa: PTH109  # compared with text
    except FileNotFoundError:  # it was removed
        here = ""
    return [] if {"", here} & set(paths) else ["-P"]


def _pipe() -> tuple[int, int]:
    """Return a pipe whose ends do not take the place of a standard stream that is closed."""
    ends = os.pipe()
    reading_end, writing_end = (fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, STDERR + 1) for end in ends)
    for end in ends:
        os.close(end)
    return reading_end, writing_end

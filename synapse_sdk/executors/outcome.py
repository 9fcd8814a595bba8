"""What came of an action that ran in a worker process: its result, or the error that says what happened."""

import signal
from collections.abc import Mapping
from typing import Any

from synapse_sdk.errors import ExecutorError, WorkerLostError
from synapse_sdk.executors.failures import decode_failure
from synapse_sdk.types import JsonValue

__all__ = ["result_of"]

SIGNAL_EXIT = 128
"""A process that a signal told to end has this exit code plus the signal's number."""


def result_of(outcome: Mapping[str, Any] | None, exit_code: int) -> JsonValue:
    """Return the result, or raise what the outcome says.

    Args:
        outcome: The worker's last message; None if there was none.
        exit_code: With which the worker ended; negative if a signal killed it.

    Raises:
        SynapseError: What the action raised.
        WorkerLostError: It died, or was told to end.
        ExecutorError: It ended itself.
        KeyboardInterrupt: It was interrupted.
    """
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

"""What a worker process runs: one action, as the process that started it says.

The other process's end is `synapse_sdk.executors.process`. It hands over a list of module paths and a spec, a line of
JSON each, on standard input, and keeps that open: its end means that the other process is gone.
"""

import contextlib
import io
import json
import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from types import FrameType
from typing import Any, NoReturn

from synapse_sdk.executors.base import RunSpec
from synapse_sdk.executors.channel import Channel, EventSender
from synapse_sdk.executors.failures import encode_failure
from synapse_sdk.plugins.worker import run_spec
from synapse_sdk.reporting.background import BackgroundReporter
from synapse_sdk.reporting.wire import to_json

__all__ = ["main"]

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SIGNAL_EXIT = 128
"""A process that a signal told to end has this exit code plus the signal's number."""


def main() -> int:
    """Run what standard input says; the argument is the descriptor of the pipe that events and outcome go to."""
    descriptor = int(sys.argv[1])
    os.set_inheritable(descriptor, False)  # noqa: FBT003  # processes that the action starts shall not hold it open
    channel = Channel(descriptor)
    with contextlib.suppress(BrokenPipeError):  # whoever started this is gone, and wants to hear nothing
        channel.send({"outcome": run_from(take_stdin(), channel)})
    return 0


def run_from(control: int, channel: Channel) -> Mapping[str, Any]:
    """Run what comes in and return the outcome, whatever happens."""
    try:
        install_handlers()
        channel.send({"ready": True})
        paths, spec = read_lines(control)
        sys.path += [path for path in json.loads(paths) if path and path not in sys.path]
        threading.Thread(target=end_with_parent, args=(control,), daemon=True).start()
        return {"result": run(RunSpec.from_json(spec), channel)}
    except KeyboardInterrupt:
        return {"interrupted": True}
    except SystemExit as stopped:
        return {"exit": to_json(stopped.code)}
    except BaseException as error:  # noqa: BLE001  # it is raised again by whoever started this
        return {"failure": encode_failure(error)}
    finally:
        ignore_signals()


def run(spec: RunSpec, channel: Channel) -> object:
    """Run the spec with a reporter that sends everything through the channel; return the result as JSON data."""
    # As long as it takes: a reader that is suspended comes back, and one that died breaks the pipe.
    reporter = BackgroundReporter(EventSender(channel), patience=threading.TIMEOUT_MAX)
    try:
        return to_json(run_spec(spec, reporter))
    finally:
        ignore_signals()  # all is done or undone, and only has to be told
        reporter.close()


def take_stdin() -> int:
    """Return standard input under another descriptor, and give the action an empty one: it must not eat this one."""
    control = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    if isinstance(sys.stdout, io.TextIOWrapper):  # it goes where standard error goes, and should keep its order
        sys.stdout.reconfigure(line_buffering=True)
    return control


def read_lines(control: int) -> Iterator[bytes]:
    """Yield the two lines that say what to do.

    Raises:
        SystemExit: The other process ended before it had said everything.
    """
    received = b""
    while received.count(b"\n") < 2:  # noqa: PLR2004  # the two lines
        chunk = os.read(control, 65_536)
        if not chunk:
            raise SystemExit(SIGNAL_EXIT + signal.SIGTERM)
        received += chunk
    return iter(received.splitlines())


def end_with_parent(control: int) -> None:
    """Wait until the other process is gone, then ask this one to end: the action is undone on the way."""
    with contextlib.suppress(OSError):
        while os.read(control, 1):
            pass
    os.kill(os.getpid(), signal.SIGTERM)


def install_handlers() -> None:
    """Let requests to end pass through the action as SystemExit, so that it is undone."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)  # some processes, as those of Ray, hold them back for all below
    signal.signal(signal.SIGTERM, stop)  # always: the end of the other process arrives as one
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, stop)
    os.register_at_fork(after_in_child=forget_handlers)


def forget_handlers() -> None:
    """Let a process that the action forks end at once when it is told to: there is nothing for it to undo."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


def stop(number: int, _frame: FrameType | None) -> NoReturn:
    """Raise the exit code that belongs to a signal."""
    raise SystemExit(SIGNAL_EXIT + number)


def ignore_signals() -> None:
    """From now on nothing interrupts."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


if __name__ == "__main__":
    sys.exit(main())

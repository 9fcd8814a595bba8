"""The other processes, as the one that started them sees them."""

import contextlib
import fcntl
import json
import select
import subprocess
import sys
from io import BufferedWriter, FileIO
from typing import cast

from synapse_sdk import errors
from synapse_sdk.errors import SynapseError, WorkerLostError, WorkflowError
from synapse_sdk.formats.portions import OneProcessError
from synapse_sdk.formats.processes.messages import Failure, Known, Notice, Task, read, write, write_block
from synapse_sdk.formats.processes.numbered_portion import Page

__all__ = ["HelperProcess", "error_of"]

AHEAD = 1 << 20
"""Bytes that a process may say before somebody listens, where the system lets it."""
BOOTSTRAP = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from synapse_sdk.formats.processes.helper import main; main()"
)
"""The others find modules where this process does, and never in the folder it was started in."""


class HelperProcess:
    """A process that converts some of the items.

    Args:
        task: What it is to do.
        lock: A descriptor that keeps others out of the target, which they stay as long as any of the processes lives.
    """

    def __init__(self, task: Task, lock: int) -> None:
        self.last = Notice(position=0, items=0, pages=[])
        """What it said last."""
        paths = json.dumps([str(entry) for entry in sys.path])
        self._process = subprocess.Popen(  # noqa: S603  # this interpreter, with a module of ours
            [sys.executable, "-P", "-c", BOOTSTRAP, paths],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=(lock,),
            bufsize=0,  # or nobody could see whether it has said something
            process_group=0,  # a Ctrl-C is for this process, which then ends the others
        )
        self._stdin = BufferedWriter(cast("FileIO", self._process.stdin))
        self._stdout = cast("FileIO", self._process.stdout)
        self._poll = select.poll()
        self._poll.register(self._stdout, select.POLLIN)
        if hasattr(fcntl, "F_SETPIPE_SZ"):
            with contextlib.suppress(OSError):
                fcntl.fcntl(self._stdout, fcntl.F_SETPIPE_SZ, AHEAD)
        self.tell(task)

    @property
    def has_ended(self) -> bool:
        """Whether it will say nothing more."""
        return self.last.tally is not None or self.last.failure is not None

    @property
    def has_said_more(self) -> bool:
        """Whether it has said something that nobody has listened to yet, or has ended."""
        return bool(self._poll.poll(0))

    def tell(self, message: Task | Known, block: bytes | None = None) -> None:
        """Say something to it.

        Args:
            message: What to say.
            block: What follows it, as it is.

        Raises:
            WorkerLostError: It has ended.
            OneProcessError: The message cannot be sent.
        """
        try:
            write(self._stdin, message)
            if block is not None:
                write_block(self._stdin, block)
        except BrokenPipeError:
            self.end()
            raise self._lost() from None
        except BaseException:
            self.end()
            raise

    def listen(self) -> list[Page]:
        """Wait for what it says next, and return what it has taken down about items.

        Raises:
            WorkerLostError: It has ended before it was done.
        """
        message = read(self._stdout, Notice)
        if message is None:
            raise self._lost()
        self.last = message
        return message.pages

    def end(self) -> None:
        """End it, whatever it is doing."""
        self._process.kill()
        self._stdout.close()
        with contextlib.suppress(BrokenPipeError):
            self._stdin.close()
        self._process.wait()

    def _lost(self) -> WorkerLostError:
        status = self._process.wait()
        msg = "A process that wrote a part of the dataset has ended before it was done"
        why = f"it was ended by signal {-status}" if status < 0 else f"its exit code is {status}"
        return WorkerLostError(msg, why=why, fix="See whether memory is short, or write with one process")


def error_of(failure: Failure) -> Exception:
    """Return the error that another process has met."""
    if failure.name == OneProcessError.__name__:
        return OneProcessError()
    kind = getattr(errors, failure.name, None)
    if isinstance(kind, type) and issubclass(kind, SynapseError):
        return kind(failure.message, why=failure.why, fix=failure.fix, **failure.where)
    if failure.number is not None:
        return OSError(failure.number, failure.message, failure.path)
    msg = f"{failure.name} in a process that wrote a part of the dataset: {failure.message}"
    return WorkflowError(msg, why=failure.why)

"""Hands items to processes that write them, and takes down what they say in the order of the items."""

import contextlib
import json
import os
import re
import subprocess
import sys
import unicodedata
from collections import defaultdict, deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from os.path import splitext
from zlib import crc32

import msgspec

from synapse_sdk import errors
from synapse_sdk.errors import SynapseError, WorkerLostError, WorkflowError
from synapse_sdk.formats.base import Writer
from synapse_sdk.formats.losses import Held, LossLog, Reason, Renamed
from synapse_sdk.formats.model import Item
from synapse_sdk.formats.processes.messages import (
    Answer,
    Failure,
    OneProcessError,
    Task,
    encode,
    options_of,
    read,
    write,
)

__all__ = ["WriterProcesses"]

ROUND = 256
"""Items that are handed out at a time."""
ROUND_BYTES = 8 * 1024 * 1024
"""Bytes of items with which a round ends as well."""
ROUNDS = 2
"""Rounds that are under way when another one is put together."""
NUMBER = re.compile(r"(?:_[1-9]\d?)+$")
"""What tells images apart that would get the same name, and ends the names of others, too."""
FILES = re.compile(r"\.(?:txt|xml|json|png)/", re.IGNORECASE)
"""What makes a folder of what may be a file for another item."""
BOOTSTRAP = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from synapse_sdk.formats.processes.child import main; main()"
)
"""The others find modules where this process does, and never in the folder it was started in."""


class WriterProcesses:
    """Writes items by several processes.

    Args:
        writer: Has written the items before these, if any; gets to know what the processes have written.
        name: The format that it writes.
        count: How many processes.
        losses: The log of the reader and the writer, which holds back what it is told: it goes with the next item.
        lock: A descriptor that keeps others out of the folder, which they stay as long as any of the processes lives.
    """

    def __init__(self, writer: Writer, name: str, count: int, losses: LossLog, lock: int) -> None:
        self._writer, self._losses = writer, losses
        self._labels = {spec.name for spec in writer.info.classes}
        self._splits = {"", *writer.info.splits}
        self._reasons = {(each.code, each.words, each.fix): each for _, each in losses.reasons}
        self._rounds: deque[_Round] = deque()
        self._round = _Round()
        self._processes: list[_Process] = []
        task = encode(Task(name, os.fspath(writer.folder), writer.info, options_of(writer.options)))
        try:
            for _ in range(count):
                self._processes.append(_Process(task, lock))
        except BaseException:
            self.close()
            raise
        losses.hold()

    def write(self, item: Item) -> None:
        """Hand an item to the process that writes it.

        Raises:
            OneProcessError: Only one process alone can.
            SynapseError: An item before this one could not be written.
            OSError: The same.
        """
        before = self._losses.take()
        is_known = self._labels.issuperset([each.label for each in item.annotations])
        if not is_known or item.split not in self._splits or FILES.search(item.name):
            raise OneProcessError
        data = encode(item)
        number = crc32(_stem(item.name).encode()) % len(self._processes)
        current = self._round
        current.order.append((number, before))
        current.batches[number].append(data)
        current.size += len(data)
        if len(current.order) == ROUND or current.size >= ROUND_BYTES:
            self._hand_out()
            if len(self._rounds) > ROUNDS:
                self._take_down(self._rounds.popleft())

    def finish(self) -> None:
        """Wait until all is written.

        Raises:
            SynapseError: An item could not be written.
            OSError: The same.
        """
        self._hand_out()
        while self._rounds:
            self._take_down(self._rounds.popleft())
        self._losses.tell(self._losses.take())
        self._losses.release()
        for process in self._processes:
            for label, tool, count in process.ask([]).result().written:
                self._writer.written[label, tool] += count

    def close(self) -> None:
        """End the processes, whatever they are doing."""
        for process in self._processes:
            process.end()

    def _hand_out(self) -> None:
        current = self._round
        current.answers = {number: self._processes[number].ask(batch) for number, batch in current.batches.items()}
        current.batches.clear()
        self._rounds.append(current)
        self._round = _Round()

    def _take_down(self, done: "_Round") -> None:
        """Take down what was said about the items of a round, in their order."""
        answers = {number: answer.result() for number, answer in done.answers.items()}
        told = {number: iter(answer.told) for number, answer in answers.items()}
        for number, before in done.order:
            self._losses.tell(before)
            of_item = next(told[number], None)
            if of_item is None:
                raise _error_of(answers[number].failure)
            self._losses.tell([each._replace(reason=self._known(each.reason)) for each in of_item])

    def _known(self, copy: Reason) -> Reason:
        """Return the reason that this process has for one that was sent: reports tell them apart by identity."""
        return self._reasons.setdefault((copy.code, copy.words, copy.fix), copy)


@dataclass(slots=True)
class _Round:
    """Items that are handed out together."""

    order: list[tuple[int, list[Held | Renamed]]] = field(default_factory=list)
    """For each item the number of its process, and what the reader said before it."""
    batches: defaultdict[int, list[bytes]] = field(default_factory=lambda: defaultdict(list))
    answers: dict[int, Future[Answer]] = field(default_factory=dict)
    size: int = 0


class _Process:
    """A process that writes, and the thread that talks to it."""

    def __init__(self, task: bytes, lock: int) -> None:
        paths = json.dumps([str(entry) for entry in sys.path])
        self._process = subprocess.Popen(  # noqa: S603  # this interpreter, with a module of ours
            [sys.executable, "-P", "-c", BOOTSTRAP, paths],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=(lock,),
            process_group=0,  # a Ctrl-C is for this process, which then ends the others
        )
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="synapse-writer")
        self._thread.submit(self._send, task)

    def ask(self, batch: list[bytes]) -> "Future[Answer]":
        """Let it write items; none to hear what it has written."""
        return self._thread.submit(self._asked, batch)

    def end(self) -> None:
        """End it, and leave neither thread nor zombie behind."""
        self._process.kill()
        self._thread.shutdown(cancel_futures=True)
        for stream in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(BrokenPipeError):  # what was on its way to it
                stream.close()  # type: ignore[union-attr]  # they are pipes
        self._process.wait()

    def _asked(self, batch: list[bytes]) -> Answer:
        self._send(encode([msgspec.Raw(each) for each in batch]))
        data = read(self._process.stdout)  # type: ignore[arg-type]  # as above
        if data is None:
            raise self._lost()
        return msgspec.msgpack.decode(data, type=Answer)

    def _send(self, data: bytes) -> None:
        try:
            write(self._process.stdin, data)  # type: ignore[arg-type]  # as above
        except BrokenPipeError:
            raise self._lost() from None

    def _lost(self) -> WorkerLostError:
        status = self._process.wait()
        msg = "A process that wrote a part of the dataset has ended before it was done"
        why = f"it was ended by signal {-status}" if status < 0 else f"its exit code is {status}"
        return WorkerLostError(msg, why=why, fix="See whether memory is short, or write with one process")


def _stem(name: str) -> str:
    """Return what the names of all files have in common that may be in each other's way, on any file system."""
    stem = splitext(name.rpartition("/")[2])[0]  # noqa: PTH122  # once for each item
    return NUMBER.sub("", unicodedata.normalize("NFC", stem.lstrip("._"))).casefold()


def _error_of(failure: Failure | None) -> Exception:
    """Return the error that another process has met."""
    if failure is None:
        return WorkflowError("A process that wrote a part of the dataset did not say what became of an item")
    if failure.name == OneProcessError.__name__:
        return OneProcessError()
    kind = getattr(errors, failure.name, None)
    if isinstance(kind, type) and issubclass(kind, SynapseError):
        return kind(failure.message, why=failure.why, fix=failure.fix, **failure.where)
    if failure.number is not None:
        return OSError(failure.number, failure.message, failure.path)
    msg = f"{failure.name} in a process that wrote a part of the dataset: {failure.message}"
    return WorkflowError(msg, why=failure.why)

"""The process that converts some of the items of a dataset for another one."""

import os
import signal
import threading
import traceback
from contextlib import closing
from pathlib import Path
from queue import SimpleQueue
from typing import BinaryIO

from synapse_sdk.errors import SynapseError
from synapse_sdk.formats.flow import Conversion, Flow
from synapse_sdk.formats.losses import LossLog
from synapse_sdk.formats.partition import Partition
from synapse_sdk.formats.portions import OneProcessError
from synapse_sdk.formats.processes.messages import Failure, Known, Notice, Task, read, read_block, read_options, write
from synapse_sdk.formats.processes.numbered_portion import NumberedPortion
from synapse_sdk.formats.report import Tally

__all__ = ["ROUND", "main"]

ROUND = 256
"""Items of the dataset after which a process says how far it has come."""


def main() -> None:
    """Do what standard input says, and tell on standard output."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is for the other process, which then ends this one
    source = os.fdopen(os.dup(0), "rb", buffering=0)
    target = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a format prints must not get between the messages
    task = read(source, Task)
    if task is None:
        return
    known: SimpleQueue[tuple[Known, bytes]] = SimpleQueue()
    threading.Thread(target=_hear, args=(source, known), daemon=True).start()
    try:
        _Helper(task, known, target).run()
    except BrokenPipeError:  # nobody listens any more
        os._exit(1)


def _hear(source: BinaryIO, known: SimpleQueue[tuple[Known, bytes]]) -> None:
    """Hand on what the process that started this one says, and end with it: until then it keeps the source open."""
    if (message := read(source, Known)) is not None and (survey := read_block(source)) is not None:
        known.put((message, survey))
        del survey  # megabytes, of a large dataset
        source.read(1)
    os._exit(1)


class _Helper:
    """Converts what is asked for, and says how far it is."""

    def __init__(self, task: Task, known: SimpleQueue[tuple[Known, bytes]], target: BinaryIO) -> None:
        self._task, self._known, self._target = task, known, target
        self._losses = LossLog()
        self._portion = NumberedPortion(self._losses)
        self._portion.divide(task.number, task.count, task.first)
        self._items = 0

    def run(self) -> None:
        """Convert the items, or say why that cannot be."""
        try:
            self._convert()
        except BrokenPipeError:
            raise
        except Exception as error:  # noqa: BLE001  # it is raised again where somebody hears it
            try:
                self._say(self._portion.position, failure=_failure(error))
            except OneProcessError as unsendable:  # what was said until now cannot be sent
                self._portion.taken()
                self._say(self._portion.position, failure=_failure(unsendable))

    def _convert(self) -> None:
        task, portion = self._task, self._portion
        flow = Flow(_conversion(task), Path(task.folder), self._losses, portion)
        with closing(flow):
            if task.stretch is not None:
                self._say(0, survey=flow.reader.survey(*task.stretch))
            known, survey = self._known.get()
            flow.prepare([survey], _parts(known))
            del known, survey  # megabytes, of a large dataset
            said = 0
            for _ in flow.items():
                self._items += 1
                if portion.position - said > ROUND:
                    said = portion.position - 1  # of the last item the reader may still say something
                    self._say(said)
            self._say(portion.position, tally=flow.tally())

    def _say(
        self, position: int, *, survey: bytes = b"", tally: Tally | None = None, failure: Failure | None = None
    ) -> None:
        notice = Notice(
            position=position,
            items=self._items,
            pages=self._portion.taken(),
            survey=survey,
            tally=tally,
            losses=None if tally is None else self._losses.counts,
            failure=failure,
        )
        write(self._target, notice)


def _conversion(task: Task) -> Conversion:
    return Conversion(
        sources=[Path(each) for each in task.sources],
        source_format=task.source_format,
        target_format=task.target_format,
        options=read_options(task.options),
    )


def _parts(known: Known) -> Partition | None:
    return None if known.parts is None else {(split, name): new for split, name, new in known.parts}


def _failure(error: Exception) -> Failure:
    name = type(error).__name__
    match error:
        case SynapseError():
            where = {key: str(value) for key, value in error.where.items()}
            return Failure(name, error.message, error.why, error.fix, where)
        case OSError():
            path = None if error.filename is None else os.fsdecode(error.filename)
            return Failure(name, error.strerror or str(error), number=error.errno, path=path)
        case _:
            return Failure(name, str(error), why="".join(traceback.format_exception(error)))

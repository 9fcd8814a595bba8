"""The process that writes some of the items of a dataset for another one."""

import os
import signal
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

import msgspec

from synapse_sdk.errors import SynapseError
from synapse_sdk.formats.base import FormatOptions, Writer
from synapse_sdk.formats.losses import Held, LossLog
from synapse_sdk.formats.processes.messages import (
    Answer,
    Failure,
    SentInfo,
    Task,
    decode_item,
    encode,
    messages,
    read,
    write,
)
from synapse_sdk.formats.registry import format_named

__all__ = ["main"]


def main() -> None:
    """Do what standard input says, and answer on standard output; end when nobody says anything any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is for the other process, which then ends this one
    source, target = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a format prints must not get between the answers
    task = msgspec.msgpack.decode(read(source) or b"", type=Task)
    losses = LossLog()
    losses.hold()
    options = msgspec.convert(task.options, FormatOptions, strict=False)
    info = msgspec.convert(task.info, SentInfo)
    writer = format_named(task.format).writer(Path(task.folder), info, options, losses)
    losses.take()  # the writer of the other process has said the same
    decode = msgspec.msgpack.Decoder(list[msgspec.Raw]).decode
    try:
        for data in messages(source):
            batch = decode(data)
            answer = _written(batch, writer, losses) if batch else _tally(writer)
            write(target, encode(answer))
            if answer.failure is not None:
                break
    except BrokenPipeError:  # nobody listens any more
        os._exit(1)
    finally:
        writer.close()


def _written(batch: Sequence[msgspec.Raw], writer: Writer, losses: LossLog) -> Answer:
    """Write the items of a message."""
    told: list[list[Held]] = []
    try:
        for data in batch:
            writer.write(decode_item(data))
            told.append([each for each in losses.take() if isinstance(each, Held)])
    except Exception as error:  # noqa: BLE001  # it is raised again where somebody hears it
        return Answer(told=told, failure=_failure(error))
    return Answer(told=told)


def _tally(writer: Writer) -> Answer:
    return Answer(written=[(label, tool, count) for (label, tool), count in writer.tally().items()])


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

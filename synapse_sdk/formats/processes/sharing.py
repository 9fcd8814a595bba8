"""Finds out whether it pays to write a dataset by several processes."""

import os
from time import thread_time
from typing import TYPE_CHECKING

from synapse_sdk.errors import ConfigurationError
from synapse_sdk.formats.base import Writer
from synapse_sdk.formats.losses import LossLog
from synapse_sdk.formats.model import Item
from synapse_sdk.formats.processes.messages import OneProcessError, decode_item, encode

if TYPE_CHECKING:
    from synapse_sdk.formats.processes.writing import WriterProcesses

__all__ = ["SharedWriting"]

TRIED = 100
"""Items that are written alone, to see what that takes."""
PAYS = 10.0
"""How much longer writing an item has to take than sending it; that of most items, since a few may load a library."""
LEAST = 1_000
"""Items that must be left: fewer are written before other processes have started."""
MOST_PROCESSES = 8
"""One that reads cannot keep more busy."""


class SharedWriting:
    """Writes items, and lets other processes help if they may, and if that pays.

    Args:
        writer: Writes, and finishes the dataset.
        name: The format that it writes.
        processes: How many others write; 1 for none; None for as many as there are processors, if it pays.
        losses: The log of the reader and the writer.
        lock: See `WriterProcesses`.

    Raises:
        ConfigurationError: There is no such number of processes.
    """

    def __init__(self, writer: Writer, name: str, processes: int | None, losses: LossLog, lock: int) -> None:
        if processes is not None and processes < 1:
            msg = f"{processes} processes cannot write a dataset"
            raise ConfigurationError(msg, fix="Choose at least 1, or leave it to the number of processors")
        self._writer, self._name, self._losses, self._lock = writer, name, losses, lock
        self._others: WriterProcesses | None = None
        self._count = min(os.cpu_count() or 1, MOST_PROCESSES) if processes is None else processes
        self._tried = self._slow = 0
        if self._count > 1 and not writer.is_divisible():
            self._count = 1
        if self._count > 1 and processes is not None:
            self._share()

    def write(self, item: Item) -> None:
        """Write an item, or have it written.

        Raises:
            OneProcessError: It can only be written by one process, and there are several.
            SynapseError: This item, or one before it, could not be written.
            OSError: The same.
        """
        if self._others is not None:
            self._others.write(item)
        elif self._count == 1:
            self._writer.write(item)
        else:
            self._try(item)

    def finish(self) -> None:
        """Wait until all is written, and finish the dataset.

        Raises:
            SynapseError: An item could not be written.
            OSError: The same.
        """
        if self._others is not None:
            self._others.finish()
        self._writer.finish()

    def close(self) -> None:
        """End other processes."""
        if self._others is not None:
            self._others.close()

    def _try(self, item: Item) -> None:
        """Write an item, and see what that takes beside sending it to another process."""
        began = thread_time()
        try:
            decode_item(encode(item))
        except OneProcessError:
            self._count = 1
        sent = thread_time()
        self._writer.write(item)
        self._slow += thread_time() - sent > PAYS * (sent - began)
        self._tried += 1
        if self._count > 1 and self._tried == TRIED:
            if 2 * self._slow > TRIED and (self._writer.info.count or 0) >= TRIED + LEAST:
                self._share()
            else:
                self._count = 1

    def _share(self) -> None:
        from synapse_sdk.formats.processes.writing import WriterProcesses  # noqa: PLC0415  # few need what it loads

        self._others = WriterProcesses(self._writer, self._name, self._count, self._losses, self._lock)

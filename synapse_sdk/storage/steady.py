"""Writing into files so that the disk has something to do meanwhile."""

from synapse_sdk.storage.syscalls import start_writing, write_all

__all__ = ["SteadyWriter"]

STRETCH = 8 << 20
"""Bytes behind which the disk begins to write; else it waits for memory to fill up, or for whoever syncs the file."""


class SteadyWriter:
    """Writes into an open file, and has the disk begin with every stretch that is complete.

    Nothing is sure to survive a loss of power before the file is synced; but syncing it has little left to wait for.

    Args:
        handle: The file, which is empty.
    """

    __slots__ = ("_begun", "_handle", "_size")

    def __init__(self, handle: int) -> None:
        self._handle, self._size, self._begun = handle, 0, 0

    def write(self, piece: bytes) -> None:
        """Write a piece.

        Raises:
            OSError: It cannot be written.
        """
        write_all(self._handle, piece)
        self._size += len(piece)
        if self._size - self._begun >= STRETCH:
            start_writing(self._handle, self._begun, self._size)
            self._begun = self._size

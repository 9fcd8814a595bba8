"""The port of sources: where the files of an upload are now."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from synapse_sdk.plugins.actions.upload.accounting import Reason

__all__ = ["FoundFile", "OpenFile", "RefusedFile", "Source"]


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file that looks fit to be uploaded."""

    path: str
    """Below the root of its source, with slashes."""
    size: int
    """Bytes."""
    version: int
    """Changes when the file does: nanoseconds of its last change, as the source has it; 0 if it has no such thing."""


@dataclass(frozen=True, slots=True)
class RefusedFile:
    """Something that was found and cannot be uploaded, or does not have to be."""

    path: str
    reason: Reason
    words: str
    """Why, for people."""
    is_filtered: bool = False
    """Whether it does not belong in the upload at all, rather than being a loss."""


class OpenFile(ABC):
    """A file that is being read."""

    size: int
    """Bytes, when it was opened."""
    version: int
    """As `FoundFile.version`, when it was opened."""

    @property
    def local_path(self) -> Path | None:
        """Where it is, if it is a file of this machine."""
        return None

    @abstractmethod
    def pieces(self) -> Iterator[bytes]:
        """Yield its bytes from the beginning; may be called again.

        Raises:
            FileRefusedError: It cannot be read on, or it changed while it was read.
        """

    def read(self) -> bytes:
        """Return all its bytes. Raises as `pieces` does."""
        return b"".join(self.pieces())


class Source(ABC):
    """A tree of files that is only read."""

    location: str
    """As the user named it."""

    @abstractmethod
    def walk(self, *, depth: int | None) -> Iterator[FoundFile | RefusedFile]:
        """Yield every file there is, and everything else that somebody may take for one.

        Args:
            depth: How many levels of folders below the root are looked into; None for all of them.

        Raises:
            ConfigurationError: The root cannot be read.
        """

    @abstractmethod
    def open(self, path: str) -> AbstractContextManager[OpenFile]:
        """Open a file to read it.

        Raises:
            FileRefusedError: It cannot be opened.
        """

    def close(self) -> None:  # noqa: B027  # most have nothing to close
        """Release connections; safe to call twice."""

"""What archives consist of, whatever their format."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

__all__ = ["ArchiveMember", "Entry", "Source"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveMember:
    """One file or folder in an archive."""

    name: str
    """Path below the target folder, with `/` between its parts; safe to use."""
    size: int
    """Bytes, as the archive says; 0 for a folder."""
    is_folder: bool = False
    crc: int | None = None
    """CRC-32 of the content, where the archive has it: zip."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A member with the way to its content."""

    member: ArchiveMember
    blocks: Callable[[], Iterator[bytes]]
    """Yields the content, verified as far as the format allows once all of it is read. Only valid until the next
    entry is asked for."""


class Source(Protocol):
    """An open archive."""

    def entries(self) -> Iterator[Entry]:
        """Yield all entries, from the first one on every call.

        Raises:
            UnsafeArchiveError: The archive is damaged, or holds something other than files and folders of safe names.
        """
        ...

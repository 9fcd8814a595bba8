"""Tar archives, compressed or not."""

import tarfile
import zlib
from collections.abc import Iterator
from functools import partial
from lzma import LZMAError
from typing import BinaryIO

from synapse_sdk.documents.archives.limits import Budget, refusal
from synapse_sdk.documents.archives.members import ArchiveMember, Entry
from synapse_sdk.documents.archives.names import Names
from synapse_sdk.errors import UnsafeArchiveError

__all__ = ["TarSource"]

BLOCK = 256 * 1024
MOST_HEADER = 1024 * 1024
"""Bytes of a header, such as a long name; it is read at once."""
SLACK = 4096
"""Bytes for headers and padding that an entry may take besides its content, on the average."""
DAMAGED = "Fetch it again, or pack it anew"
BROKEN = (tarfile.TarError, zlib.error, LZMAError, EOFError, OSError, ValueError, OverflowError, RecursionError)
"""What the tar and compression modules raise about data they cannot read."""
KINDS = {
    tarfile.SYMTYPE: "a link",
    tarfile.LNKTYPE: "a hard link",
    tarfile.CHRTYPE: "a device",
    tarfile.BLKTYPE: "a device",
    tarfile.FIFOTYPE: "a pipe",
}


class TarSource:
    """An open tar archive.

    Args:
        file: The archive, unpacked as it is read.
        budget: What may come out of it.
        is_compressed: Whether skipping costs as much as reading.
    """

    def __init__(self, file: BinaryIO, budget: Budget, *, is_compressed: bool) -> None:
        self._file = file
        self._budget = budget
        self._archive = budget.archive
        self._is_compressed = is_compressed

    def entries(self) -> Iterator[Entry]:
        """Yield all entries; raises what `Source.entries` says."""
        self._file.seek(0)
        budget = self._budget.again()
        stream = (_Counted if self._is_compressed else _Bounded)(self._file, budget)
        names = Names(self._archive)
        for tar, info in self._infos(stream):
            self._check_kind(info)
            path = names.add(info.name, is_folder=info.isdir())
            if not path:
                continue
            size = 0 if info.isdir() else info.size
            budget.count_member(path, size)
            member = ArchiveMember(name=path, size=size, is_folder=info.isdir())
            yield Entry(member, partial(self._blocks, tar, info, member))

    def _infos(self, stream: "_Bounded") -> Iterator[tuple[tarfile.TarFile, tarfile.TarInfo]]:
        try:
            with tarfile.TarFile(fileobj=stream) as tar:  # type: ignore[arg-type]  # reads, seeks and tells: all it needs
                while (info := tar.next()) is not None:
                    tar.members.clear()  # type: ignore[attr-defined]  # it would keep all of them
                    yield tar, info
                if stream.last != bytes(tarfile.BLOCKSIZE):  # the module takes garbage for the end
                    raise refusal(self._archive, "it is damaged or cut off: its end is missing", DAMAGED)
                stream.drain()
        except UnsafeArchiveError:
            raise
        except BROKEN as error:
            raise refusal(self._archive, f"it is damaged or cut off ({error})", DAMAGED) from error

    def _blocks(self, tar: tarfile.TarFile, info: tarfile.TarInfo, member: ArchiveMember) -> Iterator[bytes]:
        left = info.size
        try:
            content = tar.extractfile(info)
            while content is not None and left:
                block = content.read(min(left, BLOCK))
                if not block:
                    break
                left -= len(block)
                yield block
        except UnsafeArchiveError:
            raise
        except BROKEN as error:
            raise refusal(self._archive, f"it is damaged or cut off ({error})", DAMAGED, member=member.name) from error
        if left:
            raise refusal(self._archive, "it is cut off", DAMAGED, member=member.name)

    def _check_kind(self, info: tarfile.TarInfo) -> None:
        fix = "Pack files and folders only"
        if info.issparse():
            raise refusal(self._archive, "it is a sparse file", "Pack it without --sparse", member=info.name)
        if not (info.isreg() or info.isdir()):
            what = KINDS.get(info.type, "of an unknown kind")
            raise refusal(self._archive, f"it is {what}", fix, member=info.name)
        if info.size < 0:
            raise refusal(self._archive, "its size is less than nothing", DAMAGED, member=info.name)


class _Bounded:
    """A file for the tar module that reads no endless headers, and remembers the last one."""

    def __init__(self, file: BinaryIO, budget: Budget) -> None:
        self._file = file
        self._budget = budget
        self.last = b""
        self.name = budget.archive
        self.mode = "rb"

    def read(self, size: int = -1) -> bytes:
        """Read as much as the tar module asks for: a header, or a block of content."""
        if not 0 <= size <= MOST_HEADER:
            why = f"it has a header of {size:,} bytes"
            raise refusal(self._budget.archive, why, "Do not trust the archive")
        self.last = self._file.read(size)
        return self.last

    def tell(self) -> int:
        """Return the position."""
        return self._file.tell()

    def seek(self, position: int) -> int:
        """Go to a position."""
        return self._file.seek(position)

    def drain(self) -> None:
        """Read to the end, which lets the checksum of a compressed archive be compared."""


class _Counted(_Bounded):
    """The same for what has to be decompressed: all that comes out counts, skipped or not."""

    def __init__(self, file: BinaryIO, budget: Budget) -> None:
        super().__init__(file, budget)
        self._position = 0

    def read(self, size: int = -1) -> bytes:
        """Read, and count."""
        block = super().read(size)
        self._position += len(block)
        self._budget.check_stream(self._position, self._budget.limits.entries * SLACK)
        return block

    def tell(self) -> int:
        """Return how much has come out."""
        return self._position

    def seek(self, position: int) -> int:
        """Skip what lies before a position."""
        if position < self._position:
            msg = "cannot go back in a compressed archive"
            raise ValueError(msg)
        last = self.last
        while self._position < position and self.read(min(BLOCK, position - self._position)):
            pass
        self.last = last
        return self._position

    def drain(self) -> None:
        """Read to the end."""
        while self.read(BLOCK):
            pass

"""The folder an archive is unpacked into, written without ever following a link."""

import contextlib
import errno
import hashlib
import os
import stat
import zlib
from types import TracebackType
from typing import BinaryIO, Self

from synapse_sdk.documents.archives.limits import Budget, refusal
from synapse_sdk.documents.archives.members import ArchiveMember, Entry
from synapse_sdk.errors import UnsafeArchiveError

__all__ = ["Target"]

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
BLOCK = 256 * 1024
EMPTY = "Unpack into an empty folder"


class Target:
    """A target folder; used in a `with` block.

    Every folder on the way to a member is opened from the one above it, so that a link in the target, even one that is
    put there meanwhile, leads nowhere.

    Args:
        path: The folder, which is made if it is missing. It may itself be a link.
        budget: What may come out of the archive.
    """

    def __init__(self, path: str | os.PathLike[str], budget: Budget) -> None:
        self._budget = budget
        os.makedirs(path, exist_ok=True)  # noqa: PTH103  # as given
        self._root = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._path = ""
        self._folder = self._root  # the one opened last: members of one folder follow upon one another

    def __enter__(self) -> Self:
        """Return the target itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self._leave()
        os.close(self._root)

    def make_folder(self, member: ArchiveMember) -> None:
        """Make a folder, unless it is there.

        Raises:
            UnsafeArchiveError: Something else is there.
        """
        self._enter(member.name, member.name)

    def has(self, entry: Entry) -> bool:
        """Whether a file is there already, with the very content; the content of the entry may be read for it.

        Raises:
            UnsafeArchiveError: Another file, or something else, is there.
        """
        member = entry.member
        folder, _, name = member.name.rpartition("/")
        parent = self._enter(folder, member.name)
        try:
            found = os.open(name, READ, dir_fd=parent)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise self._occupied(member.name, "a link or something that cannot be read") from error
        about = os.fstat(found)
        if not stat.S_ISREG(about.st_mode):
            os.close(found)
            raise self._occupied(member.name, "a folder, pipe or device")
        with open(found, "rb") as file:  # noqa: PTH123  # by its descriptor
            if about.st_size == member.size and _is_same(file, entry):
                return True
        raise self._occupied(member.name, "a file with other content")

    def write(self, entry: Entry) -> int:
        """Write a file that is not there, under another name until it is complete; return its size in bytes.

        Raises:
            UnsafeArchiveError: The archive is damaged there, or more comes out than is allowed.
            OSError: The file system takes no more.
        """
        member = entry.member
        folder, _, name = member.name.rpartition("/")
        parent = self._enter(folder, member.name)
        aside = f".{hashlib.sha256(name.encode()).hexdigest()[:16]}.part"
        with contextlib.suppress(FileNotFoundError):  # left behind by a process that was killed
            os.unlink(aside, dir_fd=parent)
        try:
            with open(os.open(aside, CREATE, 0o666, dir_fd=parent), "wb") as file:  # noqa: PTH123  # by its descriptor
                size = self._copy(entry, file)
            os.rename(aside, name, src_dir_fd=parent, dst_dir_fd=parent)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(aside, dir_fd=parent)
            raise
        return size

    def _copy(self, entry: Entry, file: BinaryIO) -> int:
        size = 0
        for block in entry.blocks():
            size += len(block)
            self._budget.check_file(size, entry.member.name)
            self._budget.spend(len(block), entry.member.name)
            file.write(block)
        return size

    def _enter(self, path: str, member: str) -> int:
        """Return the descriptor of a folder below the target, made if it is missing; it is open until the next call."""
        if path == self._path:
            return self._folder
        self._leave()
        folder = self._root
        for part in path.split("/") if path else ():
            above = folder
            try:
                folder = _folder(part, above)
            except OSError as error:
                if error.errno not in {errno.ELOOP, errno.ENOTDIR}:
                    raise
                raise self._occupied(member, f"in place of the folder {part!r} a link or file") from error
            finally:
                if above != self._root:
                    os.close(above)
        self._path, self._folder = path, folder
        return folder

    def _leave(self) -> None:
        if self._folder != self._root:
            os.close(self._folder)
        self._path, self._folder = "", self._root

    def _occupied(self, member: str, what: str) -> UnsafeArchiveError:
        return refusal(self._budget.archive, f"the target folder has {what}", EMPTY, member=member)


def _folder(name: str, above: int) -> int:
    try:
        return os.open(name, FOLDER, dir_fd=above)
    except FileNotFoundError:
        with contextlib.suppress(FileExistsError):  # somebody else was faster
            os.mkdir(name, dir_fd=above)
        return os.open(name, FOLDER, dir_fd=above)


def _is_same(file: BinaryIO, entry: Entry) -> bool:
    """Whether a file of the same size has the content of a member."""
    if entry.member.crc is None:
        return all(file.read(len(block)) == block for block in entry.blocks())
    checksum = 0
    while block := file.read(BLOCK):
        checksum = zlib.crc32(block, checksum)
    return checksum == entry.member.crc

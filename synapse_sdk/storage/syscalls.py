"""Calls of the operating system that Python does not offer, and what to do where they are missing."""

import contextlib
import ctypes
import errno
import fcntl
import os
import sys

__all__ = [
    "clone",
    "has_sync_filesystem",
    "rename_folder_new",
    "rename_new",
    "rename_new_by_claim",
    "rename_new_by_link",
    "start_writing",
    "sync_filesystem",
    "write_all",
]

RENAME_NEW = 1 if sys.platform == "linux" else 4
"""RENAME_NOREPLACE of Linux, RENAME_EXCL of macOS."""
FICLONE = 0x40049409
SYNC_FILE_RANGE_WRITE = 2
MISSING = frozenset({errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EPERM, errno.EMLINK})
"""How file systems say that they cannot do something at all."""

_libc = ctypes.CDLL(None, use_errno=True)
_renameat2 = getattr(_libc, "renameat2" if sys.platform == "linux" else "renameatx_np", None)
_syncfs = getattr(_libc, "syncfs", None)
_sync_file_range = getattr(_libc, "sync_file_range", None)


def rename_new(folder: int, old: str, new: str) -> None:
    """Rename a file within a folder, in one go, unless the new name is taken.

    Raises:
        FileExistsError: It is.
    """
    for way in (_rename_new_at_once, rename_new_by_link):
        try:
            way(folder, old, new)
        except FileExistsError:
            raise
        except OSError as error:
            if error.errno not in MISSING:
                raise
        else:
            return
    rename_new_by_claim(folder, old, new)


def _rename_new_at_once(folder: int, old: str, new: str) -> None:
    if _renameat2 is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    if _renameat2(folder, os.fsencode(old), folder, os.fsencode(new), RENAME_NEW) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), new)  # Python makes it a FileExistsError where it is one


def rename_folder_new(folder: int, old: str, new: str) -> None:
    """Rename a folder within a folder, in one go, unless the new name is taken.

    Where the system cannot do that, the name is claimed by an empty folder, which is then replaced in one go.

    Raises:
        FileExistsError: It is.
    """
    try:
        _rename_new_at_once(folder, old, new)
    except OSError as error:
        if error.errno not in MISSING:
            raise
        os.mkdir(new, dir_fd=folder)
        os.rename(old, new, src_dir_fd=folder, dst_dir_fd=folder)


def rename_new_by_link(folder: int, old: str, new: str) -> None:
    """Do it where there are hard links: killed in between, it leaves the file under both names."""
    os.link(old, new, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
    os.unlink(old, dir_fd=folder)


def rename_new_by_claim(folder: int, old: str, new: str) -> None:
    """Do it where there is nothing better: for a moment, or for ever if it is killed there, the new file is empty."""
    os.close(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, dir_fd=folder))
    try:
        os.rename(old, new, src_dir_fd=folder, dst_dir_fd=folder)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(new, dir_fd=folder)
        raise


def write_all(handle: int, piece: bytes) -> None:
    """Write a piece into an open file, however often it takes: the system may take less than it is given."""
    written = os.write(handle, piece)
    while written < len(piece):
        written += os.write(handle, memoryview(piece)[written:])


def start_writing(handle: int, start: int, end: int) -> None:
    """Have the disk begin to write some bytes of an open file, without waiting for it, where the system can (Linux).

    Raises:
        OSError: They cannot be written.
    """
    if _sync_file_range is None:
        return
    if _sync_file_range(handle, ctypes.c_int64(start), ctypes.c_int64(end - start), SYNC_FILE_RANGE_WRITE) != 0:
        number = ctypes.get_errno()
        if number not in MISSING:
            raise OSError(number, os.strerror(number))


def clone(source: int, target: int) -> bool:
    """Let an empty file share the blocks of another one; return whether the file system can."""
    if sys.platform != "linux":
        return False
    try:
        fcntl.ioctl(target, FICLONE, source)
    except OSError:
        return False
    return True


def has_sync_filesystem() -> bool:
    """Whether a whole file system can be made durable in one call, and failures are told (Linux)."""
    return _syncfs is not None


def sync_filesystem(handle: int) -> None:
    """Make everything durable that was written to the file system which an open file or folder belongs to."""
    if _syncfs is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    if _syncfs(handle) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))

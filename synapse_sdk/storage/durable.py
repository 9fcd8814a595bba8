"""What was written to files and is not yet sure to survive a loss of power."""

import contextlib
import os
import threading
from pathlib import Path

from synapse_sdk.storage.folders import open_folder
from synapse_sdk.storage.syscalls import has_sync_filesystem, sync_filesystem

__all__ = ["Unsynced"]

FEW = 8
"""Up to so many files are synced one by one; more of them by one call that syncs the whole file system."""


class Unsynced:
    """Remembers which files below a root have to be synced.

    Args:
        root: The root.
        whole: Whether whole file systems can be synced.
    """

    def __init__(self, root: Path, *, whole: bool | None = None) -> None:
        self._root = root
        self._whole = has_sync_filesystem() if whole is None else whole
        self._lock = threading.Lock()
        self._files: set[tuple[str, ...]] = set()
        self._folders: dict[int, tuple[str, ...]] = {}
        """Of each device some folder on it; then files are no longer remembered one by one."""

    def add(self, parts: list[str], device: int) -> None:
        """Remember a file by the parts of its path and the number of the device it is on."""
        with self._lock:
            self._folders.setdefault(device, tuple(parts[:-1]))
            if not self._whole or len(self._files) <= FEW:
                self._files.add(tuple(parts))

    def sync(self) -> None:
        """Have everything that is remembered survive a loss of power; what cannot is still remembered afterwards.

        Raises:
            OSError: The system says that it cannot.
        """
        with self._lock:
            files, folders = self._files, self._folders
            self._files, self._folders = set(), {}
        try:
            if self._whole and len(files) > FEW:
                self._sync_file_systems(folders)
            else:
                self._sync_files(files)
        except BaseException:
            with self._lock:
                self._files |= files
                self._folders = {**folders, **self._folders}
            raise

    def _sync_file_systems(self, folders: dict[int, tuple[str, ...]]) -> None:
        for device, folder in folders.items():
            # A folder whose objects were deleted may be gone.
            any(self._sync_file_system(device, parts) for parts in (folder, ()))

    def _sync_file_system(self, device: int, folder: tuple[str, ...]) -> bool:
        try:
            with open_folder(self._root, folder) as at:
                if os.fstat(at).st_dev == device:
                    sync_filesystem(at)
                    return True
        except (FileNotFoundError, NotADirectoryError):
            pass
        return False

    def _sync_files(self, files: set[tuple[str, ...]]) -> None:
        """Sync files, and all folders down to them: a name is kept by the folder it is in."""
        for parts in files:
            with contextlib.suppress(FileNotFoundError, NotADirectoryError), open_folder(self._root, parts[:-1]) as at:
                handle = os.open(parts[-1], os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=at)
                try:
                    os.fsync(handle)
                finally:
                    os.close(handle)
        folders = {parts[:depth] for parts in files for depth in range(len(parts))}
        for folder in sorted(folders, key=len):
            with contextlib.suppress(FileNotFoundError, NotADirectoryError), open_folder(self._root, folder) as at:
                os.fsync(at)
        if files:  # the root may be new as well
            with contextlib.suppress(FileNotFoundError), open_folder(self._root.parent, ()) as at:
                os.fsync(at)

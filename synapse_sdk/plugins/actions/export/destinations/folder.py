"""Exports into a folder of this machine: put together beside their place, and renamed."""

import os
import shutil
from pathlib import Path

from synapse_sdk.folders import missing_folders
from synapse_sdk.plugins.actions.export.destinations.base import (
    BEGIN,
    MANIFEST,
    Destination,
    Place,
    run_of_manifest,
)
from synapse_sdk.plugins.actions.export.staging import INCOMING, output_error
from synapse_sdk.storage.syscalls import rename_folder_new

__all__ = ["FolderDestination"]

SAME = 50
"""Characters that all names of an export begin with, unless its name has fewer: so many always fit."""


class FolderDestination(Destination):
    """Puts an export together in a hidden folder beside its place, which is renamed in one go when it is complete.

    Args:
        base: The folder that the place is in.
        place: Where in there.
    """

    def __init__(self, base: Path, place: Place) -> None:
        super().__init__(place)
        self._root = base / place.path if place.path else base

    @property
    def root(self) -> Path:
        """The folder in which the export's own will be."""
        return self._root

    def new_folders(self) -> list[str]:
        """Return the folders above the export's own that are not there yet; see `Destination.new_folders`.

        Raises:
            StorageDeniedError: One of them may not be looked into.
        """
        try:
            return [*map(str, missing_folders(self._root))]
        except OSError as error:
            raise output_error(self._root, error) from error

    def expected(self) -> str:
        """Return the first name that is free; see `Destination.expected`."""
        for name in self.place.names():
            if not os.path.lexists(self._root / name):
                return str(self._root / name)
        raise self._taken(str(self._root / self.place.name))

    def prepare(self) -> None:
        """Make the folders; see `Destination.prepare`."""
        try:
            probe = self.staging / INCOMING / "probe"
            probe.parent.mkdir(parents=True, exist_ok=True)
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise output_error(Path(error.filename or self._root), error) from error

    @property
    def is_published(self) -> bool:
        """Whether the folder has its name already; see `Destination.is_published`."""
        return self._published() is not None

    def publish(self) -> str:
        """Give the folder its name, and have that survive a loss of power; see `Destination.publish`."""
        published = self._published()
        if published is not None:
            return str(published)
        handle = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for name in self.place.names():
                try:
                    rename_folder_new(handle, self.place.partial_name, name)
                except FileExistsError:
                    continue
                os.fsync(handle)
                return str(self._root / name)
        except OSError as error:
            raise output_error(self._root / self.place.name, error) from error
        finally:
            os.close(handle)
        raise self._taken(str(self._root / self.place.name))

    def withdraw(self) -> None:
        """Remove the folder, whatever its name is; see `Destination.withdraw`."""
        published = self._published()
        if published is not None:
            published.rename(self.staging)  # so that nobody sees it vanish file by file
        shutil.rmtree(self.staging, onexc=_unless_missing)

    def _published(self) -> Path | None:
        """Return the folder of this run if it has its name already."""
        if self.staging.exists():
            return None
        begins = self.place.name[:SAME]
        names = os.listdir(self._root) if self._root.is_dir() else []  # noqa: PTH208  # names are all that is needed
        found = (self._root / name for name in names if name.startswith(begins))
        return next((path for path in found if _run_of(path / MANIFEST) == self.place.run), None)


def _unless_missing(_: object, __: str, error: BaseException) -> None:
    # Somebody else has removed it, or it was never made, maybe since its place is below a file.
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        raise error


def _run_of(manifest: Path) -> str | None:
    try:
        with manifest.open("rb") as file:
            return run_of_manifest(file.read(BEGIN))
    except OSError:
        return None

"""Where exports go: folders of this machine, and storages anywhere."""

from typing import TYPE_CHECKING

from synapse_sdk.plugins.actions.export.destinations.base import MANIFEST, Destination, Place
from synapse_sdk.plugins.actions.export.destinations.folder import FolderDestination
from synapse_sdk.storage import LocalStorage

if TYPE_CHECKING:
    from pathlib import Path

    from synapse_sdk.storage import Storage

__all__ = ["MANIFEST", "Destination", "Place", "destination_of"]


def destination_of(storage: "Storage", place: Place, work_folder: "Path") -> Destination:
    """Return what an export into a storage is put together in, and published by.

    Args:
        storage: Where it goes.
        place: Where in there, and under which name.
        work_folder: A folder of the run's own, for what is on its way to another machine.
    """
    if isinstance(storage, LocalStorage):
        return FolderDestination(storage.root, place)
    from synapse_sdk.plugins.actions.export.destinations.remote import RemoteDestination  # noqa: PLC0415  # few need it

    return RemoteDestination(storage, place, work_folder)

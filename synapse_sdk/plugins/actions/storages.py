"""The storage into which a run puts things: found, made known for the run, or made."""

from contextlib import suppress
from typing import TYPE_CHECKING

from synapse_sdk.errors import ConflictError, RecordNotFoundError
from synapse_sdk.folders import data_folder
from synapse_sdk.plugins.actions.references import find_storage

if TYPE_CHECKING:
    from synapse_sdk.backend import Backend, StorageRecord
    from synapse_sdk.plugins.steps import BaseStepContext

__all__ = ["forget_storage", "storage_for"]

FIRST_STORAGE = "local"
"""Name of the storage that is made when the backend has none."""


def storage_for(context: "BaseStepContext", backend: "Backend", named: int | str | None) -> "StorageRecord":
    """Return the storage that is named, or the default one.

    A place that is not known yet becomes known, and where there is no storage at all one is made; the step in flight
    gets an undo entry `{"storage": name or URL}` for `forget_storage`.

    Args:
        context: The context of the step in flight.
        backend: Where storages are known.
        named: An id, a name, a path or a URL; None for the backend's default.

    Raises:
        RecordNotFoundError: There is none of this id or name.
    """
    found = find_storage(backend, named)
    if isinstance(found, str):
        context.record_undo(storage=found)
        return backend.storages.ensure(found)
    if found is not None:
        return found
    folder = data_folder() / "storage"
    context.record_undo(storage=FIRST_STORAGE)
    context.log("storage_created", {"name": FIRST_STORAGE, "folder": str(folder)})
    return backend.storages.create(FIRST_STORAGE, str(folder), is_default=True)


def forget_storage(backend: "Backend", named: str) -> None:
    """Forget a storage that was made known for a run, unless somebody else uses it by now; safe to repeat."""
    with suppress(RecordNotFoundError, ConflictError):
        backend.storages.remove(backend.storages.get(named).id)

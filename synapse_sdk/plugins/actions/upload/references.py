"""What the parameters name: collection, project and storage, as records of the backend."""

import shlex
from contextlib import suppress
from typing import TYPE_CHECKING

from synapse_sdk.errors import ConfigurationError, RecordNotFoundError, StorageDeniedError
from synapse_sdk.plugins.actions.references import find_storage

if TYPE_CHECKING:
    from synapse_sdk.backend import Backend, DataCollection, Project
    from synapse_sdk.plugins.actions.upload.params import UploadParams
    from synapse_sdk.storage import Storage

__all__ = ["ask_storage", "check_destination", "find_collection", "find_project"]


def check_destination(backend: "Backend", params: "UploadParams") -> None:
    """See whether everything that is named exists, as far as that can be told without changing anything.

    Raises:
        RecordNotFoundError: There is no such collection, project or storage.
        ConfigurationError: The project works on another collection; or the storage has a URL that means nothing.
    """
    from synapse_sdk.storage import open_storage  # noqa: PLC0415  # not needed to find a collection

    find_project(backend, params, find_collection(backend, params))
    storage = find_storage(backend, params.storage)
    if isinstance(storage, str):
        open_storage(storage).close()


def find_collection(backend: "Backend", params: "UploadParams") -> "DataCollection":
    """Return the collection; the error when there is none tells how to make one for these files.

    Raises:
        RecordNotFoundError: There is none of this id or name.
    """
    try:
        return backend.collections.get(params.data_collection)
    except RecordNotFoundError as error:
        from synapse_sdk.storage.open import local_path  # noqa: PLC0415  # not needed where there is one

        folder = None if params.path is None else local_path(params.path)
        if folder is None or not folder.is_dir() or not isinstance(params.data_collection, str):
            raise
        words = ["synapse", "collections", "describe", str(folder), "--create", params.data_collection]
        near = f"{error.fix}. Or make it" if backend.collections.list(limit=1) else "Make it"
        fix = f"{near} for these files: {shlex.join(words)}"
        raise RecordNotFoundError(error.message, why=error.why, fix=fix, **error.where) from error


def find_project(backend: "Backend", params: "UploadParams", collection: "DataCollection") -> "Project | None":
    """Return the project, if one is named.

    Raises:
        RecordNotFoundError: There is none of this id or name.
        ConfigurationError: It works on another collection.
    """
    if params.project is None:
        return None
    project = backend.projects.get(params.project)
    if project.collection_id != collection.id:
        msg = f"Project {project.name!r} works on another collection than {collection.name!r}"
        raise ConfigurationError(msg, fix="Name a project of this collection, or leave it out")
    return project


def ask_storage(storage: "Storage", key: str) -> None:
    """Ask the storage for what is not there, before anything is put: where it fails, there is nothing to take back.

    Raises:
        StorageError: The storage does not exist, or cannot be reached.
    """
    with suppress(StorageDeniedError):  # whoever may put need not be allowed to list
        next(storage.list(f"{key}/"), None)

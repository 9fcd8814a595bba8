"""Registered models and their files: found, brought to this machine, and removed."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from synapse_sdk.backend import ModelId, ModelState
from synapse_sdk.errors import (
    ConfigurationError,
    ObjectNotFoundError,
    RecordNotFoundError,
    StorageError,
    StorageIntegrityError,
)
from synapse_sdk.failpoints import hit
from synapse_sdk.plugins.actions.report_files import part_of
from synapse_sdk.storage import Storage, open_storage

if TYPE_CHECKING:
    from synapse_sdk.backend import Backend, Model

__all__ = ["fetch_model", "file_name_of", "find_model", "model_storage", "remove_model"]


def find_model(backend: "Backend", named: int | str) -> "Model":
    """Return a registered model.

    Args:
        backend: Where it is registered.
        named: Its id, `NAME@VERSION`, or `NAME` for the newest.

    Raises:
        RecordNotFoundError: There is none; the message names the nearest.
    """
    if isinstance(named, int) or named.isdecimal():
        model = backend.models.get(ModelId(int(named)))
        if model.state is not ModelState.REGISTERED:
            msg = f"The model {named} is not registered"
            why = f"run {model.run} has not succeeded yet"
            raise RecordNotFoundError(msg, why=why, fix="Wait for the run, or undo it: synapse runs list")
        return model
    name, _, version = named.partition("@")
    return backend.models.find(name, version or None)


def file_name_of(model: "Model") -> str:
    """Return what the file of a model is called on this machine: `digits-1.npz`."""
    stem = "".join(each if each.isalnum() or each in "-_." else "_" for each in f"{model.name}-{model.version}")
    return f"{stem.lstrip('.') or 'model'}{PurePosixPath(model.file.key).suffix}"


@contextmanager
def model_storage(backend: "Backend", model: "Model") -> Iterator[Storage]:
    """Open the storage in which the file of a model is, for as long as a block takes."""
    record = backend.storages.get(model.file.storage_id)
    with open_storage(record.url, credentials=record.credentials) as storage:
        yield storage


def fetch_model(backend: "Backend", model: "Model", target: Path) -> Path:
    """Bring the file of a model to this machine; it appears when it is complete and has the digest it should have.

    A file that is there already and is the model is left as it is.

    Args:
        backend: Where the model is registered.
        model: The model.
        target: The file to write.

    Raises:
        ConfigurationError: There is another file of this name.
        ObjectNotFoundError: The storage does not have it any more.
        StorageIntegrityError: It has other content than was registered.
        StorageError: It cannot be read or written.
    """
    if os.path.lexists(target):
        if target.is_file() and _digest(target) == model.file.sha256:
            return target
        msg = f"There is another file {str(target)!r} already"
        raise ConfigurationError(msg, fix="Remove it, or choose another place")
    part = part_of(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with model_storage(backend, model) as storage:
            _copy(storage, model, part)
        part.replace(target)
    except StorageError:
        part.unlink(missing_ok=True)
        raise
    except OSError as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        msg = f"The model cannot be written as {str(target)!r}"
        raise StorageError(msg, why=str(error), fix="Free some space, or choose another place") from error
    return target


def remove_model(backend: "Backend", model: "Model") -> None:
    """Delete the object of a model, then forget it; safe to repeat.

    Raises:
        StorageError: The object cannot be deleted; the model is still known.
    """
    with model_storage(backend, model) as storage:
        storage.abort_unfinished_of([model.file.key])
        storage.delete([model.file.key])
    hit("train.removed")
    backend.models.remove(model.id)


def _copy(storage: Storage, model: "Model", part: Path) -> None:
    digest, size = hashlib.sha256(), 0
    try:
        with part.open("wb") as file:
            for piece in storage.stream(model.file.key):
                digest.update(piece)
                size += len(piece)
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
    except ObjectNotFoundError as error:
        msg = f"The file of model {model.name!r} of version {model.version!r} is not in its storage any more"
        raise ObjectNotFoundError(msg, fix="Train it again, or put the object back", key=model.file.key) from error
    if (size, digest.hexdigest()) != (model.file.size, model.file.sha256):
        msg = f"The file of model {model.name!r} of version {model.version!r} is not what was registered"
        why = f"it has {size:,} bytes of SHA-256 {digest.hexdigest()}"
        raise StorageIntegrityError(msg, why=why, fix="Train it again, or put the object back", key=model.file.key)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

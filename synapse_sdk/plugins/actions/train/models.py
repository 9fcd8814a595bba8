"""The model that a training leaves: made one file, announced, put, and taken back."""

import hashlib
import os
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from synapse_sdk.backend import Model, ModelFile, ModelState
from synapse_sdk.errors import StorageError, TrainingError
from synapse_sdk.failpoints import hit
from synapse_sdk.folders import remove_tree
from synapse_sdk.plugins.actions.model_files import remove_model
from synapse_sdk.plugins.actions.report_files import part_of
from synapse_sdk.retry import RetryPolicy, retry
from synapse_sdk.storage import open_storage
from synapse_sdk.storage.base import CHUNK
from synapse_sdk.types import JsonObject

if TYPE_CHECKING:
    from synapse_sdk.backend import Backend, StorageRecord

__all__ = ["NewModel", "register_models", "registered_model", "remove_models", "seal_model", "store_model"]

PATIENCE = RetryPolicy(max_attempts=5, delay=0.25, max_delay=10.0, jitter=0.5)
THE_SAME_DAY = (1980, 1, 1, 0, 0, 0)
"""The time of all members of an archive, so that equal folders make equal archives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewModel:
    """What is about to be registered."""

    run: str
    name: str
    version: str
    configuration: JsonObject


def seal_model(source: Path, folder: Path) -> Path:
    """Return a copy of a model as one file of a folder, which is safe from then on; a folder becomes a ZIP archive.

    Args:
        source: The file, or folder, that the training has left.
        folder: Where the copy goes; what is in there is replaced.

    Raises:
        TrainingError: There is no model, or nothing in it.
        StorageError: The copy cannot be written.
    """
    files = _files_of(source)
    target = folder / (f"{source.name}.zip" if source.is_dir() else source.name)
    part = part_of(target)
    try:
        remove_tree(folder)
        folder.mkdir(parents=True)
        if source.is_dir():
            _pack(source, files, part)
        else:
            shutil.copyfile(source, part)
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.rename(target)
    except OSError as error:
        msg = f"The model {str(source)!r} cannot be copied to {str(target)!r}"
        raise StorageError(msg, why=str(error), fix="Free some space, and run it again") from error
    return target


def registered_model(backend: "Backend", new: NewModel) -> Model | None:
    """Return the model if its run has registered it already; None if not."""
    wanted = (new.name, new.version, ModelState.REGISTERED)
    return next((e for e in backend.models.of_run(new.run) if (e.name, e.version, e.state) == wanted), None)


def store_model(backend: "Backend", record: "StorageRecord", path: Path, new: NewModel) -> Model:
    """Announce a model to the backend, then put its file; safe to repeat, whatever became of an answer.

    Raises:
        ConflictError: There is a model of this name and version already.
        StorageError: The file cannot be put.
        TrainingError: There is no file, or nothing in it.
    """
    _files_of(path)
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        size = file.tell()
    suffix = path.suffix if path.suffix[1:].isascii() and path.suffix[1:].isalnum() else ""
    # The run is in the key: what it takes back is never another's.
    file_facts = ModelFile(storage_id=record.id, key=f"models/{new.run}/{sha256}{suffix}", sha256=sha256, size=size)
    model = retry(
        lambda: backend.models.stage(new.run, new.name, new.version, file_facts, configuration=new.configuration),
        PATIENCE,
    )
    hit("train.staged")
    with open_storage(record.url, credentials=record.credentials) as storage:

        def put() -> None:
            storage.abort_unfinished(model.file.key)  # what a put that died has left
            storage.put(model.file.key, _pieces(path), size=size, sha256=sha256, source=path)

        retry(put, PATIENCE)
        storage.flush()
    hit("train.sent")
    return model


def register_models(backend: "Backend", run: str) -> None:
    """Make all models of a run known to everybody; safe to repeat, whatever became of an answer."""
    for model in backend.models.of_run(run):
        retry(partial(backend.models.register, model.id), PATIENCE)


def remove_models(backend: "Backend", run: str) -> int:
    """Delete the objects of all models of a run, and forget these; return how many there were. Safe to repeat.

    Raises:
        StorageError: An object cannot be deleted; its model is still known.
    """
    models = backend.models.of_run(run)
    for model in models:
        remove_model(backend, model)
    return len(models)


def _files_of(source: Path) -> list[Path]:
    """Return the files of a model.

    Raises:
        TrainingError: There is no model, or nothing in it.
    """
    files = sorted(path for path in source.rglob("*") if path.is_file()) if source.is_dir() else [source]
    if not source.exists():
        msg, fix = f"There is no model {str(source)!r}", "Return the path of the file that the training has written"
    elif not any(path.stat().st_size for path in files):
        msg, fix = f"The model {str(source)!r} has no bytes", "Write it before the training returns"
    else:
        return files
    raise TrainingError(msg, fix=fix, path=source)


def _pack(source: Path, files: list[Path], part: Path) -> None:
    with zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as archive:
        for path in files:
            member = zipfile.ZipInfo(path.relative_to(source).as_posix(), THE_SAME_DAY)
            with path.open("rb") as content, archive.open(member, "w", force_zip64=True) as into:
                shutil.copyfileobj(content, into, CHUNK)


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(CHUNK):
            yield piece

"""The file of a model, from a path, a storage or the registry of the backend, and what is written beside it.

What comes from elsewhere is kept under its SHA-256 in `models/cache` of the data folder, and compared with it whenever
it is read.
"""

import hashlib
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from synapse_sdk.clock import SYSTEM_CLOCK
from synapse_sdk.documents import parse_json, read_document
from synapse_sdk.errors import InvalidModelError, StorageError
from synapse_sdk.folders import data_folder, remove_tree
from synapse_sdk.plugins.actions.model_files import fetch_model, find_model
from synapse_sdk.storage import open_storage

if TYPE_CHECKING:
    from synapse_sdk.backend import Backend
    from synapse_sdk.storage import Storage

__all__ = ["ModelContent", "from_path", "from_registry", "from_storage"]

BESIDE = ".json"
"""What the name of a file has more whose description it is: `model.onnx.json`."""
REGISTERED = "inference"
"""The key of the configuration of a registered model that has its description."""
MOST_BYTES = 2 * 1024**3
"""What a message of protocol buffers, which ONNX files are, may have."""
MOST_BESIDE = 1024 * 1024
ABANDONED = 24 * 3600.0
"""Seconds after which a file that does not grow is fetched by nobody any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelContent:
    """A model as it was found."""

    name: str
    """For people."""
    reference: str
    """By what the same is found again."""
    content: bytes = field(repr=False)
    digest: str
    beside: Mapping[str, Any] | None = None


def from_path(path: Path) -> ModelContent:
    """Return a file of this machine.

    Raises:
        InvalidModelError: There is none, or it is too large.
        InvalidDocumentError: What is beside it cannot be read.
    """
    try:
        if path.is_dir():
            raise _refused(str(path), "it is a folder")
        _check_size(str(path), path.stat().st_size)
        content = path.read_bytes()
    except OSError as error:
        raise _refused(str(path), error.strerror or str(error)) from error
    beside = path.with_name(path.name + BESIDE)
    found = _object(str(beside), read_document(beside)) if beside.is_file() else None
    return _content(str(path), str(path), content, found)


def from_storage(url: str) -> ModelContent:
    """Return an object of a storage, by its URL; credentials come from the environment.

    Raises:
        ConfigurationError: The URL cannot be understood.
        InvalidModelError: The object is too large.
        InvalidDocumentError: What is beside it cannot be read.
        StorageError: It cannot be read.
    """
    place, mark, options = url.partition("?")
    root, _, key = place.rpartition("/")
    name = unquote(key)
    if not name:
        raise _refused(url, "it names no file")
    with open_storage(f"{root}{mark}{options}") as storage:
        _check_size(name, storage.stat(name).size)
        content = _kept(None, lambda target: _copy(storage, name, target))
        beside = None
        if storage.exists(name + BESIDE) and storage.stat(name + BESIDE).size <= MOST_BESIDE:
            text = storage.get(name + BESIDE).decode("utf-8", "replace")
            beside = _object(name + BESIDE, parse_json(text, name + BESIDE))
    return _content(name, url, content, beside)


def from_registry(backend: "Backend", named: str) -> ModelContent:
    """Return a registered model, by its id, `NAME@VERSION`, or `NAME` for the newest.

    Raises:
        RecordNotFoundError: There is none.
        InvalidModelError: It is too large.
        StorageError: Its file cannot be read, or is another one than was registered.
    """
    model = find_model(backend, named)
    name = f"{model.name}@{model.version}"
    _check_size(name, model.file.size)
    content = _kept(model.file.sha256, lambda target: fetch_model(backend, model, target))
    described = model.configuration.get(REGISTERED)
    beside = None if described is None else _object(f"{REGISTERED} of {name}", described)
    return ModelContent(name=name, reference=str(model.id), content=content, digest=model.file.sha256, beside=beside)


def _content(name: str, reference: str, content: bytes, beside: Mapping[str, Any] | None) -> ModelContent:
    return ModelContent(name=name, reference=reference, content=content, digest=_digest(content), beside=beside)


def _kept(digest: str | None, fetch: Callable[[Path], object]) -> bytes:
    """Return the content of a file of the cache.

    Args:
        digest: What it should have; None if that is not known before it is fetched.
        fetch: Writes it to a path, where nothing is, and sees that it has the digest.
    """
    cache = data_folder() / "models" / "cache"
    if digest is not None:
        with suppress(FileNotFoundError):
            content = Path(cache, digest).read_bytes()
            if _digest(content) == digest:
                return content
    try:
        cache.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(cache)
        with TemporaryDirectory(prefix=".", dir=cache) as folder:
            target = Path(folder, "model")
            fetch(target)
            content = target.read_bytes()
            # It appears whole, whoever else fetches the same.
            os.replace(target, cache / (digest or _digest(content)))  # noqa: PTH105
    except StorageError:
        raise
    except OSError as error:
        msg = f"A model cannot be kept in {str(cache)!r}"
        raise StorageError(msg, why=str(error), fix="Free some space") from error
    return content


def _remove_abandoned(cache: Path) -> None:
    """Remove what processes that were killed have half fetched: folders in which nothing has happened for long."""
    before = SYSTEM_CLOCK.now().timestamp() - ABANDONED
    for folder in cache.glob(".*"):
        with suppress(FileNotFoundError):  # another process removes it
            if folder.is_dir() and max(each.stat().st_mtime for each in (folder, *folder.iterdir())) < before:
                remove_tree(folder)


def _copy(storage: "Storage", key: str, target: Path) -> None:
    with target.open("wb") as file:
        for piece in storage.stream(key):
            file.write(piece)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _check_size(name: str, size: int) -> None:
    if size >= MOST_BYTES:
        raise _refused(name, f"it has {size:,} bytes, and an ONNX file has less than {MOST_BYTES:,}")


def _object(origin: str, found: object) -> Mapping[str, Any]:
    if not isinstance(found, Mapping):
        msg = f"The description {origin!r} is no JSON object"
        raise InvalidModelError(msg, fix="Write an object with 'task' and 'classes' at least")
    return found


def _refused(name: str, why: str) -> InvalidModelError:
    return InvalidModelError(f"The model {name!r} cannot be read", why=why, fix="Name an ONNX file")

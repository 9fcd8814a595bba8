"""Backends of every kind, for the tests of what all of them promise."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from synapse_sdk.backend import Backend, CollectionId, DataFileId, NewUnit, StorageId, open_backend

if TYPE_CHECKING:
    from tests.conformance.postgres_server import PostgresServer

STORES = ("memory", "sqlite", pytest.param("postgres", marks=pytest.mark.full))
SCHEMAS = itertools.count(1)

type Opener = Callable[[], Backend]


def opener_of(kind: str, request: pytest.FixtureRequest, folder: Path) -> Opener:
    """Return what opens one and the same new backend, as many times as it is called."""
    if kind == "memory":
        backend = open_backend("memory:")
        request.addfinalizer(backend.close)
        return lambda: backend
    if kind == "sqlite":
        return lambda: _open(folder / "backend.db", request)
    server: PostgresServer = request.getfixturevalue("postgres")
    url = f"{server.url}?schema=b{next(SCHEMAS)}"
    return lambda: _open(url, request)


def _open(url: str | Path, request: pytest.FixtureRequest) -> Backend:
    backend = open_backend(url)
    request.addfinalizer(backend.close)
    return backend


def bring_in(  # a test says who, where and what
    backend: Backend, run: str, collection: CollectionId, storage: StorageId, *contents: str
) -> list[DataFileId]:
    """Reserve contents, and register each as a unit of its own name."""
    files = [(content, len(content), f"objects/{content}") for content in contents]
    reserved = [each.file.id for each in backend.ingestion.reserve(run, collection, storage, files)]
    units = [unit(content, file_id) for content, file_id in zip(contents, reserved, strict=True)]
    backend.ingestion.register(run, collection, units, stored=reserved)
    return reserved


def unit(key: str, file_id: DataFileId) -> NewUnit:
    """Return a unit with one file."""
    return NewUnit(key=key, files={"images": (file_id, f"{key}.jpg")}, meta={"from": key})

"""Projects in which uploads go wrong."""

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.s3_server import S3Server, moto_server
from tests.faults.buckets import BucketWorld, bucket_world
from tests.unit.plugins.actions.upload.world import World


@pytest.fixture(autouse=True, scope="module")
def _built_in_alone() -> Iterator[None]:
    """Nothing installed adds to what is built in; to look for it, every process that dies here would read 150 files."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SYNAPSE_DISABLE_PLUGINS", "1")
        yield


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    """An S3-compatible server."""
    with moto_server() as started:
        yield started


@pytest.fixture
def bucket(s3_server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[BucketWorld]:
    """A project that uploads to S3."""
    with bucket_world(s3_server, tmp_path, monkeypatch) as world:
        yield world


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A project that uploads into a folder."""
    with World.made(tmp_path, monkeypatch) as world:
        yield world


@pytest.fixture(params=["folder", "bucket"])
def either(request: pytest.FixtureRequest) -> World:
    """A project that uploads into a folder, and one that uploads to S3."""
    found: World = request.getfixturevalue("world" if request.param == "folder" else "bucket")
    return found


@pytest.fixture
def lot(request: pytest.FixtureRequest) -> random.Random:
    """Chance that can be had again; pytest-randomly gives another seed each time, and prints its own."""
    seed = os.environ.get("SYNAPSE_SEED") or f"{random.getrandbits(32)}-{request.node.callspec.params['number']}"
    print(f"SYNAPSE_SEED={seed}")  # noqa: T201  # pytest shows it when the test fails
    return random.Random(seed)  # noqa: S311  # as above

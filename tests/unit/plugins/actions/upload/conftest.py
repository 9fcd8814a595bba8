"""A project in which things are uploaded."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from synapse_sdk.reporting import MemoryReporter
from tests.unit.plugins.actions.upload.world import World


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A project with a collection `things` of images and optional labels."""
    with World.made(tmp_path, monkeypatch) as world:
        yield world


@pytest.fixture
def reporter() -> MemoryReporter:
    """What an upload reports."""
    return MemoryReporter()

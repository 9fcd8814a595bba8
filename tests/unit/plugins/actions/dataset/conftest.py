"""A project of which datasets are made."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.plugins.actions.dataset.world import DatasetWorld


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DatasetWorld]:
    """A project with a collection `things` of images and optional labels."""
    with DatasetWorld.made(tmp_path, monkeypatch) as world:
        yield world

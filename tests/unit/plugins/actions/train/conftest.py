"""Projects in which models are trained."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.plugins.actions.train.world import TrainWorld


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TrainWorld]:
    """A project with a collection of images and labels."""
    with TrainWorld.made(tmp_path, monkeypatch) as world:
        yield world

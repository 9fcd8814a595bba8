"""Projects whose tasks get annotations."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.plugins.actions.add_task_data.world import TaskWorld


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TaskWorld]:
    """A project with a collection of images and labels."""
    with TaskWorld.made(tmp_path, monkeypatch) as world:
        yield world

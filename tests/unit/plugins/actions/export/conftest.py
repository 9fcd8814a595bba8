"""A project from which things are exported."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.plugins.actions.export import other_targets
from tests.unit.plugins.actions.export.world import ExportWorld


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ExportWorld]:
    """A project with a collection `things` of images and optional labels."""
    with ExportWorld.made(tmp_path, monkeypatch) as world:
        yield world


@pytest.fixture
def others(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package is installed that offers the targets of `other_targets`."""
    folder = tmp_path_factory.mktemp("site")
    info = folder / "third_party-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: third-party\nVersion: 1.0\n")
    lines = [f"{name} = {where}" for name, where in other_targets.ENTRY_POINTS.items()]
    (info / "entry_points.txt").write_text("\n".join(["[synapse.export_targets]", *lines, "broken = no_such_module:X"]))
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setitem(sys.modules, other_targets.__name__, other_targets)

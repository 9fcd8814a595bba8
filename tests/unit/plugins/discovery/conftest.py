import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

type Writer = Callable[[str, Mapping[str, str]], Path]

ACTIONS = """
    from collections import OrderedDict
    from synapse_sdk.plugins.action import BaseAction, action
    from synapse_sdk.plugins.discovery import find_plugin

    class TrainAction(BaseAction[dict[str, int]]):
        '''Trains a model.'''
        def execute(self):
            return NUMBER

    @action("count", "Counts files.")
    def count_files(params, ctx):
        return NUMBER

    class NoAction: pass
    def no_action(params, ctx): pass
    class _PrivateAction(BaseAction[dict[str, int]]): pass
    NUMBER = 1
    """


@pytest.fixture
def actions_code() -> str:
    """Return the code of a module with two actions and other things."""
    return textwrap.dedent(ACTIONS)


@pytest.fixture
def write(tmp_path: Path) -> Writer:
    """Write files into a folder below the test's own, and return the folder."""

    def write(folder: str, files: Mapping[str, str]) -> Path:
        for name, text in files.items():
            path = tmp_path / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text), encoding="utf-8")
        return tmp_path / folder

    return write


@pytest.fixture
def site(write: Writer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Path]]:
    """Install a package by writing its files, and entry points if it has any, into a folder on `sys.path`."""
    folder = write("site", {".keep": ""})
    monkeypatch.syspath_prepend(folder)
    before = set(sys.modules)

    def install(package: str, files: Mapping[str, str], plugins: str = "") -> Path:
        info = f"{package}-2.5.dist-info"
        metadata = f"Metadata-Version: 2.1\nName: {package}\nVersion: 2.5\n"
        points = "[synapse.plugins]\n" + textwrap.dedent(plugins)
        return write("site", {**files, f"{info}/METADATA": metadata, f"{info}/entry_points.txt": points})

    yield install
    for name in set(sys.modules) - before:
        if str(folder) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]

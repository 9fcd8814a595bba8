"""The command line in this process, for a user with an empty home folder."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from synapse_sdk.cli.main import run_command_line
from synapse_sdk.cli.scaffold import write_plugin


@dataclass(frozen=True)
class Outcome:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:  # noqa: ANN401  # a JSON document
        """Standard output as one JSON document."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        """Standard output as one JSON document a line."""
        return [json.loads(line) for line in self.out.splitlines()]


class Synapse:
    """Runs commands in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *args: str) -> Outcome:
        """Run one command."""
        self._capsys.readouterr()
        code = run_command_line(args)
        captured = self._capsys.readouterr()
        return Outcome(code, captured.out, captured.err)


@pytest.fixture
def synapse(capsys: pytest.CaptureFixture[str]) -> Synapse:
    """The command `synapse`."""
    return Synapse(capsys)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A current directory and a home folder with nothing in them, and none of the caller's settings."""
    for name in ("SYNAPSE_PROGRESS", "SYNAPSE_COLOR", "SYNAPSE_MODE", "SYNAPSE_DEBUG", "SYNAPSE_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("NO_COLOR", "FORCE_COLOR", "XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(folder)
    yield folder
    assert sys.stdout is not sys.stderr  # whatever a command does with its output, it puts it back


@pytest.fixture
def greeter(home: Path) -> Path:
    """A plugin as `synapse plugin new greeter` writes it, in the current directory."""
    return write_plugin("greeter", home)


@pytest.fixture(name="write_plugin")
def _write_plugin(tmp_path: Path) -> Callable[..., Path]:
    """Write a plugin: its name, its files, and for each action the entry point."""

    def write(code: str, files: Mapping[str, str], actions: Mapping[str, str]) -> Path:
        folder = tmp_path / "plugins" / code
        folder.mkdir(parents=True)
        entries = "".join(f"  {name}: {{entrypoint: '{entrypoint}'}}\n" for name, entrypoint in actions.items())
        (folder / "config.yaml").write_text(f"name: {code}\ncode: {code}\nactions:\n{entries}", encoding="utf-8")
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
        return folder

    return write

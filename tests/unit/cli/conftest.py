"""The command line in this process, for a user with an empty home folder."""

import json
import os
import signal
import subprocess
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
    for name in (
        "SYNAPSE_PROGRESS",
        "SYNAPSE_COLOR",
        "SYNAPSE_MODE",
        "SYNAPSE_DEBUG",
        "SYNAPSE_PROFILE",
        "SYNAPSE_JOURNAL",
        "SYNAPSE_BACKEND",
    ):
        monkeypatch.delenv(name, raising=False)
    for name in ("NO_COLOR", "FORCE_COLOR", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME"):
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


MORTAL = """
import os
import signal
from pathlib import Path

from pydantic import BaseModel, SecretStr
from synapse_sdk.plugins import BaseAction
from synapse_sdk.plugins.steps import BaseStep, StepResult


class Params(BaseModel):
    name: str = "Ada"


class Secretive(Params):
    token: SecretStr


def die_if(name):
    if os.environ.get(name):
        os.kill(os.getpid(), signal.SIGKILL)


class Write(BaseStep):
    name, progress_weight = "write", 0.5

    def execute(self, context):
        context.record_undo(path="made")
        Path("made").touch()
        context.log("written", {"path": "made"})
        context.set_metrics({"files": 1})
        context.errors.append("the disk is old")
        return StepResult(data={"files": 1})

    def rollback(self, context, result):
        die_if("DIE_UNDOING")
        if os.environ.get("CANNOT_UNDO"):
            raise OSError("the file is locked")
        Path("made").unlink(missing_ok=True)


class Halt(BaseStep):
    name, progress_weight = "halt", 0.5

    def execute(self, context):
        die_if("DIE")
        if os.environ.get("FAIL"):
            raise ValueError("no good")
        return StepResult()


class Another(Halt):
    name = "another"


class Mortal(BaseAction[Params]):
    def setup_steps(self, registry):
        registry.register(Write())
        registry.register(Halt())
        if Path("changed").exists():
            registry.register(Another())

    def build_result(self, context, summary):
        return {"hello": self.params.name}


class Secret(Mortal):
    params_model = Secretive
"""


@pytest.fixture
def mortal(home: Path) -> str:
    """A plugin whose process dies in its second step if the variable DIE is set."""
    folder = home / "mortal"
    folder.mkdir()
    actions = "".join(f"  {name.lower()}: {{entrypoint: 'code:{name}'}}\n" for name in ("Mortal", "Secret"))
    (folder / "config.yaml").write_text(f"name: mortal\ncode: mortal\nactions:\n{actions}", encoding="utf-8")
    (folder / "code.py").write_text(MORTAL, encoding="utf-8")
    return "mortal"


type Crash = Callable[..., str]


@pytest.fixture
def crash(mortal: str, synapse: Synapse) -> Crash:
    """Run the plugin in a process of its own that dies, and return the id of the run."""

    def run(*args: str, action: str = "mortal", variable: str = "DIE") -> str:
        command = [sys.executable, "-m", "synapse_sdk.cli", "run", mortal, action, *args]
        environ = {**os.environ, variable: "1", "FAIL": "1" if variable == "DIE_UNDOING" else ""}
        ended = subprocess.run(command, env=environ, capture_output=True, timeout=60, check=False)
        assert ended.returncode == -signal.SIGKILL, ended.stderr
        journal = args[args.index("--journal") :] if "--journal" in args else ()
        return synapse("runs", "list", "-q", "--limit", "1", *journal).out.split()[0]

    return run

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest

from synapse_sdk.errors import ActionNotFoundError, ConfigurationError, InvalidParamsError
from synapse_sdk.plugins import plan_plugin, run_plugin
from synapse_sdk.reporting import MemoryReporter
from synapse_sdk.reporting.events import RunFinished, RunStatus

MANIFEST = """\
name: Echo
code: echo
env: {{GREETING: hello, {name}: from the manifest}}
actions:
  echo: {{entrypoint: plugin.echo:EchoAction}}
"""
CODE = """\
import os

from pydantic import BaseModel

from plugin.words import WORD
from synapse_sdk.plugins import BaseAction


class Params(BaseModel):
    text: str = ""


class Result(BaseModel):
    word: str
    text: str
    pid: int
    env: dict[str, str | None]


class EchoAction(BaseAction[Params]):
    result_model = Result

    def execute(self):
        self.ctx.log("echo", {"text": self.params.text})
        env = {name: self.ctx.env.get_str(name) for name in ("GREETING", "SYNAPSE_TEST_SETTING")}
        return {"word": WORD, "text": self.params.text, "pid": os.getpid(), "env": env}
"""

type MakePlugin = Callable[[str], Path]


class Mode(StrEnum):
    """A parameter that is more than text."""

    FAST = "fast"


@pytest.fixture
def make_plugin(tmp_path: Path) -> MakePlugin:
    """Write plugins whose modules all have the same names."""

    def make(word: str) -> Path:
        root = tmp_path / word
        (root / "plugin").mkdir(parents=True)
        (root / "config.yaml").write_text(MANIFEST.format(name="SYNAPSE_TEST_SETTING"))
        (root / "plugin" / "__init__.py").touch()
        (root / "plugin" / "words.py").write_text(f"WORD = {word!r}\n")
        (root / "plugin" / "echo.py").write_text(CODE)
        return root

    return make


@pytest.mark.parametrize("mode", ["local", "process"])
def test_a_plugin_runs_the_same_in_every_mode(make_plugin: MakePlugin, mode: str) -> None:
    """The result has the action's own type, logs reach the caller's reporter."""
    reporter = MemoryReporter()

    result = run_plugin(make_plugin("one"), "echo", {"text": Mode.FAST}, mode=mode, reporter=reporter)

    assert type(result).__name__ == "Result"
    assert (result.word, result.text) == ("one", "fast")
    assert reporter.logs == [("echo", {"text": "fast"})]


def test_two_plugins_with_equal_module_names_keep_apart(make_plugin: MakePlugin) -> None:
    """N2: each runs its own code, in one process."""
    one, two = make_plugin("one"), make_plugin("two")

    words = [run_plugin(plugin, "echo").word for plugin in (one, two, one)]

    assert words == ["one", "two", "one"]


@pytest.mark.parametrize("mode", ["local", "process"])
def test_settings_come_from_the_caller_then_the_process_then_the_manifest(
    make_plugin: MakePlugin, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The manifest gives defaults; whoever runs it has the last word."""
    plugin = make_plugin("one")
    monkeypatch.setenv("SYNAPSE_TEST_SETTING", "from the process")

    plain = run_plugin(plugin, "echo", mode=mode).env
    told = run_plugin(plugin, "echo", mode=mode, env={"SYNAPSE_TEST_SETTING": "from the caller"}).env

    assert plain == {"GREETING": "hello", "SYNAPSE_TEST_SETTING": "from the process"}
    assert told["SYNAPSE_TEST_SETTING"] == "from the caller"


@pytest.mark.parametrize("mode", ["local", "process"])
def test_wrong_params_start_nothing(make_plugin: MakePlugin, mode: str) -> None:
    """Not even a process."""
    reporter = MemoryReporter()

    with pytest.raises(InvalidParamsError, match="textt: there is no such parameter; did you mean 'text'"):
        run_plugin(make_plugin("one"), "echo", {"textt": "x"}, mode=mode, reporter=reporter)

    assert reporter.events == []


def test_params_that_cannot_travel_are_refused_by_name(tmp_path: Path) -> None:
    """A process gets data, not objects."""
    (tmp_path / "config.yaml").write_text("name: A\ncode: a\nactions:\n  a: {entrypoint: a.run}\n")
    (tmp_path / "a.py").write_text(
        "from synapse_sdk.plugins.action import action\n@action()\ndef run(params: dict, ctx): return 1\n"
    )
    params: dict[str, Any] = {"thing": object()}

    with pytest.raises(InvalidParamsError, match="cannot be sent to another process"):
        run_plugin(tmp_path, "a", params, mode="process")


def test_unknown_actions_and_modes_are_named_with_those_that_exist(make_plugin: MakePlugin) -> None:
    """A typing mistake costs one look."""
    plugin = make_plugin("one")

    with pytest.raises(ActionNotFoundError, match="Did you mean 'echo'"):
        run_plugin(plugin, "ecko")
    with pytest.raises(ConfigurationError, match="process"):
        run_plugin(plugin, "echo", mode="proces")


def test_a_result_that_contains_itself_does_not_fail_the_run(tmp_path: Path) -> None:
    """N6: what JSON cannot hold becomes text."""
    (tmp_path / "config.yaml").write_text("name: A\ncode: a\nactions:\n  a: {entrypoint: a.run}\n")
    (tmp_path / "a.py").write_text(
        "from synapse_sdk.plugins.action import action\n"
        "@action()\ndef run(params, ctx):\n    loop = []\n    loop.append(loop)\n    return loop\n"
    )
    reporter = MemoryReporter()

    result = run_plugin(tmp_path, "a", mode="process", reporter=reporter)

    assert result == "[[...]]"
    assert [event.status for event in reporter.events if isinstance(event, RunFinished)] == [RunStatus.SUCCEEDED]


def test_a_plan_is_made_without_running_anything() -> None:
    """For the example that ships with the package."""
    plan = plan_plugin("examples/image_report", "image_report", {"input_dir": "in", "output_dir": "out"})

    assert [step.name for step in plan.steps] == ["discover_images", "resize_images", "generate_report"]

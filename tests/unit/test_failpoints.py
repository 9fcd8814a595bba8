"""Failpoints end or stop a process where they are asked to, and cost nothing otherwise."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import synapse_sdk
from synapse_sdk.errors import ConfigurationError
from synapse_sdk.failpoints import FAILPOINTS, KILLED, Failpoints, hit, install

PACKAGE = Path(synapse_sdk.__file__).parent
SCRIPT = """
from synapse_sdk.failpoints import hit
for number in range(5):
    print(number, flush=True)
    hit("undo.recorded")
"""


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = install(None)
    yield
    install(before)


def start(setting: str | None, *command: str) -> "subprocess.Popen[str]":
    """Start a process with failpoints set in its environment."""
    environ = os.environ | ({} if setting is None else {"SYNAPSE_FAILPOINTS": setting})
    arguments = command or (sys.executable, "-c", SCRIPT)
    return subprocess.Popen(arguments, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize(("setting", "printed"), [("undo.recorded=kill@3", 3), ("undo.recorded=kill", 1)])
def test_a_process_dies_where_it_is_asked_to(setting: str, printed: int) -> None:
    """As by SIGKILL: nothing more is done, and the exit code is that of a kill."""
    with start(setting) as process:
        out, err = process.communicate(timeout=30)

    assert process.returncode == KILLED
    assert out.split() == [str(number) for number in range(printed)]
    assert err == ""


def test_a_process_stands_still_where_it_is_asked_to() -> None:
    """Until it is let go on."""
    with start("undo.recorded=stop@2") as process:
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        os.kill(process.pid, signal.SIGCONT)
        out, _ = process.communicate(timeout=30)

    assert process.returncode == 0
    assert out.split() == ["0", "1", "2", "3", "4"]


def test_without_the_setting_nothing_happens() -> None:
    """Every place is passed."""
    with start(None) as process:
        out, _ = process.communicate(timeout=30)

    assert (process.returncode, len(out.split())) == (0, 5)


@pytest.mark.parametrize(
    "setting",
    ["undo.recorded", "nowhere=kill@1", "undo.recorded=explode", "undo.recorded=kill@0", "lease.acquired=kill@x"],
)
def test_a_setting_that_cannot_be_understood_is_an_error(setting: str) -> None:
    """It names what was found and what there is; a test that kills nothing would prove nothing."""
    with pytest.raises(ConfigurationError, match=re.escape(repr(setting))) as failure:
        Failpoints.parse(setting)

    assert "NAME=kill@N" in str(failure.value)
    assert "undo.recorded" in str(failure.value.fix)


def test_the_command_line_explains_a_wrong_setting(tmp_path: Path) -> None:
    """As any other mistake in the configuration."""
    command = ["-m", "synapse_sdk.cli", "run", "examples/image_report", "image_report"]
    folders = ["--set", f"input_dir={PACKAGE.parent / 'examples/photos'}", "--set", f"output_dir={tmp_path / 'out'}"]

    with start("typo=kill", sys.executable, *command, *folders) as process:
        _, err = process.communicate(timeout=60)

    assert process.returncode == 78
    assert "SYNAPSE_FAILPOINTS is 'typo=kill'" in err
    assert not (tmp_path / "out").exists()


def test_what_is_installed_is_called_and_can_be_taken_out_again() -> None:
    """For tests that count."""
    passed: list[str] = []

    assert install(passed.append) is None
    hit("undo.recorded")
    assert install(None) == passed.append
    hit("undo.recorded")

    assert passed == ["undo.recorded"]


def test_the_list_and_the_places_agree() -> None:
    """Every place in the code is listed, and everything that is listed has a place."""
    texts = [path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py") if path.name != "failpoints.py"]
    places = [name for text in texts for name in re.findall(r'\bhit\("([\w.]+)"\)', text)]

    assert sorted(set(places)) == sorted(FAILPOINTS)


def test_a_run_without_a_journal_passes_no_failpoint() -> None:
    """They are not even loaded: what is off costs nothing."""
    script = """
import sys
from synapse_sdk.plugins import BaseAction, run_action
from synapse_sdk.plugins.steps import BaseStep, StepResult

class Step(BaseStep):
    name, progress_weight = "step", 1.0
    def execute(self, context):
        context.record_undo(path="x")
        context.save_progress(at=1)
        return StepResult()

class Action(BaseAction):
    def setup_steps(self, registry):
        registry.register(Step())

run_action(Action, {})
print("synapse_sdk.failpoints" in sys.modules)
"""
    with start("undo.recorded=kill", sys.executable, "-c", script) as process:
        out, err = process.communicate(timeout=30)

    assert (process.returncode, out, err) == (0, "False\n", "")

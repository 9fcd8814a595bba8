"""Being told to stop: a run is undone first, whoever says so and how often."""

import shutil
import signal
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.e2e.conftest import Shell

MODES = ("local", "process")


def files(shell: "Shell") -> set[str]:
    """Return what the run has made."""
    return {path.name for path in shell.folder.iterdir()} & {"first", "second"}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_undoes_the_run(shell: "Shell", slow_plugin: str, mode: str, number: int, code: int) -> None:
    """What it had done is gone when the process ends, and the exit code says which signal it was."""
    running = shell.start("run", slow_plugin, "slow", "--mode", mode)
    running.wait_for("the step runs")
    assert files(shell) == {"first", "second"}

    running.signal(number)
    ended = running.end()

    assert ended.code == code
    assert files(shell) == set()
    assert "in step 'wait'; what the run had done is undone" in ended.err
    assert ended.out == ""
    assert "Traceback" not in ended.err


@pytest.mark.parametrize("mode", MODES)
def test_a_program_is_told_that_the_run_was_stopped(shell: "Shell", slow_plugin: str, mode: str) -> None:
    """By the one line of type `result`."""
    running = shell.start("run", slow_plugin, "slow", "--mode", mode, "--json")
    running.wait_for("the step runs")

    running.signal(signal.SIGTERM)
    result = running.end().result

    assert (result["status"], result["exit_code"]) == ("rolled_back", 143)
    assert result["error"]["code"] == "SYN-E1904"
    assert result["error"]["where"]["action"] == "slow"


@pytest.mark.parametrize("mode", MODES)
def test_a_second_ctrl_c_does_not_cut_the_rollback_short(shell: "Shell", slow_plugin: str, mode: str) -> None:
    """It says that the rollback goes on."""
    running = shell.start("run", slow_plugin, "slow", "--mode", mode, env={"SLOW_ROLLBACK": "1"})
    running.wait_for("the step runs")
    running.signal(signal.SIGINT)
    running.wait_for("the rollback runs")

    running.signal(signal.SIGINT)
    running.wait_for("interrupt received: the rollback goes on")
    (shell.folder / "go-back").touch()
    ended = running.end()

    assert ended.code == 130
    assert files(shell) == set()


@pytest.mark.parametrize("mode", MODES)
def test_a_third_ctrl_c_leaves_the_rollback_and_says_what_is_left(shell: "Shell", slow_plugin: str, mode: str) -> None:
    """Exit code 4, because something is left behind; that matters more than who stopped it."""
    running = shell.start("run", slow_plugin, "slow", "--mode", mode, env={"SLOW_ROLLBACK": "1"})
    running.wait_for("the step runs")
    running.signal(signal.SIGINT)
    running.wait_for("the rollback runs")
    running.signal(signal.SIGINT)
    running.wait_for("interrupt received: the rollback goes on")

    running.signal(signal.SIGINT)
    ended = running.end()

    assert ended.code == 4
    assert files(shell) == {"first", "second"}
    assert "not undone: step 'wait'" in ended.err
    assert "not undone: step 'write'" in ended.err


def test_a_run_that_was_started_with_nohup_survives_the_terminal(shell: "Shell", slow_plugin: str) -> None:
    """A signal that was ignored when the process started stays ignored."""
    nohup = shutil.which("nohup")
    assert nohup is not None
    running = shell.start("run", slow_plugin, "slow", prefix=(nohup,))
    running.wait_for("the step runs")

    running.signal(signal.SIGHUP)
    (shell.folder / "go-on").touch()
    ended = running.end()

    assert (ended.code, ended.out) == (0, "done  yes\n")


def test_ctrl_c_before_anything_was_started_says_so(shell: "Shell", slow_plugin: str) -> None:
    """Here while the plugin is imported."""
    code = shell.folder / slow_plugin / "code.py"
    slow_import = '\nsay("the import runs")\nwait_for("go-on")\n'
    code.write_text(code.read_text(encoding="utf-8") + slow_import, encoding="utf-8")
    running = shell.start("run", slow_plugin, "slow")
    running.wait_for("the import runs")

    running.signal(signal.SIGINT)
    ended = running.end()

    assert ended.code == 130
    assert "Stopped by Ctrl-C before anything was started" in ended.err
    assert files(shell) == set()


def test_a_worker_that_is_killed_is_a_failed_run(shell: "Shell", write_plugin: object) -> None:
    """Its death does not take the command with it."""
    code = "import os, signal\nfrom synapse_sdk.plugins.action import action\n\n\n"
    code += "@action()\ndef die(params: dict, ctx) -> int:\n    os.kill(os.getpid(), signal.SIGKILL)\n"
    write_plugin("mortal", code, {"die": "code:die"})  # type: ignore[operator]  # the fixture is a function

    ended = shell.run("run", "mortal", "die", "--mode", "process", "--json")

    assert ended.code == 1
    assert ended.result["error"]["code"] == "SYN-E1301"
    assert "SIGKILL" in ended.result["error"]["message"]

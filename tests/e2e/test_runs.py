"""Runs whose process dies, or that somebody stops from elsewhere: nothing is lost, nothing is left behind."""

import json
import os
import signal
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.e2e.conftest import Running, Shell

MODES = ("local", "process")
PATIENCE = 60.0


def files(shell: "Shell") -> set[str]:
    """Return what the run has made."""
    return {path.name for path in shell.folder.iterdir()} & {"first", "second"}


def only_run(shell: "Shell") -> dict[str, Any]:
    """Return what the list says about the one run there is."""
    listed = shell.run("runs", "list", "--json")
    (run,) = json.loads(listed.out)["runs"]
    found: dict[str, Any] = run
    return found


def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def kill(running: "Running") -> None:
    """Kill a process and wait for its end."""
    running.signal(signal.SIGKILL)
    assert running.process.wait(PATIENCE) == -signal.SIGKILL


def test_a_run_that_was_killed_is_listed_shown_and_resumed(shell: "Shell", slow_plugin: str) -> None:
    """In the middle of a step; what was done before is not done again."""
    running = shell.start("run", slow_plugin, "slow")
    running.wait_for("the step runs")
    alive = only_run(shell)
    kill(running)

    dead = only_run(shell)
    shown = shell.run("runs", "show", dead["id"])
    (shell.folder / "go-on").touch()
    resumed = shell.run("runs", "resume", dead["id"])

    assert (alive["is_interrupted"], alive["next_steps"]) == (False, ["watch", "cancel"])
    assert (dead["is_interrupted"], dead["next_steps"]) == (True, ["resume", "rollback"])
    assert "interrupted: it was running, but its worker died" in shown.out
    assert (resumed.code, resumed.out) == (0, "done  yes\n")
    assert "run resumed: 1 of 2 steps done before" in resumed.err
    assert files(shell) == {"first", "second"}
    assert only_run(shell)["status"] == "succeeded"


def test_a_rollback_that_was_killed_is_finished(shell: "Shell", slow_plugin: str) -> None:
    """By `synapse runs rollback`, which undoes what is still left."""
    running = shell.start("run", slow_plugin, "slow", env={"SLOW_ROLLBACK": "1"})
    running.wait_for("the step runs")
    running.signal(signal.SIGTERM)
    running.wait_for("the rollback runs")
    kill(running)
    left = files(shell)

    done = shell.run("runs", "rollback", "last")

    assert left == {"first", "second"}
    assert done.code == 0, done.err
    assert files(shell) == set()
    assert only_run(shell)["status"] == "rolled_back"


@pytest.mark.parametrize("mode", MODES)
def test_a_run_is_cancelled_from_another_process(shell: "Shell", slow_plugin: str, mode: str) -> None:
    """Its own process undoes it and says who asked; whoever asked is told when that is done."""
    running = shell.start("run", slow_plugin, "slow", "--mode", mode)
    running.wait_for("the step runs")

    cancelled = shell.run("runs", "cancel", "last")
    ended = running.end()

    assert cancelled.code == 0, cancelled.err
    assert "was stopped, and what it had done is undone" in cancelled.out
    assert "Waiting for process" in cancelled.err
    assert ended.code == 130
    assert "was cancelled by" in ended.err
    assert "what the run had done is undone" in ended.err
    assert files(shell) == set()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_run_that_was_stopped_is_recorded_as_undone(
    shell: "Shell", slow_plugin: str, mode: str, number: int, code: int
) -> None:
    """Nobody has to look after it."""
    running = shell.start("run", slow_plugin, "slow", "--mode", mode)
    running.wait_for("the step runs")

    running.signal(number)
    ended = running.end()

    assert ended.code == code
    assert files(shell) == set()
    assert (only_run(shell)["status"], only_run(shell)["next_steps"]) == ("rolled_back", [])


def test_a_rollback_that_was_abandoned_is_finished(shell: "Shell", slow_plugin: str) -> None:
    """The third Ctrl-C leaves it, and names the command."""
    running = shell.start("run", slow_plugin, "slow", env={"SLOW_ROLLBACK": "1"})
    running.wait_for("the step runs")
    running.signal(signal.SIGINT)
    running.wait_for("the rollback runs")
    running.signal(signal.SIGINT)
    running.wait_for("interrupt received: the rollback goes on")
    running.signal(signal.SIGINT)
    ended = running.end()
    run_id = only_run(shell)["id"]

    done = shell.run("runs", "rollback", run_id)

    assert ended.code == 4
    assert f"synapse runs rollback {run_id}" in ended.err
    assert done.code == 0, done.err
    assert files(shell) == set()


def test_a_run_is_watched_from_another_process_until_it_ends(shell: "Shell", slow_plugin: str) -> None:
    """Result and exit code are the run's own."""
    running = shell.start("run", slow_plugin, "slow")
    running.wait_for("the step runs")
    watching = shell.start("runs", "watch", "last")
    watching.wait_for("[2/2] wait: started")

    (shell.folder / "go-on").touch()
    watched = watching.end()

    assert (watched.code, watched.out) == (0, "done  yes\n")
    assert "succeeded in" in watched.err
    assert running.end().code == 0


def test_whoever_watches_learns_of_the_death_of_the_worker(shell: "Shell", slow_plugin: str) -> None:
    """With 75: the run waits for somebody to go on with it."""
    running = shell.start("run", slow_plugin, "slow")
    running.wait_for("the step runs")
    watching = shell.start("runs", "watch", "last")
    watching.wait_for("[2/2] wait: started")

    kill(running)
    watched = watching.end()

    assert watched.code == 75
    assert "its worker died" in watched.err
    assert "synapse runs resume" in watched.err


def test_ctrl_c_ends_the_watching_and_not_the_run(shell: "Shell", slow_plugin: str) -> None:
    """It says so."""
    running = shell.start("run", slow_plugin, "slow")
    running.wait_for("the step runs")
    watching = shell.start("runs", "watch", "last")
    watching.wait_for("[2/2] wait: started")

    watching.signal(signal.SIGINT)
    watched = watching.end()
    (shell.folder / "go-on").touch()

    assert watched.code == 130
    assert "only the watching: the run goes on" in watched.err
    assert running.end().code == 0


def test_a_run_in_the_hands_of_a_living_worker_is_not_taken_from_it(shell: "Shell", slow_plugin: str) -> None:
    """Exit code 75; the run is not disturbed."""
    running = shell.start("run", slow_plugin, "slow")
    running.wait_for("the step runs")

    refused = shell.run("runs", "resume", "last")
    (shell.folder / "go-on").touch()

    assert refused.code == 75
    assert f"process {running.process.pid}" in refused.err
    assert running.end().code == 0


def test_a_worker_process_that_is_killed_leaves_a_run_to_resume(shell: "Shell", slow_plugin: str) -> None:
    """The command that started it says how."""
    running = shell.start("run", slow_plugin, "slow", "--mode", "process")
    running.wait_for("the step runs")
    worker = int(only_run(shell)["worker"].split()[1])
    assert worker != running.process.pid

    os.kill(worker, signal.SIGKILL)
    ended = running.end()
    until(lambda: bool(only_run(shell)["is_interrupted"]))
    (shell.folder / "go-on").touch()

    assert ended.code == 1
    assert "synapse runs resume" in ended.err
    assert shell.run("runs", "resume", "last").code == 0

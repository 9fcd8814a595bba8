"""F5, between two processes: what Ctrl-C, requests to end and death do to a run in a worker, here or on a cluster.

Every worker is in a process group of its own, so a Ctrl-C in the terminal reaches the driver, which passes it on.
"""

import os
import signal
from collections.abc import Callable

import pytest

from tests.conformance.executors import ELSEWHERE, SELDOM_ON_RAY
from tests.unit.executors.driving import Driver, process_state, wait_until

type Drive = Callable[..., Driver]


def press(driver: Driver, number: signal.Signals = signal.SIGINT) -> None:
    """Send a signal to the whole group of the driver, as a terminal does."""
    os.killpg(driver.process.pid, number)


@pytest.mark.parametrize("mode", ELSEWHERE, indirect=True)
def test_ctrl_c_during_a_step_undoes_the_run(mode: str, drive: Drive) -> None:
    """The driver waits for the rollback, sees it, and is then interrupted itself."""
    driver = drive(mode, "wait")
    worker = driver.worker
    assert driver.has("made")

    press(driver)

    said = driver.said()
    assert said["raised"] == "KeyboardInterrupt"
    assert not driver.has("made")
    assert said["events"][-2:] == ["StepRolledBack", "RunFinished"]
    assert process_state(worker) == ""


@pytest.mark.parametrize("whole_group", [True, False])
@pytest.mark.parametrize("mode", SELDOM_ON_RAY, indirect=True)
def test_ctrl_c_means_the_same_however_it_is_sent(mode: str, drive: Drive, *, whole_group: bool) -> None:
    """F5 sends it to the process, a terminal to the group: it arrives exactly once."""
    driver = drive(mode, "stubborn")
    assert driver.worker
    if whole_group:
        press(driver)
    else:
        driver.process.send_signal(signal.SIGINT)
    driver.wait_for("undoing")
    driver.give("undo")

    said = driver.said()
    assert said["raised"] == "KeyboardInterrupt"
    assert "InterruptHeld" not in said["events"]
    assert not driver.has("made")


@pytest.mark.parametrize("mode", ELSEWHERE, indirect=True)
def test_a_second_ctrl_c_lets_the_rollback_go_on(mode: str, drive: Drive) -> None:
    """And says so."""
    driver = drive(mode, "stubborn")
    assert driver.worker
    press(driver)
    driver.wait_for("undoing")
    press(driver)
    driver.wait_for("held 2")
    driver.give("undo")

    assert driver.said()["raised"] == "KeyboardInterrupt"
    assert not driver.has("made")


@pytest.mark.parametrize("mode", SELDOM_ON_RAY, indirect=True)
def test_a_third_ctrl_c_leaves_the_rollback_unfinished(mode: str, drive: Drive) -> None:
    """Nothing is undone any more, and nobody waits."""
    driver = drive(mode, "stubborn")
    worker = driver.worker
    press(driver)
    driver.wait_for("undoing")
    press(driver)
    driver.wait_for("held 2")
    press(driver)

    said = driver.said()
    assert (said["raised"], said["events"][-1]) == ("KeyboardInterrupt", "RunFinished")
    assert driver.has("made")
    assert process_state(worker) == ""


@pytest.mark.parametrize("mode", SELDOM_ON_RAY, indirect=True)
def test_a_worker_that_ignores_ctrl_c_can_be_killed(mode: str, drive: Drive) -> None:
    """The fourth is not asked."""
    driver = drive(mode, "be_deaf")
    worker = driver.worker
    driver.wait_for("deaf")
    for number in (1, 2, 3):
        press(driver)
        driver.wait_for(f"heard {number}")
    press(driver)

    assert driver.said()["raised"] == "KeyboardInterrupt"
    assert process_state(worker) == ""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("mode", ELSEWHERE, indirect=True)
def test_a_request_to_end_is_passed_on_and_then_obeyed(mode: str, drive: Drive, number: signal.Signals) -> None:
    """Sent to the driver alone, as `kill` and a supervisor do."""
    driver = drive(mode, "wait")
    worker = driver.worker

    driver.process.send_signal(number)
    _, errors = driver.process.communicate(timeout=60)

    assert driver.process.returncode == -number
    assert not errors
    assert not driver.has("made")
    assert process_state(worker) == ""


@pytest.mark.parametrize("mode", SELDOM_ON_RAY, indirect=True)
def test_the_drivers_own_handler_has_the_last_word(mode: str, drive: Drive) -> None:
    """A program that turns SIGTERM into an exception gets its exception."""
    script = """
import signal, sys
from synapse_sdk.executors import RunSpec, open_executor
def stop(number, frame):
    raise SystemExit(77)
signal.signal(signal.SIGTERM, stop)
open_executor(sys.argv[2]).run(RunSpec.from_json(sys.argv[1]), None)
"""
    driver = drive(mode, "wait", script=script)
    assert driver.worker

    driver.process.send_signal(signal.SIGTERM)

    assert driver.process.wait(timeout=60) == 77
    assert not driver.has("made")


@pytest.mark.parametrize("mode", SELDOM_ON_RAY, indirect=True)
def test_an_ignored_signal_stays_ignored(mode: str, drive: Drive) -> None:
    """As after `nohup`."""
    script = """
import signal, sys
from synapse_sdk.executors import RunSpec, open_executor
signal.signal(signal.SIGHUP, signal.SIG_IGN)
print(open_executor(sys.argv[2]).run(RunSpec.from_json(sys.argv[1]), None)["success"])
"""
    driver = drive(mode, "wait", script=script)
    worker = driver.worker
    driver.process.send_signal(signal.SIGHUP)
    if mode == "process":  # on a node, the caller has no say in what comes from elsewhere
        os.kill(worker, signal.SIGHUP)
    driver.give("go")

    printed, _ = driver.process.communicate(timeout=60)
    assert printed == "True\n"


@pytest.mark.parametrize("mode", SELDOM_ON_RAY, indirect=True)
def test_the_death_of_the_driver_undoes_the_run(mode: str, drive: Drive) -> None:
    """Killed in the middle of a step, it cannot say anything: the worker sees its input end."""
    driver = drive(mode, "wait")
    worker = driver.worker
    assert driver.has("made")

    driver.process.kill()

    wait_until(lambda: not driver.has("made"), "the run is undone")
    wait_until(lambda: process_state(worker) in {"", "Z"}, "the worker has ended")


@pytest.mark.parametrize("mode", SELDOM_ON_RAY, indirect=True)
def test_the_death_of_the_driver_does_not_cut_a_rollback_short(mode: str, drive: Drive) -> None:
    """It counts as one more request, which is held back."""
    driver = drive(mode, "stubborn")
    worker = driver.worker
    press(driver)
    driver.wait_for("undoing")

    driver.process.kill()
    driver.process.wait()
    assert process_state(worker) not in {"", "Z"}
    driver.give("undo")

    wait_until(lambda: process_state(worker) in {"", "Z"}, "the worker has ended")
    assert not driver.has("made")


def test_suspending_suspends_the_worker_too(drive: Drive) -> None:
    """Ctrl-Z and `fg`."""
    driver = drive("process", "wait", process_group=0)
    worker = driver.worker

    press(driver, signal.SIGTSTP)
    wait_until(lambda: process_state(worker) == "T", "the worker stands still")
    wait_until(lambda: process_state(driver.process.pid) == "T", "the driver stands still")
    press(driver, signal.SIGCONT)
    wait_until(lambda: process_state(worker) != "T", "the worker goes on")
    driver.give("go")

    assert driver.said()["result"]["success"]


@pytest.mark.parametrize("mode", SELDOM_ON_RAY, indirect=True)
def test_a_run_that_succeeds_before_the_signal_is_still_interrupted(mode: str, drive: Drive) -> None:
    """Ctrl-C always ends in KeyboardInterrupt, so that a loop over runs stops."""
    driver = drive(mode, "be_deaf")
    worker = driver.worker
    driver.wait_for("deaf")
    press(driver)
    driver.wait_for("heard 1")
    driver.give("go")

    said = driver.said()
    assert said["raised"] == "KeyboardInterrupt"
    assert driver.has("made")
    assert process_state(worker) == ""

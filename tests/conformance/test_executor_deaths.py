"""What an executor makes of a worker that dies, or ends itself."""

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from synapse_sdk.errors import ExecutorError, WorkerLostError
from synapse_sdk.reporting import MemoryReporter
from tests.conformance.executors import ELSEWHERE, SELDOM_ON_RAY, Run, runner
from tests.unit.executors.driving import Driver, process_state, steps_spec, wait_until

HARMS = ("os.close(2)", "os.close(0); os.close(2)", "os.chdir(folder); os.rmdir(folder)")
"""The last is too much for Ray, which wants a directory."""


@pytest.mark.parametrize(
    ("deed", "words", "where"),
    [
        ("die", "exit code 7 and without a result", {"exit_code": 7}),
        ("crash", "killed by SIGSEGV", {"signal": "SIGSEGV"}),
        ("leave_an_orphan", "killed by SIGKILL", {"signal": "SIGKILL"}),
    ],
)
@pytest.mark.parametrize("mode", ELSEWHERE, indirect=True)
def test_a_worker_that_dies_is_missed(run: Run, scene: Path, deed: str, words: str, where: dict[str, object]) -> None:
    """With signal or exit code, at once, and with what had happened so far."""
    reporter = MemoryReporter()
    try:
        with pytest.raises(WorkerLostError, match=words) as caught:
            run(steps_spec(scene, deed), reporter)
    finally:
        (scene / "go").touch()

    assert caught.value.where == where
    assert caught.value.transient
    assert "not undone" in str(caught.value)
    assert (scene / "made").exists()
    if deed == "leave_an_orphan":
        orphan = int((scene / "orphan").read_text())
        wait_until(lambda: process_state(orphan) in {"", "Z"}, "the orphan has ended")


@pytest.mark.parametrize("mode", ELSEWHERE, indirect=True)
def test_kill_9_from_outside_is_noticed(run: Run, scene: Path) -> None:
    """By whoever waits for the worker, while it is in a step."""

    def kill() -> None:
        wait_until((scene / "second").exists, "the second step runs")
        os.kill(int((scene / "second").read_text()), signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    with pytest.raises(WorkerLostError, match="killed by SIGKILL"):
        run(steps_spec(scene, "wait"))
    killer.join()


@pytest.mark.parametrize("mode", SELDOM_ON_RAY, indirect=True)
def test_a_worker_that_was_told_to_end_has_undone_its_work(run: Run, scene: Path) -> None:
    """Trying again may help."""
    with pytest.raises(WorkerLostError, match=r"told to end \(SIGTERM\); it undid"):
        run(steps_spec(scene, "be_terminated"))

    assert not (scene / "made").exists()


@pytest.mark.parametrize("mode", SELDOM_ON_RAY, indirect=True)
def test_a_worker_that_was_interrupted_interrupts(run: Run, scene: Path) -> None:
    """As if the run had been here."""
    with pytest.raises(KeyboardInterrupt):
        run(steps_spec(scene, "be_interrupted"))

    assert not (scene / "made").exists()


@pytest.mark.parametrize("mode", SELDOM_ON_RAY, indirect=True)
def test_an_action_that_ends_its_process_has_failed(run: Run, scene: Path) -> None:
    """Here it ends nothing but its worker."""
    with pytest.raises(ExecutorError, match="exit code 3 instead of returning"):
        run(steps_spec(scene, "leave"))

    assert not (scene / "made").exists()


@pytest.mark.parametrize("mode", ELSEWHERE, indirect=True)
def test_a_worker_that_does_not_end_is_ended(mode: str, scene: Path) -> None:
    """The run is done, and a thread it forgot holds nobody up."""
    spec = steps_spec(scene, "linger")

    assert runner(mode, patience=0.2)(spec) == {"success": True, "steps_executed": 2, "steps_total": 2}

    assert process_state(int((scene / "second").read_text())) == ""
    assert not (scene / "lingered").exists()


@pytest.mark.parametrize("mode", SELDOM_ON_RAY, indirect=True)
def test_a_signal_without_a_name_is_named_by_its_number(run: Run, scene: Path) -> None:
    """There are some."""
    with pytest.raises(WorkerLostError, match=f"killed by signal {signal.SIGRTMIN + 6}"):
        run(steps_spec(scene, "die_oddly"))


@pytest.mark.parametrize(
    ("mode", "harm"),
    [
        *(("process", harm) for harm in HARMS),
        *(pytest.param("ray", harm, marks=[pytest.mark.ray, pytest.mark.full]) for harm in HARMS[:2]),
    ],
    indirect=["mode"],
)
def test_odd_surroundings_do_no_harm(mode: str, drive: Callable[..., Driver], harm: str) -> None:
    """A closed standard error or input, as services have them; a working directory that was removed."""
    script = f"""
import os, sys, tempfile
from synapse_sdk.executors import RunSpec, open_executor
folder = tempfile.mkdtemp()
{harm}
print(open_executor(sys.argv[2]).run(RunSpec.from_json(sys.argv[1]), None)["success"])
"""
    printed, errors = drive(mode, "chat", script=script).process.communicate(timeout=60)

    assert printed == "True\n", errors

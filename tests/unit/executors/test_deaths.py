import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from synapse_sdk.errors import ExecutorError, WorkerLostError
from synapse_sdk.executors import ProcessExecutor, RunSpec
from synapse_sdk.reporting import MemoryReporter
from synapse_sdk.types import JsonValue
from tests.unit.executors.driving import Driver, process_state, steps_spec, wait_until


def run(spec: RunSpec, reporter: MemoryReporter | None = None) -> JsonValue:
    """Run something in a worker."""
    return ProcessExecutor().run(spec, reporter)


@pytest.mark.parametrize(
    ("mode", "words", "where"),
    [
        ("die", "exit code 7 and without a result", {"exit_code": 7}),
        ("crash", "killed by SIGSEGV", {"signal": "SIGSEGV"}),
        ("leave_an_orphan", "killed by SIGKILL", {"signal": "SIGKILL"}),
    ],
)
def test_a_worker_that_dies_is_missed(scene: Path, mode: str, words: str, where: dict[str, object]) -> None:
    """With signal or exit code, at once, and with what had happened so far."""
    reporter = MemoryReporter()
    try:
        with pytest.raises(WorkerLostError, match=words) as caught:
            run(steps_spec(scene, mode), reporter)
    finally:
        (scene / "go").touch()

    assert caught.value.where == where
    assert caught.value.transient
    assert "not undone" in str(caught.value)
    assert (scene / "made").exists()
    if mode == "leave_an_orphan":
        orphan = int((scene / "orphan").read_text())
        wait_until(lambda: process_state(orphan) in {"", "Z"}, "the orphan has ended")


def test_kill_9_from_outside_is_noticed(scene: Path) -> None:
    """By whoever waits for the worker, while it is in a step."""

    def kill() -> None:
        wait_until((scene / "second").exists, "the second step runs")
        os.kill(int((scene / "second").read_text()), signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    with pytest.raises(WorkerLostError, match="killed by SIGKILL"):
        run(steps_spec(scene, "wait"))
    killer.join()


def test_a_worker_that_was_told_to_end_has_undone_its_work(scene: Path) -> None:
    """Trying again may help."""
    with pytest.raises(WorkerLostError, match=r"told to end \(SIGTERM\); it undid"):
        run(steps_spec(scene, "be_terminated"))

    assert not (scene / "made").exists()


def test_a_worker_that_was_interrupted_interrupts(scene: Path) -> None:
    """As if the run had been here."""
    with pytest.raises(KeyboardInterrupt):
        run(steps_spec(scene, "be_interrupted"))

    assert not (scene / "made").exists()


def test_an_action_that_ends_its_process_has_failed(scene: Path) -> None:
    """Here it ends nothing but its worker."""
    with pytest.raises(ExecutorError, match="exit code 3 instead of returning"):
        run(steps_spec(scene, "leave"))

    assert not (scene / "made").exists()


def test_a_worker_that_does_not_end_is_ended(scene: Path) -> None:
    """The run is done, and a thread it forgot holds nobody up."""
    spec = steps_spec(scene, "linger")

    assert ProcessExecutor(patience=0.2).run(spec, None) == {"success": True, "steps_executed": 2, "steps_total": 2}

    assert process_state(int((scene / "second").read_text())) == ""
    assert not (scene / "lingered").exists()


def test_a_python_that_cannot_be_started_is_an_error_of_ours(monkeypatch: pytest.MonkeyPatch, scene: Path) -> None:
    """With a way out."""
    for executable in ("/no/such/python", ""):
        monkeypatch.setattr(sys, "executable", executable)
        with pytest.raises(ExecutorError, match="mode='local'"):
            run(steps_spec(scene, "succeed"))


def test_a_worker_that_cannot_even_begin_is_missed(capfd: pytest.CaptureFixture[str], scene: Path) -> None:
    """Its last words are on standard error."""
    with pytest.raises(WorkerLostError, match="exit code 1"):
        ProcessExecutor("no_such_module").run(steps_spec(scene, "succeed"), None)

    assert "No module named no_such_module" in capfd.readouterr().err


def test_a_signal_without_a_name_is_named_by_its_number(scene: Path) -> None:
    """There are some."""
    with pytest.raises(WorkerLostError, match=f"killed by signal {signal.SIGRTMIN + 6}"):
        run(steps_spec(scene, "die_oddly"))


@pytest.mark.parametrize("harm", ["os.close(2)", "os.close(0); os.close(2)", "os.chdir(folder); os.rmdir(folder)"])
def test_odd_surroundings_do_no_harm(drive: Callable[..., Driver], harm: str) -> None:
    """A closed standard error or input, as services have them; a working directory that was removed."""
    script = f"""
import os, sys, tempfile
from synapse_sdk.executors import ProcessExecutor, RunSpec
folder = tempfile.mkdtemp()
{harm}
print(ProcessExecutor().run(RunSpec.from_json(sys.argv[1]), None)["success"])
"""
    printed, errors = drive("chat", script=script).process.communicate(timeout=60)

    assert printed == "True\n", errors

"""What becomes of recorded runs, wherever their actions run: resumed, rolled back, cancelled."""

import os
import signal
import threading
from pathlib import Path

import pytest

from synapse_sdk.errors import RunCancelledError, WorkerLostError
from synapse_sdk.plugins import cancel_run, describe_run, resume_run, rollback_run, run_plugin
from synapse_sdk.reporting import MemoryReporter
from synapse_sdk.reporting.events import RunStatus, StepStarted
from tests.conformance.executors import ELSEWHERE, SELDOM_ON_RAY
from tests.unit.executors.driving import PLUGIN, wait_until

RUN = "7f3a00112233"


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """Where runs are recorded."""
    return tmp_path / "journal.db"


def die(mode: str, scene: Path, journal: Path, folder: str | None = None) -> None:
    """Run an action whose worker dies in its second step; that would succeed now."""

    def kill() -> None:
        wait_until((scene / "second").exists, "the second step runs")
        os.kill(int((scene / "second").read_text()), signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    params = {"folder": folder or str(scene), "mode": "wait"}
    with pytest.raises(WorkerLostError, match="SIGKILL"):
        run_plugin(PLUGIN, "steps", params, mode=mode, job_id=RUN, journal=journal)
    killer.join()
    (scene / "go").touch()
    assert describe_run(RUN, journal=journal).record.status is RunStatus.RUNNING


@pytest.mark.parametrize("mode", ELSEWHERE, indirect=True)
def test_a_run_whose_worker_died_is_resumed_where_it_ran(mode: str, scene: Path, journal: Path) -> None:
    """What was done is not done again, although its effect is gone: F37, nothing is repeated unasked."""
    die(mode, scene, journal)
    (scene / "made").unlink()
    reporter = MemoryReporter()

    result = resume_run(RUN, journal=journal, reporter=reporter)

    assert result["success"]
    assert not (scene / "made").exists()
    assert [event.step for event in reporter.events if isinstance(event, StepStarted)] == ["second"]
    record = describe_run(RUN, journal=journal).record
    assert (record.status, record.source.mode) == (RunStatus.SUCCEEDED, mode)


@pytest.mark.parametrize("mode", ELSEWHERE, indirect=True)
def test_a_run_whose_worker_died_is_rolled_back_where_it_ran(mode: str, scene: Path, journal: Path) -> None:
    """Nothing of it is left."""
    die(mode, scene, journal)

    assert rollback_run(RUN, journal=journal).status is RunStatus.ROLLED_BACK
    assert not (scene / "made").exists()


@pytest.mark.parametrize("mode", SELDOM_ON_RAY, indirect=True)
def test_a_run_can_go_on_in_another_place(mode: str, scene: Path, journal: Path) -> None:
    """Here, if its place cannot be had any more."""
    die(mode, scene, journal)

    assert resume_run(RUN, journal=journal, mode="local")["success"]


@pytest.mark.parametrize("mode", ELSEWHERE, indirect=True)
def test_a_run_is_cancelled_from_anywhere(mode: str, scene: Path, journal: Path) -> None:
    """Its worker undoes it."""

    def cancel() -> None:
        wait_until((scene / "second").exists, "the second step runs")
        cancel_run(RUN, journal=journal)

    canceller = threading.Thread(target=cancel)
    canceller.start()
    with pytest.raises(RunCancelledError):
        run_plugin(PLUGIN, "steps", {"folder": str(scene), "mode": "wait"}, mode=mode, job_id=RUN, journal=journal)
    canceller.join()

    assert not (scene / "made").exists()
    assert describe_run(RUN, journal=journal).record.status is RunStatus.ROLLED_BACK


@pytest.mark.parametrize("mode", SELDOM_ON_RAY, indirect=True)
def test_relative_paths_begin_where_the_run_was_started(
    mode: str, scene: Path, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when it is resumed from elsewhere."""
    monkeypatch.chdir(scene.parent)
    die(mode, scene, journal, "scene")
    monkeypatch.chdir("/")

    assert resume_run(RUN, journal=journal)["success"]
    assert (scene / "made").exists()

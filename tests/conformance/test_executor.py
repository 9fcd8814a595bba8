"""What every executor promises (`synapse_sdk.executors.base`), over all there are."""

import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from synapse_sdk.errors import (
    ConfigurationError,
    InvalidParamsError,
    PluginNotFoundError,
    StepFailedError,
    StepNotFoundError,
    SynapseError,
    WorkerLostError,
)
from synapse_sdk.executors import Executor, RunSpec, open_executor
from synapse_sdk.executors.failures import RemoteTraceback
from synapse_sdk.plugins import run_plugin
from synapse_sdk.reporting import MemoryReporter
from synapse_sdk.reporting.events import Event, Logged, LogsShed, RunStarted, StepFinished, StepRolledBack, StepStarted
from tests.conformance.executors import ANYWHERE, ELSEWHERE, SELDOM_ON_RAY, Run, runner
from tests.unit.executors.driving import PLUGIN, answer_spec, steps_spec


@pytest.mark.parametrize("mode", ["local", "process", "ray"])
def test_it_is_an_executor(mode: str) -> None:
    """And found by its name."""
    assert isinstance(open_executor(mode), Executor)


@pytest.mark.parametrize("mode", ANYWHERE, indirect=True)
def test_a_run_is_told_as_if_it_happened_here(mode: str, scene: Path) -> None:
    """Result, events in their order, progress and logs."""
    here, there = MemoryReporter(), MemoryReporter()
    params = {"folder": str(scene), "mode": "succeed"}
    result = run_plugin(PLUGIN, "steps", params, reporter=here)

    assert run_plugin(PLUGIN, "steps", params, reporter=there, mode=mode) == result
    assert [type(event) for event in there.events] == [type(event) for event in here.events]
    assert there.percents == here.percents
    assert there.progress == here.progress == {"second": (1, 2)}
    assert there.logs == here.logs == [("made", {"file": "made"})]
    assert (scene / "made").exists()


@pytest.mark.parametrize("mode", ELSEWHERE, indirect=True)
def test_a_failed_run_is_undone_and_its_error_arrives_whole(run: Run, scene: Path) -> None:
    """Class, step, result, cause with its code, and the worker's traceback."""
    reporter = MemoryReporter()

    with pytest.raises(StepFailedError, match="Step 'second' failed: No") as caught:
        run(steps_spec(scene, "fail"), reporter)

    error = caught.value
    assert (error.step.name, error.result.success, error.rollback_errors) == ("second", False, ())
    cause = error.__cause__
    assert isinstance(cause, SynapseError)
    assert (type(cause).__name__, cause.code, cause.fix, cause.where) == (
        "RefusalError",
        "WORK-1",
        "try again",
        {"file": "x.jpg"},
    )
    assert isinstance(cause.__context__, RemoteTraceback)
    assert "worker.py" in str(cause.__context__)
    assert not (scene / "made").exists()
    assert StepRolledBack in {type(event) for event in reporter.events}


@pytest.mark.parametrize("mode", ["local", *SELDOM_ON_RAY], indirect=True)
def test_what_could_not_be_undone_arrives(run: Run, scene: Path) -> None:
    """With its step, its error and its traceback."""
    with pytest.raises(StepFailedError) as caught:
        run(steps_spec(scene, "hopeless"))

    (problem,) = caught.value.rollback_errors
    assert (problem.step, problem.text) == ("first", "[Errno 28] No space left: 'made'")
    assert isinstance(problem.error, OSError)
    assert problem.error.errno == 28
    assert "in rollback" in problem.traceback
    assert "Rollback of step 'first' failed" in caught.value.__notes__[0]


@pytest.mark.parametrize("mode", ELSEWHERE, indirect=True)
def test_nothing_the_worker_prints_gets_into_standard_output(
    run: Run, scene: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """It goes to standard error; and standard input is empty for it."""
    run(steps_spec(scene, "chat"))

    printed = capfd.readouterr()
    assert printed.out == ""
    assert printed.err.splitlines() == ["to stdout", "from a program", "to stderr", "read ''"]


@pytest.mark.parametrize("mode", ANYWHERE, indirect=True)
def test_a_result_that_json_cannot_hold_does_not_fail_the_run(run: Run) -> None:
    """N6: it arrives as what comes closest."""
    result = run(answer_spec("odd"))

    assert result["path"] == "a"
    assert result["3"] == ["x"]
    assert "MainThread" in result["thread"]


@pytest.mark.parametrize("mode", ANYWHERE, indirect=True)
def test_a_large_result_arrives_whole(run: Run) -> None:
    """Far more than a pipe holds."""
    assert run(answer_spec("large")) == "x" * 5_000_000


@pytest.mark.parametrize("mode", ["local", *SELDOM_ON_RAY], indirect=True)
def test_a_flood_of_logs_and_progress_stays_bounded(run: Run) -> None:
    """G14: lines may be shed, and then it is said how many; the last progress arrives."""
    reporter = MemoryReporter()

    run(answer_spec("flood"), reporter)

    lines = sum(isinstance(event, Logged) for event in reporter.events)
    shed = sum(event.count for event in reporter.events if isinstance(event, LogsShed))
    assert lines + shed == 100_000
    assert reporter.progress["flood"] == (99_999, 100_000)


@pytest.mark.parametrize("mode", SELDOM_ON_RAY, indirect=True)
def test_forked_processes_of_the_action_do_no_harm(run: Run) -> None:
    """They hold copies of everything."""
    reporter = MemoryReporter()

    assert run(answer_spec("pool"), reporter) == [1, 2]
    assert sum(isinstance(event, RunStarted) for event in reporter.events) == 1


@pytest.mark.parametrize("mode", ELSEWHERE, indirect=True)
def test_settings_and_surroundings_reach_the_worker(mode: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Environment, working directory and module path; a folder of data cannot shadow modules."""
    monkeypatch.setenv("INHERITED", "from here")
    monkeypatch.setenv("OVERRIDE", "lost")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*(path for path in sys.path if path not in {"", str(Path.cwd())}), "/some/place"])
    (tmp_path / "json.py").write_text("1 / 0")
    run = runner(mode, **({"pass_env": ["INHERITED"]} if mode == "ray" else {}))

    assert run(answer_spec("settings", OVERRIDE="wins")) == {
        "override": "wins",
        "inherited": "from here",
        "job": "job-1",
    }
    place = run(answer_spec("place"))
    assert place["folder"] == str(tmp_path)
    assert place["pid"] != os.getpid()
    assert "/some/place" in place["path"]
    assert not {"", str(tmp_path)} & set(place["path"])


@pytest.mark.parametrize("mode", ["local", *SELDOM_ON_RAY], indirect=True)
def test_errors_that_are_not_ours_arrive_as_what_they_are(run: Run) -> None:
    """A built-in one as itself, another as one of the same name."""
    with pytest.raises(StepFailedError, match="No such file") as caught:
        run(answer_spec("missing file"))
    cause: Any = caught.value.__cause__
    assert (type(cause), cause.errno, cause.filename) == (FileNotFoundError, 2, "/no/such/file")

    with pytest.raises(StepFailedError, match="returned non-zero exit status 3") as caught:
        run(answer_spec("failed program"))
    assert type(caught.value.__cause__).__name__ == "CalledProcessError"


@pytest.mark.parametrize("mode", SELDOM_ON_RAY, indirect=True)
def test_what_is_wrong_with_a_spec_is_found_before_anything_runs(run: Run, scene: Path) -> None:
    """Every class of error arrives as itself."""
    with pytest.raises(PluginNotFoundError):
        run(RunSpec(plugin="/no/such/folder", action="x"))
    with pytest.raises(InvalidParamsError) as caught:
        run(RunSpec(plugin=str(PLUGIN), action="steps", params={"folder": 3}))
    assert [problem.partition(":")[0] for problem in caught.value.problems] == ["folder", "mode"]
    with pytest.raises(StepNotFoundError):
        run(RunSpec(plugin=str(PLUGIN), action="steps", params=steps_spec(scene, "x").params, inject_failure="frist"))
    with pytest.raises(ConfigurationError, match="not JSON data"):
        run(RunSpec(plugin=str(PLUGIN), action="steps", params={"folder": scene}))  # type: ignore[dict-item]  # the point
    assert not list(scene.iterdir())


class RaisingReporter(MemoryReporter):
    """Breaks at every second event."""

    def observe(self, event: Event) -> None:
        """Keep the event and break."""
        super().observe(event)
        if type(event) in {StepStarted, StepFinished}:
            msg = "no paper"
            raise RuntimeError(msg)


@pytest.mark.parametrize("mode", ELSEWHERE, indirect=True)
def test_a_reporter_that_raises_does_not_fail_the_run(run: Run, scene: Path, caplog: pytest.LogCaptureFixture) -> None:
    """G16: it is said once, and summed up."""
    reporter = RaisingReporter()

    run(steps_spec(scene, "succeed"), reporter)

    assert reporter.percents == [50, 75, 100]
    assert [record.name for record in caplog.records] == ["synapse_sdk.executors"] * 2
    assert "no paper" in caplog.text
    assert "failed 4 times" in caplog.text


@pytest.mark.parametrize("mode", ELSEWHERE, indirect=True)
def test_it_works_in_any_thread_and_in_several(run: Run) -> None:
    """Where no signals can be handled."""
    results: list[Any] = []
    threads = [threading.Thread(target=lambda: results.append(run(answer_spec("place"))["pid"])) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(results)) == 4


@pytest.mark.parametrize("mode", SELDOM_ON_RAY, indirect=True)
def test_nothing_is_left_behind(mode: str, run: Run, scene: Path) -> None:
    """No descriptor, no thread, no signal handler."""

    def surroundings() -> tuple[object, ...]:
        handlers = [
            signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGTSTP)
        ]
        if mode == "ray":  # which has threads and connections that come and go
            return (handlers,)
        return handlers, sorted(Path("/proc/self/fd").iterdir()), threading.active_count()

    run(steps_spec(scene, "succeed"))
    before = surroundings()
    run(steps_spec(scene, "succeed"))
    for deed in ("fail", "die"):
        with pytest.raises((StepFailedError, WorkerLostError)):
            run(steps_spec(scene, deed))

    assert surroundings() == before

"""What authors of plugins test with."""

import os
from pathlib import Path
from typing import Any

import pytest

from synapse_sdk.errors import InvalidParamsError, StepFailedError
from synapse_sdk.plugins import BaseAction
from synapse_sdk.plugins.steps import BaseStep, BaseStepContext, StepRegistry, StepResult
from synapse_sdk.reporting import MemoryReporter
from synapse_sdk.testing import run_in_memory, snapshot_tree


class Touch(BaseStep[BaseStepContext]):
    """Makes a file."""

    name = "touch"
    progress_weight = 1.0

    def execute(self, context: BaseStepContext) -> StepResult:
        """Make the file that the environment names."""
        path = Path(context.runtime_ctx.env.get_str("FILE", ""))
        context.record_undo(path=str(path))
        path.touch()
        return StepResult()

    def rollback(self, context: BaseStepContext, result: StepResult) -> None:
        """Remove it."""
        for entry in result.rollback_data["undo_log"]:
            Path(entry["path"]).unlink(missing_ok=True)


class TouchAction(BaseAction[dict[str, int]]):
    """Makes a file."""

    def setup_steps(self, registry: StepRegistry[Any]) -> None:
        """Register the step."""
        registry.register(Touch())


def test_an_action_runs_in_memory(tmp_path: Path) -> None:
    """Its result and everything it reported come back."""
    result, reporter = run_in_memory(TouchAction, {"n": 1}, env={"FILE": tmp_path / "made"})

    assert result == {"success": True, "steps_executed": 1, "steps_total": 1}
    assert reporter.percents[-1] == 100
    assert snapshot_tree(tmp_path).keys() == {"made"}


def test_a_failed_run_can_be_looked_at(tmp_path: Path) -> None:
    """With a reporter that the test has made itself."""
    reporter, before = MemoryReporter(), snapshot_tree(tmp_path)

    with pytest.raises(StepFailedError):
        run_in_memory(TouchAction, env={"FILE": tmp_path / "made"}, inject_failure="touch", reporter=reporter)

    assert snapshot_tree(tmp_path) == before
    assert "RollbackStarted" in {type(event).__name__ for event in reporter.events}


def test_parameters_are_checked_as_in_any_run() -> None:
    """A test of a plugin must not pass what a user could not."""
    with pytest.raises(InvalidParamsError):
        run_in_memory(TouchAction, {"n": "many"})


def test_a_snapshot_notices_every_change(tmp_path: Path) -> None:
    """Of content, of kind, of a link's target, and of empty folders; and nothing else."""
    (tmp_path / "file").write_text("1", encoding="utf-8")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("file")
    before = snapshot_tree(tmp_path)

    os.utime(tmp_path / "file", (0, 0))
    assert snapshot_tree(tmp_path) == before
    (tmp_path / "file").write_text("2", encoding="utf-8")
    (tmp_path / "folder").rmdir()
    (tmp_path / "link").unlink()
    (tmp_path / "link").symlink_to("nowhere")
    after = snapshot_tree(tmp_path)

    assert before.keys() - after.keys() == {"folder"}
    assert {name for name in after if after[name] != before[name]} == {"file", "link"}


def test_a_snapshot_reads_no_pipe(tmp_path: Path) -> None:
    """That could take for ever."""
    os.mkfifo(tmp_path / "pipe")

    assert snapshot_tree(tmp_path) == {"pipe": "special"}


def test_a_folder_that_is_not_there_is_empty(tmp_path: Path) -> None:
    """A run that makes its output folder is compared with nothing."""
    assert snapshot_tree(tmp_path / "nowhere") == {}

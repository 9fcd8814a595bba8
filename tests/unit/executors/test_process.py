import sys
from pathlib import Path

import pytest

from synapse_sdk.errors import ExecutorError, WorkerLostError
from synapse_sdk.executors import ProcessExecutor
from tests.unit.executors.driving import steps_spec


def test_a_python_that_cannot_be_started_is_an_error_of_ours(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With a way out."""
    for executable in ("/no/such/python", ""):
        monkeypatch.setattr(sys, "executable", executable)
        with pytest.raises(ExecutorError, match="mode='local'"):
            ProcessExecutor().run(steps_spec(tmp_path, "succeed"), None)


def test_a_worker_that_cannot_even_begin_is_missed(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Its last words are on standard error."""
    with pytest.raises(WorkerLostError, match="exit code 1"):
        ProcessExecutor("no_such_module").run(steps_spec(tmp_path, "succeed"), None)

    assert "No module named no_such_module" in capfd.readouterr().err

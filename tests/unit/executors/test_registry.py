import subprocess
import sys

import pytest

from synapse_sdk.errors import ConfigurationError, InvalidDocumentError, StepFailedError
from synapse_sdk.executors import EXECUTORS, Executor, LocalExecutor, RunSpec, open_executor
from synapse_sdk.reporting import MemoryReporter
from synapse_sdk.reporting.base import Reporter
from synapse_sdk.types import JsonValue
from tests.unit.executors.driving import answer_spec


def test_an_executor_is_opened_by_its_mode() -> None:
    """Those that are built in."""
    assert isinstance(open_executor("local"), LocalExecutor)
    assert all(isinstance(open_executor(mode), Executor) for mode in EXECUTORS.names())


def test_an_unknown_mode_is_answered_with_a_near_one() -> None:
    """And with all there are."""
    with pytest.raises(ConfigurationError, match=r"no executor 'proces'\. Did you mean 'process'\? Use one of: local"):
        open_executor("proces")


def test_the_local_executor_calls_a_function() -> None:
    """With what it was given."""
    spec, reporter = RunSpec(plugin="p", action="a"), MemoryReporter()

    def worker(given: RunSpec, told: Reporter | None) -> JsonValue:
        assert (given, told) == (spec, reporter)
        return 42

    assert LocalExecutor(worker).run(spec, reporter) == 42


def test_the_local_executor_runs_plugins_by_itself() -> None:
    """With the same meaning as in a worker."""
    reporter = MemoryReporter()

    assert LocalExecutor().run(answer_spec("large"), reporter) == "x" * 5_000_000
    with pytest.raises(StepFailedError):
        LocalExecutor().run(answer_spec("missing file"), None)
    assert reporter.percents[-1] == 100


def test_a_spec_travels_as_one_line() -> None:
    """Whole, and without its settings when it is shown."""
    spec = RunSpec(plugin="/p", action="a", params={"text": "a\nb 고양이"}, env={"TOKEN": "hunter2"}, job_id="1")

    assert "\n" not in spec.to_json()
    assert RunSpec.from_json(spec.to_json()) == spec
    assert "hunter2" not in repr(spec)


def test_what_is_not_json_data_is_no_spec() -> None:
    """On either side."""
    for params in ({"x": object()}, {"x": float("nan")}):
        with pytest.raises(ConfigurationError, match="not JSON data"):
            RunSpec(plugin="p", action="a", params=params).to_json()  # type: ignore[arg-type]  # the point
    for line in ("", "[]", "{}", '{"plugin": "p", "action": "a", "more": 1}'):
        with pytest.raises(InvalidDocumentError):
            RunSpec.from_json(line)


def test_executors_are_loaded_on_use() -> None:
    """Naming them costs nothing."""
    code = "import sys, synapse_sdk.executors.registry; print('subprocess' in sys.modules, 'pydantic' in sys.modules)"

    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert printed.split() == ["False", "False"]


def test_an_option_that_an_executor_does_not_have_is_refused() -> None:
    """An address that nobody heeds would be a mistake."""
    for mode in ("local", "process"):
        with pytest.raises(ConfigurationError, match=f"address means nothing to mode='{mode}'"):
            open_executor(mode, address="lab:6379")
    assert isinstance(open_executor("ray", address="lab:6379", num_cpus=2, num_gpus=1, pass_env=["TOKEN"]), Executor)

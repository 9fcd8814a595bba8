import inspect
import pickle
from typing import Any

import pytest

from synapse_sdk import errors
from synapse_sdk.errors import (
    ConfigurationError,
    DuplicateStepError,
    InvalidParamsError,
    StepFailedError,
    StepNotFoundError,
    SynapseError,
    WorkerLostError,
    WorkflowError,
)
from synapse_sdk.plugins.steps import RollbackError, StepResult
from tests.unit.steps.scripted import PlainStep

KINDS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, SynapseError)]


def test_every_error_is_public() -> None:
    """Whoever catches one can import it."""
    assert sorted(kind.__name__ for kind in KINDS) == sorted(errors.__all__)


def test_every_error_has_a_code_of_its_own() -> None:
    """Codes are stable and are matched on."""
    codes = [kind.code for kind in KINDS]

    assert len(set(codes)) == len(codes)
    assert all(code.startswith("SYN-E") and code[5:].isdigit() for code in codes)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_an_error_derived_from_another_keeps_its_family(kind: type[SynapseError]) -> None:
    """The first digits of a code tell the family."""
    families = {ConfigurationError: "SYN-E11", WorkflowError: "SYN-E12", errors.ExecutorError: "SYN-E13"}

    assert [kind.code.startswith(code) for family, code in families.items() if issubclass(kind, family)] in ([True], [])


@pytest.mark.parametrize(
    ("kind", "builtin"),
    [
        (ConfigurationError, ValueError),
        (WorkflowError, RuntimeError),
        (StepFailedError, RuntimeError),
        (DuplicateStepError, ValueError),
        (StepNotFoundError, LookupError),
        (errors.InvalidStepError, TypeError),
        (errors.InvalidWeightError, ValueError),
        (errors.PluginNotFoundError, LookupError),
        (errors.ExecutorError, RuntimeError),
    ],
)
def test_errors_are_also_what_python_would_raise(kind: type[SynapseError], builtin: type[Exception]) -> None:
    """Code that knows nothing of us can catch them."""
    assert issubclass(kind, builtin)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({}, "It broke"),
        ({"why": "no disk"}, "It broke. no disk"),
        ({"fix": "Buy one"}, "It broke. Buy one"),
        ({"why": "no disk.", "fix": "Buy one."}, "It broke. no disk. Buy one"),
        ({"why": "", "fix": None}, "It broke"),
    ],
)
def test_an_error_reads_as_sentences(options: dict[str, Any], text: str) -> None:
    """What happened, why, and the way out."""
    assert str(SynapseError("It broke.", **options)) == text


def test_an_error_keeps_its_parts() -> None:
    """For whoever shows them in another way."""
    error = SynapseError("It broke", why="no disk", fix="Buy one", path="x")

    assert (error.message, error.why, error.fix, error.where) == ("It broke", "no disk", "Buy one", {"path": "x"})


def test_only_what_may_pass_is_transient() -> None:
    """A retry asks for it."""
    transient = {
        errors.BackendUnavailableError,
        errors.ClusterUnavailableError,
        errors.DownloadIntegrityError,
        errors.DownloadUnavailableError,
        errors.JournalBusyError,
        errors.LeaseHeldError,
        errors.StorageIntegrityError,
        errors.StorageUnavailableError,
        WorkerLostError,
    }

    assert {kind for kind in KINDS if kind.transient} == transient


def test_invalid_params_list_every_problem() -> None:
    """One line each."""
    error = InvalidParamsError("2 parameters do not fit", problems=["width: too small", "path: missing"])

    assert error.problems == ("width: too small", "path: missing")
    assert str(error) == "2 parameters do not fit\n  width: too small\n  path: missing"


@pytest.mark.parametrize(
    "error",
    [
        SynapseError("a", why="b", fix="c", path="d"),
        InvalidParamsError("a", problems=["b"], fix="c"),
        StepFailedError("a", step=PlainStep(), result=StepResult(success=False, error="b")),
        WorkerLostError("a"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_travel_between_processes(error: SynapseError) -> None:
    """With all they carry, and as the same kind."""
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301  # our own

    assert type(copy) is type(error)
    assert str(copy) == str(error)
    assert (copy.message, copy.why, copy.fix, copy.where) == (error.message, error.why, error.fix, error.where)
    assert copy.__dict__.keys() == error.__dict__.keys()


def test_a_failed_step_tells_what_could_not_be_undone() -> None:
    """As notes, which every traceback shows."""
    step, result = PlainStep(), StepResult(success=False, error="boom")
    problem = RollbackError("a", OSError("busy"), "Traceback ...")

    error = StepFailedError("Step 'a' failed: boom", step=step, result=result, rollback_errors=[problem])

    assert (error.step, error.result, error.rollback_errors) == (step, result, (problem,))
    assert error.__notes__ == ["Rollback of step 'a' failed: busy"]

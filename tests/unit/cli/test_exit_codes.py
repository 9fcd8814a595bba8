"""Exit codes: frozen, and each class of trouble has its own."""

import errno
import os
from typing import Any

import click
import psycopg
import pytest

from synapse_sdk import errors
from synapse_sdk.cli.errors import (
    ActionFailedError,
    CommandLineError,
    ExitCode,
    InvalidPluginError,
    ParamsDocumentError,
    exit_code,
)
from synapse_sdk.cli.problem import describe
from synapse_sdk.interrupts import HungUp, Terminated
from synapse_sdk.plugins.steps import BaseStep, RollbackError, StepResult

FROZEN = {
    "DONE": 0,
    "RUN_FAILED": 1,
    "USAGE": 2,
    "LOSSES": 3,
    "ROLLBACK_INCOMPLETE": 4,
    "UNREACHABLE": 69,
    "INTERNAL": 70,
    "IO": 74,
    "BUSY": 75,
    "NOT_PERMITTED": 77,
    "CONFIGURATION": 78,
    "HUNG_UP": 129,
    "INTERRUPTED": 130,
    "BROKEN_PIPE": 141,
    "TERMINATED": 143,
}


class Step(BaseStep[Any]):
    """A step that does nothing."""

    name = "step"
    progress_weight = 1.0

    def execute(self, context: object) -> StepResult:
        """Succeed."""
        return StepResult()


def step_failed(cause: BaseException | None = None, *, leaves_something: bool = False) -> errors.StepFailedError:
    """Return the error of a failed run."""
    problem = RollbackError("step", OSError("still there"), "")
    failed = errors.StepFailedError(
        "Step 'step' failed: because",
        step=Step(),
        result=StepResult(success=False),
        rollback_errors=[problem] if leaves_something else [],
    )
    failed.__cause__ = cause
    return failed


def wrapped(error: BaseException, cause: BaseException) -> BaseException:
    """Return an error that was raised from another one."""
    error.__cause__ = cause
    return error


CASES = [
    (step_failed(), 1),
    (step_failed(ValueError("no")), 1),
    (step_failed(FileNotFoundError(errno.ENOENT, "gone")), 1),
    (step_failed(OSError(errno.ENOSPC, "full")), 74),
    (step_failed(wrapped(errors.SynapseError("cannot write"), OSError(errno.EDQUOT, "quota"))), 74),
    (step_failed(errors.JournalFullError("full")), 74),
    (step_failed(errors.BackendError("full")), 74),
    (step_failed(errors.ConflictError("in use")), 1),
    (step_failed(PermissionError(errno.EACCES, "no")), 77),
    (step_failed(errors.StorageDeniedError("wrong password")), 77),
    (step_failed(PermissionError(errno.EACCES, "no"), leaves_something=True), 4),
    (step_failed(leaves_something=True), 4),
    (errors.InvalidResultError("odd"), 1),
    (errors.WorkerLostError("dead"), 1),
    (ActionFailedError("broken"), 1),
    (SystemExit(7), 1),
    (click.UsageError("what?"), 2),
    (CommandLineError("what?"), 2),
    (errors.InvalidParamsError("wrong"), 2),
    (ParamsDocumentError("wrong"), 2),
    (errors.PluginNotFoundError("where?"), 2),
    (errors.ActionNotFoundError("where?"), 2),
    (errors.ConfigurationError("wrong"), 78),
    (errors.ManifestError("wrong"), 78),
    (errors.InvalidDocumentError("bomb"), 78),
    (errors.PluginLoadError("broken"), 78),
    (wrapped(errors.PluginLoadError("broken"), PermissionError(errno.EACCES, "no")), 78),
    (InvalidPluginError("wrong", problems=["all"], fix="mend", folder="."), 78),
    (errors.DuplicateStepError("twice"), 78),
    (errors.StepNotFoundError("where?"), 78),
    (errors.InvalidStepError("none"), 78),
    (errors.InvalidWeightError("2"), 78),
    (errors.RecordNotFoundError("no such collection"), 2),
    (errors.ConflictError("twice"), 2),
    (errors.BackendVersionError("newer"), 78),
    (errors.BackendUnavailableError("locked"), 75),
    (errors.BackendError("damaged"), 74),
    (wrapped(errors.BackendUnavailableError("gone"), psycopg.OperationalError("no answer")), 69),
    (step_failed(wrapped(errors.BackendUnavailableError("gone"), psycopg.OperationalError("no answer"))), 69),
    (step_failed(errors.BackendUnavailableError("locked")), 75),
    (errors.StorageUnavailableError("no answer"), 69),
    (step_failed(errors.StorageUnavailableError("no answer")), 69),
    (step_failed(errors.StorageError("odd")), 1),
    (step_failed(errors.ConflictError("rolled back")), 1),
    (OSError(errno.ENOSPC, "full"), 74),
    (OSError(errno.ENOENT, "gone"), 74),
    (PermissionError(errno.EPERM, "no"), 77),
    (BrokenPipeError(errno.EPIPE, "gone"), 141),
    (KeyboardInterrupt(), 130),
    (click.Abort(), 130),
    (Terminated(), 143),
    (HungUp(), 129),
    (ZeroDivisionError("a bug of ours"), 70),
]


def test_the_table_is_frozen() -> None:
    """Scripts rely on it: a code may be added, none may change."""
    assert {code.name: int(code) for code in ExitCode} == FROZEN


@pytest.mark.parametrize(
    ("error", "code"), CASES, ids=lambda value: value if isinstance(value, int) else repr(value)[:40]
)
def test_every_class_of_trouble_has_its_code(error: BaseException, code: int) -> None:
    """Whoever scripts `synapse` need not read messages, and what is said agrees with the code."""
    problem = describe(error)

    assert exit_code(error) == problem.exit_code == code
    assert problem.message
    assert problem.code.startswith("SYN-E")


def test_a_cause_that_is_its_own_cause_is_looked_at_once() -> None:
    """Whatever a plugin raises, the command ends."""
    error = step_failed(OSError("odd"))
    error.__cause__.__cause__ = error  # type: ignore[union-attr]  # it has a cause, see above

    assert exit_code(error) == 1


@pytest.mark.parametrize(
    ("number", "fix"),
    [
        (errno.ENOSPC, "Free some space, or write somewhere else"),
        (errno.EROFS, "Use another place"),
        (errno.ENOENT, "Name a place that is there"),
    ],
)
def test_space_is_to_be_freed_where_that_helps(number: int, fix: str) -> None:
    """And not on a disk that nobody may write."""
    assert describe(OSError(number, os.strerror(number), "x.csv")).fix == fix

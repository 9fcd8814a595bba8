"""What is said about a run that failed: whose fault it was, where it happened, and what is left behind."""

import re
import traceback
from dataclasses import dataclass, replace
from pathlib import Path
from sysconfig import get_path

import click

import synapse_sdk
from synapse_sdk.cli.errors import ActionFailedError, ExitCode, StoppedError, causes
from synapse_sdk.cli.problem import Problem, describe
from synapse_sdk.cli.witness import Witness
from synapse_sdk.errors import StepFailedError, SynapseError
from synapse_sdk.interrupts import StoppedBySignal
from synapse_sdk.reporting.events import RunStatus

__all__ = ["RunNames", "describe_failed_run"]

OUR_CODE = Path(synapse_sdk.__file__).parent
FRAME = re.compile(r'^  File "(.+)", line (\d+), in (.+)$', re.MULTILINE)
"""A line of a traceback."""
NEXT_IN_CHAIN = "\n\nThe above exception"
"""What parts the traceback of a cause, which comes first, from that of its effect."""
FOREIGN_CODE = tuple(Path(get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "platlib"))


@dataclass(frozen=True, slots=True, kw_only=True)
class RunNames:
    """What a run is called."""

    plugin: str
    action: str
    run_id: str
    is_meant_to_fail: bool = False
    """Whether a failure was injected."""
    root: Path | None = None
    """The folder of the plugin's code; None while it is not known."""


def describe_failed_run(error: BaseException, witness: Witness, names: RunNames) -> Problem:
    """Return what there is to say about a run that ended with an exception."""
    spot = raised_at(error, names.root)
    problem = describe(_as_ours(error, names.action, spot))
    where = {"plugin": names.plugin, "action": names.action, **problem.where}
    if spot is not None:
        where["at"] = spot
    problem = replace(problem, where=where, run_id=names.run_id if witness.has_started else None)
    if problem.code == StoppedError.code:
        problem = _stopped(problem, witness)
    if witness.leftovers:
        return _with_leftovers(problem, witness)
    if witness.status is RunStatus.SUCCEEDED:
        return replace(
            problem, fix="All steps succeeded, and what they did stays; mend what the action does after them"
        )
    if problem.fix is None and witness.status is RunStatus.ROLLED_BACK:
        way_out = (
            "leave out --inject-failure" if names.is_meant_to_fail else "mend the cause and run the same command again"
        )
        return replace(problem, fix=f"Nothing of this run is left; {way_out}")
    return problem


def raised_at(error: BaseException, root: Path | None) -> str | None:
    """Return the last line of the plugin's own code that an exception went through, as `file:line in function`.

    Args:
        error: The exception; for a failed step, what the step raised is looked at.
        root: The folder of the plugin; without it, everything that is neither ours nor installed counts.
    """
    cause = error.__cause__ if isinstance(error, StepFailedError) else error
    if cause is None:
        return None
    frames = [(each.filename, each.lineno, each.name) for each in traceback.extract_tb(cause.__traceback__)]
    frames += FRAME.findall(_remote_traceback(error).partition(NEXT_IN_CHAIN)[0])
    spots = [(Path(file), line, function) for file, line, function in frames if _is_of_plugin(Path(file), root)]
    if not spots:
        return None
    path, line, function = spots[-1]
    shown = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
    return f"{shown}:{line} in {function}"


def _remote_traceback(error: BaseException) -> str:
    """Return the traceback that came with an error from a worker process; empty for one that was raised here."""
    from synapse_sdk.executors.failures import RemoteTraceback  # noqa: PLC0415  # only on the way to an error

    last = list(causes(error))[-1].__context__
    return str(last) if isinstance(last, RemoteTraceback) else ""


def _is_of_plugin(path: Path, root: Path | None) -> bool:
    if root is not None:
        return path.is_relative_to(root)
    return path.is_absolute() and not any(path.is_relative_to(folder) for folder in (OUR_CODE, *FOREIGN_CODE))


def _as_ours(error: BaseException, action: str, spot: str | None) -> BaseException:
    """Return the error as one of ours if the plugin's code raised it outside of a step, where the engine wraps none."""
    is_stop = isinstance(error, (SynapseError, KeyboardInterrupt, StoppedBySignal, click.ClickException))
    is_of_plugin = spot is not None or isinstance(error, SystemExit) or bool(_remote_traceback(error))
    if is_stop or not is_of_plugin:
        return error
    if isinstance(error, SystemExit):
        failed = ActionFailedError(f"Action {action!r} called sys.exit({error.code!r})", fix="Raise an error instead")
    else:
        failed = ActionFailedError(f"Action {action!r} failed: {type(error).__name__}: {error}".removesuffix(": "))
    failed.__cause__ = error
    return failed


def _stopped(problem: Problem, witness: Witness) -> Problem:
    """Say in which step a run was stopped, and what that means."""
    if not witness.has_started:
        return replace(problem, message=f"{problem.message} before anything was started")
    message = f"{problem.message} in step {witness.step!r}" if witness.step is not None else problem.message
    if witness.status is RunStatus.ROLLED_BACK:
        message += "; what the run had done is undone"
    return replace(problem, message=message, fix="Run the same command again")


def _with_leftovers(problem: Problem, witness: Witness) -> Problem:
    return replace(
        problem,
        exit_code=ExitCode.ROLLBACK_INCOMPLETE,
        details=[f"not undone: step {step!r}: {why}" for step, why in witness.leftovers.items()],
        fix="Some of what the run did is left behind: look after what is listed, then run the same command again",
    )

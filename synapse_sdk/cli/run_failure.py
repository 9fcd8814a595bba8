"""What is said about a run that failed: whose fault it was, where it happened, and what is left behind."""

import re
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from sysconfig import get_path
from typing import TYPE_CHECKING

import click

import synapse_sdk
from synapse_sdk.cli.errors import ActionFailedError, ExitCode, StoppedError, causes
from synapse_sdk.cli.problem import Problem, describe
from synapse_sdk.cli.session import Session
from synapse_sdk.cli.witness import Witness
from synapse_sdk.errors import (
    JournalError,
    RunCancelledError,
    RunEndedError,
    StepFailedError,
    SynapseError,
    WorkerLostError,
)
from synapse_sdk.interrupts import StoppedBySignal
from synapse_sdk.plugins import NextStep
from synapse_sdk.reporting.events import RunStatus

if TYPE_CHECKING:
    from synapse_sdk.plugins import RunReport

__all__ = ["RunNames", "describe_failed_run", "raised_at", "recorded"]

NOBODY = Session(())
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
    is_new: bool = True
    """Whether the same command would start it again; not for one that was only resumed or undone."""
    is_watched: bool = False
    """Whether it runs elsewhere, and is only looked at."""
    is_meant_to_fail: bool = False
    """Whether a failure was injected."""
    root: Path | None = None
    """The folder of the plugin's code; None while it is not known."""


def recorded(run_id: str, session: Session) -> "RunReport | None":
    """Return what the journal knows about a run that has just failed; None if it knows nothing, or cannot be asked."""
    from synapse_sdk.plugins import describe_run  # noqa: PLC0415  # only on the way to an error

    try:
        return None if session.journal is None else describe_run(run_id, journal=session.journal)
    except Exception:  # noqa: BLE001  # what the run failed of matters more
        return None


def describe_failed_run(
    error: BaseException,
    witness: Witness,
    names: RunNames,
    report: "RunReport | None" = None,
    session: Session = NOBODY,
) -> Problem:
    """Return what there is to say about a run that ended with an exception.

    Args:
        error: The exception.
        witness: Saw how the run went.
        names: What it is called.
        report: What the journal knows of it now.
        session: Knows how its commands are written.
    """
    spot = raised_at(error, names.root)
    problem = describe(_as_ours(error, names.action, spot))
    plugin = {} if names.plugin.startswith(f"{synapse_sdk.__name__}.") else {"plugin": names.plugin}
    where = {**plugin, "action": names.action, **problem.where}
    if spot is not None:
        where["at"] = spot
    is_known = witness.has_started or report is not None
    more = () if report is None else (session.command("runs", "show", names.run_id),)
    problem = replace(problem, where=where, run_id=names.run_id if is_known else None, more=more)
    if problem.code in {StoppedError.code, RunCancelledError.code}:
        problem = _unwatched(problem, names, session) if names.is_watched else _stopped(problem, witness, names)
    leftovers = _leftovers(witness, report)
    if leftovers:
        return _with_leftovers(problem, leftovers, report, session)
    if report is not None and not report.record.has_ended:
        return _unfinished(problem, error, report, session)
    if witness.status is RunStatus.SUCCEEDED:
        return replace(
            problem, fix="All steps succeeded, and what they did stays; mend what the action does after them"
        )
    if isinstance(error, RunEndedError) and witness.status is not None:  # it was resumed, and could only be undone
        return replace(problem, exit_code=ExitCode.RUN_FAILED)
    if problem.fix is None and witness.status is RunStatus.ROLLED_BACK:
        return replace(problem, fix=f"Nothing of this run is left; {_way_out(names)}")
    return problem


def _way_out(names: RunNames) -> str:
    if not names.is_new:
        return "mend the cause and start a new run"
    return "leave out --inject-failure" if names.is_meant_to_fail else "mend the cause and run the same command again"


def _leftovers(witness: Witness, report: "RunReport | None") -> Mapping[str, str]:
    """Return the steps that are not undone although they should be; a worker that died may not have told of them."""
    if report is None:
        return witness.leftovers
    return {} if report.is_alive or report.record.has_ended else report.leftovers


def _unfinished(problem: Problem, error: BaseException, report: "RunReport", session: Session) -> Problem:
    """Say how to go on with a run that was left by its worker before its end."""
    resume, roll_back = (session.command("runs", verb, report.id) for verb in ("resume", "rollback"))
    if NextStep.RESUME not in report.next_steps:
        return problem
    if isinstance(error, WorkerLostError):
        why = "what it had done is recorded, and not undone"
        return replace(problem, why=why, fix=f"Go on with it ({resume}), or undo it ({roll_back}). {problem.fix or ''}")
    if isinstance(error, JournalError) and problem.exit_code is ExitCode.IO:
        return replace(problem, fix=f"{problem.fix or 'Mend the journal'}; then go on: {resume}")
    return problem


def raised_at(error: BaseException, root: Path | None) -> str | None:
    """Return the last line of the plugin's own code that an exception went through, as `file:line in function`.

    Args:
        error: The exception; for a failed step, what the step raised is looked at.
        root: The folder of the plugin; without it, everything that is neither ours nor installed counts.
            Where a built-in action raised something is of no use to anybody who has not written it.
    """
    if root is not None and root.is_relative_to(OUR_CODE):
        return None
    cause: BaseException | None = error
    while isinstance(cause, StepFailedError):  # an action of a pipeline is a step with steps
        cause = cause.__cause__
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


def _stopped(problem: Problem, witness: Witness, names: RunNames) -> Problem:
    """Say in which step a run was stopped, and what that means."""
    if not witness.has_started and problem.code == StoppedError.code:
        return replace(problem, message=f"{problem.message} before anything was started")
    is_signal = witness.step is not None and problem.code == StoppedError.code
    message = f"{problem.message} in step {witness.step!r}" if is_signal else problem.message
    if witness.status is RunStatus.ROLLED_BACK:
        message += "; what the run had done is undone"
    return replace(problem, message=message, fix="Run the same command again" if names.is_new else "Start a new run")


def _unwatched(problem: Problem, names: RunNames, session: Session) -> Problem:
    if problem.code != StoppedError.code:
        return problem
    fix = f"Watch it again: {session.command('runs', 'watch', names.run_id)}"
    return replace(problem, message=f"{problem.message}; only the watching: the run goes on", fix=fix)


def _with_leftovers(
    problem: Problem, leftovers: Mapping[str, str], report: "RunReport | None", session: Session
) -> Problem:
    then = "run the same command again"
    if report is not None:
        then = f"finish undoing it: {session.command('runs', 'rollback', report.id)}"
    return replace(
        problem,
        exit_code=ExitCode.ROLLBACK_INCOMPLETE,
        details=[f"not undone: step {step!r}: {why}" for step, why in leftovers.items()],
        fix=f"Some of what the run did is left behind: look after what is listed, then {then}",
    )

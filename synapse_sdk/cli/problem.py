"""From an exception to what is said about it: the same content for people and for programs."""

import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import click

from synapse_sdk.cli.errors import (
    ActionFailedError,
    CommandLineError,
    ExitCode,
    InputOutputError,
    InternalError,
    InvalidPluginError,
    StoppedError,
    exit_code,
)
from synapse_sdk.errors import InvalidParamsError, PluginLoadError, RunNotFoundError, StepFailedError, SynapseError
from synapse_sdk.folders import NO_ROOM
from synapse_sdk.interrupts import StoppedBySignal

__all__ = ["Problem", "describe"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What went wrong, in the parts that every error of `synapse` has."""

    code: str
    """Stable; `synapse explain CODE` says more."""
    message: str
    """What happened."""
    exit_code: ExitCode
    where: Mapping[str, Any] = field(default_factory=dict)
    """Names of the things involved, such as plugin, step and file."""
    why: str | None = None
    fix: str | None = None
    """The way out."""
    run_id: str | None = None
    details: Sequence[str] = ()
    """What does not fit in one line: every wrong parameter, everything left behind."""
    more: Sequence[str] = ()
    """Commands that tell more, such as what happened in the run."""
    has_traceback: bool = False
    """Whether `--debug` would show something."""

    def as_json(self) -> dict[str, Any]:
        """Return the error as programs get it."""
        return {
            "code": self.code,
            "message": self.message,
            "where": {name: value if isinstance(value, int) else str(value) for name, value in self.where.items()},
            "why": self.why,
            "fix": self.fix,
            "run_id": self.run_id,
            "details": list(self.details),
        }


def describe(error: BaseException) -> Problem:
    """Return what there is to say about what ended a command."""
    code = exit_code(error)
    if isinstance(error, click.ClickException):
        return _usage(error, code)
    if isinstance(error, StepFailedError):
        return _step_failed(error, code)
    if isinstance(error, SynapseError):
        return Problem(
            code=error.code,
            message=error.message,
            exit_code=code,
            where={name: value for name, value in error.where.items() if name != "run"},
            why=error.why,
            fix=error.fix,
            run_id=None if isinstance(error, RunNotFoundError) else _text_or_none(error.where.get("run")),
            details=error.problems if isinstance(error, (InvalidParamsError, InvalidPluginError)) else (),
            has_traceback=isinstance(error, (ActionFailedError, PluginLoadError)),
        )
    if isinstance(error, (KeyboardInterrupt, click.Abort, StoppedBySignal)):
        return Problem(code=StoppedError.code, message=f"Stopped by {_signal(error)}", exit_code=code)
    if isinstance(error, OSError):
        return _refused(error, code)
    return Problem(
        code=InternalError.code,
        message=f"This is a bug of synapse: {type(error).__name__}: {error}",
        exit_code=code,
        has_traceback=True,
    )


def _text_or_none(value: object) -> str | None:
    return None if value is None else str(value)


def _usage(error: click.ClickException, code: ExitCode) -> Problem:
    ctx = error.ctx if isinstance(error, click.UsageError) else None
    path = "synapse" if ctx is None else ctx.command_path
    fix = f"See how it is written: {path} --help"
    if isinstance(error, click.MissingParameter) and error.param is not None and error.param.name == "action":
        plugin = next((ctx.params[name] for name in ("plugin", "reference") if ctx and name in ctx.params), "PLUGIN")
        fix = f"See which there are: synapse plugin show {shlex.quote(plugin)}"
    return Problem(
        code=CommandLineError.code,
        message=_mistyped(error) if isinstance(error, click.NoSuchOption) else error.format_message(),
        exit_code=code,
        fix=fix,
    )


def _mistyped(error: click.NoSuchOption) -> str:
    from difflib import get_close_matches  # noqa: PLC0415  # only on the way to an error

    near = get_close_matches(error.option_name, error.possibilities or (), 1)
    return f"{error.message} Did you mean {near[0]!r}?" if near else error.message


def _step_failed(error: StepFailedError, code: ExitCode) -> Problem:
    """Describe a failed step, in the words of the error that the step raised, if that is one of ours."""
    cause = error.__cause__
    where: dict[str, Any] = {"step": error.step.name}
    message, why, fix = error.message, None, None
    if isinstance(cause, SynapseError):
        message = f"Step {error.step.name!r} failed: {cause.message}"
        where, why, fix = where | cause.where, cause.why, cause.fix
    elif cause is not None and str(cause) and type(cause).__name__ not in message:
        why = f"It raised {type(cause).__name__}"
    details = [f"Step {problem.step!r} could not be undone: {problem.text}" for problem in error.rollback_errors]
    if details:
        fix = "Some of what the run did is left behind: remove by hand what is listed"
    return Problem(
        code=error.code,
        message=message,
        exit_code=code,
        where=where,
        why=why,
        fix=fix,
        details=details,
        has_traceback=cause is not None,
    )


def _refused(error: OSError, code: ExitCode) -> Problem:
    fix = {
        ExitCode.IO: "Free some space, or write somewhere else" if error.errno in NO_ROOM else "Use another place",
        ExitCode.NOT_PERMITTED: "Ask for the permission, or use another place",
    }.get(code)
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        fix = "Name a place that is there"
    return Problem(
        code=InputOutputError.code,
        message="Cannot read or write" + (f" {os.fspath(error.filename)!r}" if error.filename is not None else ""),
        exit_code=code,
        why=error.strerror or str(error) or type(error).__name__,
        fix=fix,
    )


def _signal(error: BaseException) -> str:
    return error.number.name if isinstance(error, StoppedBySignal) else "Ctrl-C"

"""The last stop of everything that goes wrong: said once, to the right stream, in the right form."""

import os
import sys
import traceback
from dataclasses import replace

from synapse_sdk.cli.errors import ExitCode
from synapse_sdk.cli.problem import Problem, describe
from synapse_sdk.cli.rendering import error_line, problem_text, terminal_width, uses_color, write
from synapse_sdk.cli.session import Session

__all__ = ["report_failure", "report_problem", "say_traceback", "silence_stdout", "with_crash_file"]


def report_failure(error: BaseException, session: Session) -> int:
    """Say what ended a command and return its exit code."""
    problem = describe(error)
    if problem.exit_code is ExitCode.INTERNAL:
        problem = with_crash_file(problem, error, session)
    return report_problem(problem, error, session)


def report_problem(problem: Problem, error: BaseException, session: Session) -> int:
    """Say what went wrong and return the exit code.

    People read it on standard error. With `--json` it is one line of type `result` on standard output instead.
    """
    if problem.exit_code is ExitCode.BROKEN_PIPE:
        silence_stdout()
        return problem.exit_code
    try:
        if not session.wants_json or not _told_program(problem):
            say(problem, session)
        say_traceback(error, session)
    except OSError:  # there is nobody left to tell
        silence_stdout()
    return problem.exit_code


def _told_program(problem: Problem) -> bool:
    """Write the error as a line of JSON; False if standard output is what is broken."""
    try:
        write(sys.stdout, error_line(problem))
    except OSError:
        silence_stdout()
        return False
    return True


def say(problem: Problem, session: Session) -> None:
    """Tell a person on standard error."""
    sys.stdout.flush()  # what was printed before belongs before it
    write(
        sys.stderr, problem_text(problem, color=uses_color(sys.stderr, session.color), width=terminal_width(sys.stderr))
    )


def say_traceback(error: BaseException, session: Session) -> None:
    """Show the traceback on standard error, if it was asked for."""
    if session.wants_traceback:
        write(sys.stderr, "".join(traceback.format_exception(error)).rstrip("\n"))


def with_crash_file(problem: Problem, error: BaseException, session: Session) -> Problem:
    """Write a crash file for a bug of ours and say in the problem where it is."""
    from synapse_sdk.cli.crash import write_crash_file  # noqa: PLC0415  # not on the way to ordinary errors

    path = write_crash_file(error, session.args)
    if path is None:
        return replace(problem, fix="Please report it with what --debug shows")
    fix = "Please report it with the crash file, which holds no values of your environment"
    return replace(problem, fix=fix, where={**problem.where, "crash file": path})


def silence_stdout() -> None:
    """Send what is still buffered for standard output nowhere, so that the interpreter can end without complaint."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
    except (OSError, ValueError):  # a stream without a descriptor, such as a test's, has nothing to silence
        pass

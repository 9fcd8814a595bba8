"""Running something for a command: reporter, signals, result and exit code."""

import sys
from typing import TYPE_CHECKING, Any, cast

from synapse_sdk.cli.errors import ExitCode
from synapse_sdk.cli.failure import report_problem, say_traceback, silence_stdout, with_crash_file
from synapse_sdk.cli.output import prints_to_stderr
from synapse_sdk.cli.problem import Problem
from synapse_sdk.cli.rendering import clean, key_values, write
from synapse_sdk.cli.run_failure import RunNames, describe_failed_run, recorded
from synapse_sdk.cli.run_tasks import Task
from synapse_sdk.cli.session import Session
from synapse_sdk.cli.witness import Witness
from synapse_sdk.clock import SYSTEM_CLOCK
from synapse_sdk.interrupts import stop_on_signals
from synapse_sdk.reporting.events import RunStatus
from synapse_sdk.reporting.json import SCHEMA_VERSION
from synapse_sdk.reporting.jsonable import json_line
from synapse_sdk.reporting.open import ColorChoice, ReporterKind, open_reporter

if TYPE_CHECKING:
    from synapse_sdk.reporting.background import BackgroundReporter

__all__ = ["execute"]


def execute(task: Task, session: Session, *, is_last: bool = True) -> int:
    """Do something about a run, show how it goes and what comes out, and return the exit code.

    Args:
        task: What is to be done.
        session: The call of `synapse`.
        is_last: Whether the command ends with it; if something follows, its result is not shown, only its failure.
    """
    settings = session.settings
    # Opened first: a reporter of JSON lines keeps standard output for itself, whatever happens to it later.
    kind, color = cast("ReporterKind", settings.progress), cast("ColorChoice", settings.color)
    reporter = open_reporter(kind, color=color)
    run = Run(task, session, Witness(reporter, session.observer))
    try:
        with stop_on_signals(over_others=True), prints_to_stderr():
            result = task.do(session, run.witness)
    except BaseException as error:  # noqa: BLE001  # whatever ends a run becomes a message and an exit code
        return _conclude_failure(error, run, reporter)
    if not is_last:
        reporter.close()
        return ExitCode.DONE
    return _conclude_success(result, run, reporter)


class Run:
    """One run, or what is done about it, on its way to a result."""

    def __init__(self, task: Task, session: Session, witness: Witness) -> None:
        self.session = session
        self.witness = witness
        self._task = task

    @property
    def names(self) -> RunNames:
        """What the run is called, as far as is known."""
        return self._task.names

    def status_after(self, result: object) -> str:
        """Return where the run stands after what was done about it has succeeded."""
        return self._task.status_after(result)

    def final_line(
        self, status: str, code: int, *, result: object = None, problem: Problem | None = None
    ) -> dict[str, Any]:
        """Return what the last line of `--json` says."""
        is_first = self.session.settings.progress != "json"  # else the events have said it
        return {
            "type": "result",
            **({"schema_version": SCHEMA_VERSION} if is_first else {}),
            "at": SYSTEM_CLOCK.now().isoformat(),
            "status": status,
            "exit_code": int(code),
            "run_id": self.names.run_id,
            "plugin": self.names.plugin,
            "action": self.names.action,
            "result": result,
            "error": None if problem is None else problem.as_json(),
        }


def _conclude_success(result: object, run: Run, reporter: "BackgroundReporter") -> int:
    data = _as_data(result)
    # A result with losses says so: the run has succeeded, but not with everything.
    code = ExitCode.LOSSES if getattr(result, "losses", 0) else ExitCode.DONE
    if run.session.wants_json:
        line = run.final_line(run.status_after(result), code, result=data)
        return _deliver(line, reporter, code)
    reporter.close()
    if data is not None:
        write(sys.stdout, _for_people(result, data))
    return code


def _conclude_failure(error: BaseException, run: Run, reporter: "BackgroundReporter") -> int:
    problem = describe_failed_run(error, run.witness, run.names, recorded(run.names.run_id, run.session), run.session)
    if problem.exit_code is ExitCode.INTERNAL:
        problem = with_crash_file(problem, error, run.session)
    if not run.session.wants_json:
        reporter.close()
        return report_problem(problem, error, run.session)
    stopped = problem.exit_code in {ExitCode.INTERRUPTED, ExitCode.TERMINATED, ExitCode.HUNG_UP}
    status = run.witness.status
    if status in {None, RunStatus.SUCCEEDED}:  # it never started, or it was its result that was refused
        status = RunStatus.CANCELLED if stopped else RunStatus.FAILED
    line = run.final_line(str(status), problem.exit_code, problem=problem)
    code = _deliver(line, reporter, problem.exit_code)
    say_traceback(error, run.session)
    return code


def _deliver(line: dict[str, Any], reporter: "BackgroundReporter", code: int) -> int:
    """Write the last line of `--json` and return the exit code.

    Raises:
        OSError: It cannot be written; not raised if the exit code has worse to say.
    """
    reporter.close()
    try:
        # Not through the reporter, whose failures never fail a run: without its result a program knows nothing.
        write(sys.stdout, json_line(line).rstrip())
    except OSError:
        if code in {ExitCode.DONE, ExitCode.LOSSES}:
            raise
        silence_stdout()
    return code


def _for_people(result: object, data: Any) -> str:  # noqa: ANN401  # JSON data
    """Return a result as text: in the words of its own `summary_lines()`, if it has some."""
    if isinstance(data, str):
        return data
    summary = getattr(result, "summary_lines", None)
    return "\n".join(map(clean, summary())) if callable(summary) else key_values(data)


def _as_data(result: object) -> Any:  # noqa: ANN401  # JSON data
    """Return a result as JSON data; what JSON cannot hold becomes text, because the run is already done."""
    from pydantic_core import to_jsonable_python  # noqa: PLC0415  # loaded with the parameters by now

    try:
        return to_jsonable_python(result, fallback=str, inf_nan_mode="strings")
    except Exception:  # noqa: BLE001  # whatever an object of a plugin does when it is looked at
        return repr(result)

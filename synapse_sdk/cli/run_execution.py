"""Executing a run for `synapse run`: reporter, signals, result and exit code."""

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from synapse_sdk.cli.errors import CommandLineError, ExitCode
from synapse_sdk.cli.failure import report_problem, say_traceback, silence_stdout, with_crash_file
from synapse_sdk.cli.output import prints_to_stderr
from synapse_sdk.cli.params import check_params
from synapse_sdk.cli.problem import Problem
from synapse_sdk.cli.rendering import key_values, write
from synapse_sdk.cli.run_failure import RunNames, describe_failed_run, raised_at
from synapse_sdk.cli.session import Session
from synapse_sdk.cli.witness import Witness
from synapse_sdk.clock import SYSTEM_CLOCK
from synapse_sdk.errors import StepNotFoundError
from synapse_sdk.interrupts import stop_on_signals
from synapse_sdk.plugins import run_plugin
from synapse_sdk.plugins.discovery import find_plugin
from synapse_sdk.plugins.runner import new_job_id
from synapse_sdk.reporting.events import RunStatus
from synapse_sdk.reporting.json import SCHEMA_VERSION
from synapse_sdk.reporting.jsonable import json_line
from synapse_sdk.reporting.open import ColorChoice, ReporterKind, open_reporter

if TYPE_CHECKING:
    from synapse_sdk.cli.run_request import Request
    from synapse_sdk.reporting.background import BackgroundReporter

__all__ = ["execute"]


def execute(request: "Request", session: Session) -> int:
    """Run what was asked for, show how it goes and what comes out, and return the exit code."""
    settings = session.settings
    # Opened first: a reporter of JSON lines keeps standard output for itself, whatever happens to it later.
    kind, color = cast("ReporterKind", settings.progress), cast("ColorChoice", settings.color)
    reporter = open_reporter(kind, color=color)
    witness = Witness(reporter, session.observer)
    run = Run(request, session, witness)
    try:
        with stop_on_signals(over_others=True), prints_to_stderr():
            result = run.execute()
    except BaseException as error:  # noqa: BLE001  # whatever ends a run becomes a message and an exit code
        return _conclude_failure(error, run, reporter)
    return _conclude_success(result, run, reporter)


class Run:
    """One run on its way from a request to a result."""

    def __init__(self, request: "Request", session: Session, witness: Witness) -> None:
        self.session = session
        self.witness = witness
        self.names = RunNames(
            plugin=request.plugin,
            action=request.action,
            run_id=new_job_id(),
            is_meant_to_fail=request.inject_failure is not None,
        )
        self._request = request

    def execute(self) -> Any:  # noqa: ANN401  # an instance of the action's result model
        """Find, check and run the action; raises as `run_plugin` does."""
        request = self._request
        env = request.env
        plugin = find_plugin(request.plugin)
        self.names = replace(self.names, root=plugin.root)
        check_params(plugin.action_class(request.action), request.params, request.plugin)
        try:
            return run_plugin(
                request.plugin,
                request.action,
                request.params,
                mode=self.session.settings.mode,
                reporter=self.witness,
                env=env,
                job_id=self.names.run_id,
                inject_failure=request.inject_failure,
            )
        except StepNotFoundError as error:
            if request.inject_failure is None or raised_at(error, plugin.root) is not None:
                raise  # the plugin's own mistake
            msg = f"Cannot inject a failure: {error.message[:1].lower()}{error.message[1:]}"
            raise CommandLineError(msg, why=error.why, fix=error.fix) from error

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
    if run.session.wants_json:
        line = run.final_line(RunStatus.SUCCEEDED, ExitCode.DONE, result=data)
        return _deliver(line, reporter, ExitCode.DONE)
    reporter.close()
    if data is not None:
        write(sys.stdout, data if isinstance(data, str) else key_values(data))
    return ExitCode.DONE


def _conclude_failure(error: BaseException, run: Run, reporter: "BackgroundReporter") -> int:
    problem = describe_failed_run(error, run.witness, run.names)
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
        if code == ExitCode.DONE:
            raise
        silence_stdout()
    return code


def _as_data(result: object) -> Any:  # noqa: ANN401  # JSON data
    """Return a result as JSON data; what JSON cannot hold becomes text, because the run is already done."""
    from pydantic_core import to_jsonable_python  # noqa: PLC0415  # loaded with the parameters by now

    try:
        return to_jsonable_python(result, fallback=str, inf_nan_mode="strings")
    except Exception:  # noqa: BLE001  # whatever an object of a plugin does when it is looked at
        return repr(result)

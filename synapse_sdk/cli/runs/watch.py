"""`synapse runs watch`: a run that happens in another process, shown as if it happened here."""

from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from synapse_sdk.cli.commands import SynapseCommand
from synapse_sdk.cli.runs.options import FOLLOWING, JOURNAL, RUN, note_display, place
from synapse_sdk.cli.session import Session

if TYPE_CHECKING:
    from synapse_sdk.plugins import RunReport
    from synapse_sdk.reporting import Reporter

__all__ = ["watch"]


@click.command("watch", cls=SynapseCommand, examples=("synapse run greeter greet", "synapse runs watch last"))
@RUN
@FOLLOWING
@JOURNAL
@click.pass_obj
def watch(session: Session, /, *, name: str, as_json: bool, progress: str | None) -> int:
    """Follow RUN until it ends, as if it ran here; result and exit code are its own.

    Ctrl-C ends the watching and not the run. If its worker dies, this ends with 75.
    """
    from synapse_sdk.cli.run_execution import execute  # noqa: PLC0415  # help follows nothing
    from synapse_sdk.plugins import describe_run  # noqa: PLC0415

    note_display(session, progress, as_json=as_json)
    return execute(WatchRun(describe_run(name, journal=place(session))), session)


class WatchRun:
    """Watch a run."""

    def __init__(self, report: "RunReport") -> None:
        from synapse_sdk.cli.run_failure import RunNames  # noqa: PLC0415  # as above

        source = report.record.source
        self.names = RunNames(
            plugin=source.plugin, action=source.action, run_id=report.id, is_new=False, is_watched=True
        )

    def do(self, session: Session, reporter: "Reporter") -> Any:  # noqa: ANN401  # JSON data
        """Tell the reporter what happens until the run ends, and return its result.

        Raises:
            RunInterruptedError: Its worker has died.
            RunFailedError, RunCancelledError, RollbackIncompleteError: How it ended.
        """
        from synapse_sdk.plugins import describe_run, follow_run  # noqa: PLC0415  # as above
        from synapse_sdk.reporting.events import ProgressReported, RunStarted  # noqa: PLC0415

        where, run_id, begin = place(session), self.names.run_id, 0
        for number, event in enumerate(follow_run(run_id, journal=where, waits=False)):
            if isinstance(event, RunStarted) and event.within is None:
                begin = number  # what earlier workers did is named there
        for event in islice(follow_run(run_id, journal=where), begin, None):
            if isinstance(event, ProgressReported):
                reporter.set_progress(event.current, event.total, event.category)
            else:
                reporter.observe(event)
        return _result(describe_run(run_id, journal=where), session)

    def status_after(self, _result: object, /) -> str:
        """Return that it succeeded."""
        return "succeeded"


def _result(report: "RunReport", session: Session) -> Any:  # noqa: ANN401  # JSON data
    from synapse_sdk.cli.errors import RollbackIncompleteError, RunFailedError  # noqa: PLC0415  # as above
    from synapse_sdk.errors import RunCancelledError  # noqa: PLC0415
    from synapse_sdk.reporting.events import RunStatus  # noqa: PLC0415

    if not report.record.has_ended:
        if report.status is RunStatus.ROLLBACK_INCOMPLETE:
            msg = f"The rollback of run {report.id} is incomplete"
            raise RollbackIncompleteError(msg, why=report.reason)
        raise interrupted(report, session)
    if report.status is RunStatus.SUCCEEDED:
        return report.result
    if report.record.cancellation is not None:
        msg = f"Run {report.id} was cancelled by {report.record.cancellation.by}"
        raise RunCancelledError(msg)
    raise RunFailedError(report.error or report.reason or f"Run {report.id} failed")


def interrupted(report: "RunReport", session: Session) -> Exception:
    """Return the error that says that the worker of a run has died, and how to go on."""
    from synapse_sdk.cli.errors import RunInterruptedError  # noqa: PLC0415  # as above
    from synapse_sdk.cli.runs.wording import status_text  # noqa: PLC0415

    resume, roll_back = (session.command("runs", verb, report.id) for verb in ("resume", "rollback"))
    fix = (
        f"Go on with it ({resume}), or undo it ({roll_back})"
        if "resume" in report.next_steps
        else f"Undo it: {roll_back}"
    )
    return RunInterruptedError(f"Run {report.id} is {status_text(report)}", fix=fix)

"""`synapse runs cancel`: have a run stopped and undone, wherever it runs."""

import sys
import time
from typing import TYPE_CHECKING, Any

import click

from synapse_sdk.cli.commands import SynapseCommand
from synapse_sdk.cli.runs.options import FOLLOWING, JOURNAL, RUN, additions, note_display, place
from synapse_sdk.cli.session import Session

if TYPE_CHECKING:
    from synapse_sdk.plugins import RunReport

__all__ = ["cancel"]

PATIENCE = 60.0
LOOK_EVERY = 0.1
SAY_EVERY = 5.0


@click.command("cancel", cls=SynapseCommand, examples=("synapse runs cancel 7f3a",))
@RUN
@click.option("--wait/--no-wait", default=True, help="Wait until it is undone (the default), or only ask.")
@click.option(
    "--timeout", type=click.FloatRange(min=0), default=PATIENCE, show_default=True, help="Seconds to wait at most."
)
@additions
@FOLLOWING
@JOURNAL
@click.pass_obj
def cancel(
    session: Session,
    /,
    *,
    name: str,
    wait: bool,
    timeout: float,
    as_json: bool,
    progress: str | None,
    **options: Any,  # noqa: ANN401  # those of `additions`
) -> int:
    """Stop RUN and undo what it has done. Its worker does so; if that is dead, it is done here.

    The other options are for the case that it is done here: see synapse runs rollback.
    """
    from synapse_sdk.cli.run_execution import execute  # noqa: PLC0415  # help executes nothing
    from synapse_sdk.cli.run_tasks import RollBackRun  # noqa: PLC0415
    from synapse_sdk.cli.runs.resume import given  # noqa: PLC0415
    from synapse_sdk.plugins import cancel_run, describe_run, find_run  # noqa: PLC0415

    note_display(session, progress, as_json=as_json)
    where, added = place(session), given(**options)
    run_id = find_run(name, journal=where).id
    cancel_run(run_id, journal=where)
    report = describe_run(run_id, journal=where)
    if not wait:
        return _say_asked(report, session)
    report = _wait(report, session, timeout)
    if not report.record.has_ended:
        write_note(session, f"No worker is at work on run {report.id}: undoing it here.")
        return execute(RollBackRun(report.record, added), session)
    return _say_ended(report, session)


def _wait(report: "RunReport", session: Session, timeout: float) -> "RunReport":
    """Wait until a run has ended or has no living worker, and say what is waited for.

    Raises:
        StillRunningError: It still runs after so many seconds.
    """
    from synapse_sdk.cli.errors import StillRunningError  # noqa: PLC0415  # as above
    from synapse_sdk.plugins import describe_run, find_run  # noqa: PLC0415
    from synapse_sdk.plugins.run_facts import is_interrupted  # noqa: PLC0415

    where, began, said = place(session), time.monotonic(), 0
    run = report.record
    while run.is_owned and not run.has_ended and not is_interrupted(run):
        waited = time.monotonic() - began
        if waited >= said * SAY_EVERY:
            said += 1
            doing = str(describe_run(run.id, journal=where).status).replace("_", " ")
            since = f" ({waited:.0f} s)" if waited >= 1 else ""
            write_note(session, f"Waiting for {run.owner} to undo run {run.id}; it is {doing}{since}")
        if waited >= timeout:
            msg = f"Run {run.id} was asked to stop and still runs after {timeout:g} s"
            fix = f"Watch it: {session.command('runs', 'watch', run.id)}"
            raise StillRunningError(msg, why=f"{run.owner} has not undone it yet", fix=fix, run=run.id)
        time.sleep(LOOK_EVERY)
        run = find_run(run.id, journal=where)
    return describe_run(run.id, journal=where)


def _say_asked(report: "RunReport", session: Session) -> int:
    said = f"Run {report.id} was asked to stop"
    if not report.is_alive and not report.record.has_ended:
        said += f"; no worker is at work on it: {session.command('runs', 'rollback', report.id)}"
    _answer(report, session, said)
    return 0


def _say_ended(report: "RunReport", session: Session) -> int:
    from synapse_sdk.reporting.events import RunStatus  # noqa: PLC0415  # as above

    if report.status is RunStatus.SUCCEEDED:
        _answer(report, session, f"Run {report.id} had succeeded before it could be stopped; what it did stays")
        return 1
    undone = {
        RunStatus.ROLLED_BACK: "was stopped, and what it had done is undone",
        RunStatus.CANCELLED: "was stopped; there was nothing to undo",
    }.get(report.status, f"has ended: {report.status}")
    _answer(report, session, f"Run {report.id} {undone}")
    return 0


def _answer(report: "RunReport", session: Session, said: str) -> None:
    from synapse_sdk.cli.rendering import echo_json, write  # noqa: PLC0415  # as above

    if session.wants_json:
        echo_json({"run": report.id, "status": str(report.status), "message": said})
    else:
        write(sys.stdout, f"{said}.")


def write_note(session: Session, text: str) -> None:
    """Tell people what goes on."""
    from synapse_sdk.cli.rendering import clean, write  # noqa: PLC0415  # as above

    if session.settings.progress != "none":
        write(sys.stderr, clean(text))

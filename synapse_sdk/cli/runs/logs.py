"""`synapse runs logs`: what a run has said."""

import sys
from typing import TYPE_CHECKING

import click

from synapse_sdk.cli.commands import SynapseCommand
from synapse_sdk.cli.runs.options import JOURNAL, RUN, place
from synapse_sdk.cli.session import Session

if TYPE_CHECKING:
    from synapse_sdk.reporting.events import Logged

__all__ = ["logs"]

LEVELS = ("debug", "info", "success", "warning", "error", "critical")


@click.command("logs", cls=SynapseCommand, examples=("synapse runs logs last", "synapse runs logs last --level error"))
@RUN
@click.option("--level", type=click.Choice(LEVELS), default="info", show_default=True, help="The least that is shown.")
@click.option("--follow", is_flag=True, help="Go on until the run ends; with 75 if its worker dies.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: one log line a line.")
@JOURNAL
@click.pass_obj
def logs(session: Session, /, *, name: str, level: str, follow: bool, as_json: bool) -> None:
    """Print what RUN has logged, oldest first, with local times."""
    from synapse_sdk.cli.runs.watch import interrupted  # noqa: PLC0415  # help needs none of these
    from synapse_sdk.plugins import describe_run, follow_run  # noqa: PLC0415
    from synapse_sdk.reporting.events import Logged, LogLevel, LogsShed  # noqa: PLC0415
    from synapse_sdk.reporting.wording import is_shown  # noqa: PLC0415

    session.wants_json = as_json
    where = place(session)
    run_id = describe_run(name, journal=where).id
    for event in follow_run(run_id, journal=where, waits=follow):
        if isinstance(event, LogsShed):
            note = Logged("logs_shed", {"count": event.count}, LogLevel.WARNING, occurred_at=event.occurred_at)
            _write(note, as_json=as_json)
        elif isinstance(event, Logged) and is_shown(event.level, LogLevel(level)):
            _write(event, as_json=as_json)
    if follow and (report := describe_run(run_id, journal=where)).is_interrupted:
        raise interrupted(report, session)


def _write(line: "Logged", *, as_json: bool) -> None:
    from synapse_sdk.cli.rendering import write  # noqa: PLC0415  # as above
    from synapse_sdk.reporting.json import logged  # noqa: PLC0415
    from synapse_sdk.reporting.jsonable import json_line  # noqa: PLC0415
    from synapse_sdk.reporting.text import log_lines  # noqa: PLC0415

    if as_json:
        record = {"type": "log", "at": line.occurred_at.isoformat(), **logged(line)}
        write(sys.stdout, json_line(record).rstrip("\n"))
        return
    for number, text in enumerate(log_lines(line)):
        at = f"{line.occurred_at.astimezone():%H:%M:%S}" if not number else ""
        write(sys.stdout, f"{at:<8}  {text}")

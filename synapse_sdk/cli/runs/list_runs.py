"""`synapse runs list`: the runs there are, and which of them wait for somebody."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from synapse_sdk.cli.commands import SynapseCommand
from synapse_sdk.cli.runs.options import JOURNAL, JSON, place
from synapse_sdk.cli.session import Session

if TYPE_CHECKING:
    from synapse_sdk.plugins import RunReport

__all__ = ["list_runs"]

STATUSES = (
    "pending",
    "running",
    "succeeded",
    "failed",
    "rolling_back",
    "rolled_back",
    "rollback_incomplete",
    "cancelled",
    "interrupted",
)
USUAL_LIMIT = 20


@click.command(
    "list",
    cls=SynapseCommand,
    examples=("synapse runs list", "synapse runs list --status interrupted -q", "synapse runs list --json"),
)
@click.option(
    "--status",
    "statuses",
    type=click.Choice(STATUSES),
    metavar="STATUS",
    multiple=True,
    help=f"Only runs of this status; may be given again. One of: {', '.join(STATUSES)} (its worker died).",
)
@click.option(
    "--limit", type=click.IntRange(min=1), default=USUAL_LIMIT, show_default=True, help="Show so many at most."
)
@click.option("--all", "shows_all", is_flag=True, help="Show all, however many.")
@click.option("-q", "--quiet", is_flag=True, help="Print ids only.")
@JSON
@JOURNAL
@click.pass_obj
def list_runs(
    session: Session, /, *, statuses: tuple[str, ...], limit: int, shows_all: bool, quiet: bool, as_json: bool
) -> None:
    """Show runs, the newest first."""
    from synapse_sdk.cli.rendering import echo_json, write  # noqa: PLC0415  # help needs none of these
    from synapse_sdk.cli.runs.wording import facts  # noqa: PLC0415

    session.wants_json = as_json
    wanted = None if shows_all else limit + 1
    reports = _find(session, statuses, wanted)
    more = wanted is not None and len(reports) == wanted
    shown = reports[:limit] if more else reports
    if as_json:
        echo_json({"runs": [facts(report) for report in shown], "more": more})
    elif quiet:
        for report in shown:
            write(sys.stdout, report.id)
    else:
        _show(shown, session, is_filtered=bool(statuses), more=more)


def _find(session: Session, statuses: tuple[str, ...], limit: int | None) -> "list[RunReport]":
    from synapse_sdk.plugins import find_runs  # noqa: PLC0415  # as above
    from synapse_sdk.reporting.events import RunStatus  # noqa: PLC0415

    named = place(session)
    if session.settings.journal == "auto" and not Path(named).exists():
        return []  # nothing was run yet
    asked = [RunStatus(status) for status in statuses if status != "interrupted"]
    return find_runs(statuses=asked, interrupted="interrupted" in statuses, limit=limit, journal=named)


def _show(reports: "list[RunReport]", session: Session, *, is_filtered: bool, more: bool) -> None:
    from synapse_sdk.cli.rendering import table, terminal_width, write  # noqa: PLC0415  # as above
    from synapse_sdk.cli.runs import wording  # noqa: PLC0415

    if not reports:
        write(sys.stderr, "No run is of this status." if is_filtered else "No runs are recorded here yet.")
        return
    rows = [
        (
            report.id,
            report.record.source.action,
            wording.status_word(report),
            wording.steps_text(report),
            wording.local_time(report.started_at or report.record.created_at),
            wording.time_taken(report),
            wording.worker_text(report) if report.is_alive else "-",
        )
        for report in reports
    ]
    head = ("run", "action", "status", "steps", "started", "time", "worker")
    write(sys.stdout, table(head, rows, width=terminal_width(sys.stdout)))
    if more:
        write(sys.stderr, f"There are more than {len(reports)}: --all, or --limit N.")
    note = wording.waiting_note(reports, session)
    if note is not None:
        write(sys.stderr, note)

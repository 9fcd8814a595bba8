"""`synapse runs gc`: forget runs that ended long ago."""

import sys

import click

from synapse_sdk.cli.commands import SynapseCommand
from synapse_sdk.cli.runs.options import JOURNAL, JSON, place
from synapse_sdk.cli.session import Session

__all__ = ["gc"]

USUAL_AGE = 30


@click.command(
    "gc", cls=SynapseCommand, examples=("synapse runs gc --dry-run", "synapse runs gc --older-than 90 --yes")
)
@click.option(
    "--older-than",
    "age_days",
    type=click.FloatRange(min=0),
    metavar="DAYS",
    default=USUAL_AGE,
    show_default=True,
    help="Only runs that ended so long ago.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be forgotten, and forget nothing.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@JSON
@JOURNAL
@click.pass_obj
def gc(session: Session, /, *, age_days: float, dry_run: bool, yes: bool, as_json: bool) -> int:
    """Forget runs that ended long ago: what was recorded, not what they did.

    Runs without an end, and those that have left something behind, are always kept.
    """
    from synapse_sdk.cli.rendering import echo_json, write  # noqa: PLC0415  # help needs none of these
    from synapse_sdk.plugins import collect_runs  # noqa: PLC0415
    from synapse_sdk.reporting.text import plural  # noqa: PLC0415

    session.wants_json = as_json
    where = place(session)
    found = collect_runs(age_days=age_days, journal=where, forgets=False)
    said = f"{plural(len(found.runs), 'run')} with {plural(found.size, 'byte')}"
    if not dry_run and found.runs:
        if not yes:
            _confirm(f"Forget {said}?")
        found = collect_runs(age_days=age_days, journal=where)
        said = f"{plural(len(found.runs), 'run')} with {plural(found.size, 'byte')}"
    if as_json:
        ids = [run.id for run in found.runs]
        echo_json({"runs": ids, "bytes": found.size, "are_forgotten": found.are_forgotten})
    elif found.are_forgotten:
        write(sys.stdout, f"Forgot {said}; the journal uses their space again.")
    else:
        write(sys.stdout, f"Would forget {said}." if found.runs else "There is nothing to forget.")
    return 0


def _confirm(question: str) -> None:
    """Ask.

    Raises:
        UsageError: There is nobody to ask.
        Abort: The answer is no.
    """
    if not sys.stdin.isatty():
        msg = f"{question} Without a terminal nobody can be asked: add --yes, or --dry-run to only look"
        raise click.UsageError(msg)
    click.confirm(question, abort=True, err=True)

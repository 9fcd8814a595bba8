"""`synapse journal`: check, write out and repair the record of runs."""

import sys
from dataclasses import asdict
from pathlib import Path

import click

from synapse_sdk.cli.commands import LateCommand, SynapseCommand, SynapseGroup
from synapse_sdk.cli.live_names import complete_run
from synapse_sdk.cli.rendering import clean, echo_json, write
from synapse_sdk.cli.runs.options import JOURNAL, JSON, place
from synapse_sdk.cli.session import Session

__all__ = ["check", "dump", "journal", "repair"]

journal = SynapseGroup(
    "journal",
    help="Check, write out and repair the journal, the durable record of runs.",
    sections={
        "Commands": {
            "check": LateCommand("synapse_sdk.cli.journal:check", "Verify that nothing is missing or was changed."),
            "dump": LateCommand("synapse_sdk.cli.journal:dump", "Print all that was recorded, as lines of JSON."),
            "repair": LateCommand("synapse_sdk.cli.journal:repair", "Save what can be saved of a damaged file."),
        }
    },
    examples=("synapse journal check", "synapse journal dump"),
)


@click.command("check", cls=SynapseCommand, examples=("synapse journal check", "synapse journal check --json"))
@JOURNAL
@JSON
@click.pass_context
def check(ctx: click.Context, *, as_json: bool) -> None:
    """Verify every run, frame by frame, and the file itself. Nothing is changed."""
    from synapse_sdk.cli.errors import exit_code  # noqa: PLC0415  # help needs none of these
    from synapse_sdk.errors import JournalCorruptedError  # noqa: PLC0415
    from synapse_sdk.journal import open_journal  # noqa: PLC0415
    from synapse_sdk.journal.repair import check as check_journal  # noqa: PLC0415

    ctx.obj.wants_json = as_json
    with open_journal(place(ctx.obj), read_only=True) as opened:
        report = check_journal(opened)
    count = len(report.findings)
    msg = f"{count} problem{'s'[: count > 1]} in the journal {report.url}"
    damaged = JournalCorruptedError(msg, fix="Save what can be saved: synapse journal repair FILE")
    if as_json:
        echo_json({**asdict(report), "is_whole": report.is_whole})
        ctx.exit(0 if report.is_whole else int(exit_code(damaged)))
    for finding in report.findings:
        write(sys.stdout, clean(str(finding)))
    if not report.is_whole:
        raise damaged
    write(sys.stdout, f"The journal {clean(report.url)} is whole ({report.runs:,} runs, {report.frames:,} frames).")


@click.command("dump", cls=SynapseCommand, examples=("synapse journal dump",))
@click.argument("run_id", metavar="[RUN]", required=False, shell_complete=complete_run)
@JOURNAL
@click.pass_obj
def dump(session: Session, /, *, run_id: str | None) -> None:
    """Print every run, or only RUN, as lines of JSON: what it is about, and then what happened in it."""
    from synapse_sdk.journal import open_journal  # noqa: PLC0415  # help needs none of these
    from synapse_sdk.journal.repair import dump as dump_journal  # noqa: PLC0415
    from synapse_sdk.plugins import find_run  # noqa: PLC0415

    where = place(session)
    only = None if run_id is None else find_run(run_id, journal=where).id
    with open_journal(where, read_only=True) as opened:
        for line in dump_journal(opened, only):
            write(sys.stdout, line)


@click.command("repair", cls=SynapseCommand, examples=("synapse journal repair damaged.db",))
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--to", "target", metavar="FILE", type=click.Path(path_type=Path), help="The new file; by default beside the old."
)
def repair(file: Path, target: Path | None) -> None:
    """Copy what can be read of a damaged journal FILE into a new one. The old one stays as it is."""
    from synapse_sdk.journal.repair import repair as repair_journal  # noqa: PLC0415  # help needs none of it

    report = repair_journal(file, target or file.with_name(f"{file.stem}.repaired{file.suffix}"))
    for finding in report.findings:
        click.echo(clean(str(finding)), err=True)
    write(sys.stdout, f"Saved {report.runs:,} runs with {report.frames:,} frames in {clean(report.target)}.")
    if report.findings:
        click.echo(f"{len(report.findings)} of them are not whole; the damaged file is as it was.", err=True)

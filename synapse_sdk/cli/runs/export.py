"""`synapse runs export-report`: an account of a run, to keep or to hand on."""

import csv
import io
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from synapse_sdk.cli.commands import SynapseCommand
from synapse_sdk.cli.runs.options import JOURNAL, RUN, place
from synapse_sdk.cli.session import Session

if TYPE_CHECKING:
    from synapse_sdk.plugins import RunReport

__all__ = ["export_report"]

FORMATS = ("json", "csv", "md")


@click.command(
    "export-report",
    cls=SynapseCommand,
    examples=("synapse runs export-report last", "synapse runs export-report last --format csv --out steps.csv"),
)
@RUN
@click.option("--format", "form", type=click.Choice(FORMATS), default="md", show_default=True, help="Kind of document.")
@click.option(
    "--out", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), help="Write it there, not to the output."
)
@JOURNAL
@click.pass_obj
def export_report(session: Session, /, *, name: str, form: str, out: Path | None) -> None:
    """Write an account of RUN: its steps, what was and was not undone, figures, what is left behind.

    As csv it has one line a step.
    """
    from synapse_sdk.cli.rendering import write  # noqa: PLC0415  # help needs none of these
    from synapse_sdk.plugins import describe_run  # noqa: PLC0415

    report = describe_run(name, journal=place(session))
    if form == "csv":
        text = _csv(report)
    elif form == "json":
        text = json.dumps({"schema_version": 1, **account(report, session)}, indent=2, default=str) + "\n"
    else:
        text = _markdown(report, session)
    if out is None:
        write(sys.stdout, text.rstrip("\n"))
    else:
        out.write_text(text, encoding="utf-8")
        write(sys.stderr, f"Wrote {out}.")


def account(report: "RunReport", session: Session) -> dict[str, Any]:
    """Return all there is to say about a run, with what was undone and what is left, as JSON data."""
    from synapse_sdk.cli.runs.show import document  # noqa: PLC0415  # as above

    data = document(report, session)
    counts = {step.name: _undo_counts(report, step.name) for step in report.steps}
    data["steps"] = [
        {**step, "undo_done": counts[step["step"]][0], "undo_left": counts[step["step"]][1]} for step in data["steps"]
    ]
    data["undo_entries"] = sum(step.undo_entries for step in report.steps)
    data["undo_done"] = sum(done for done, _ in counts.values())
    data["undo_left"] = sum(left for _, left in counts.values())
    return data


def _undo_counts(report: "RunReport", name: str) -> tuple[int, int]:
    """Return how many undo entries of a step are done, and how many are left although they should be done."""
    step = next(each for each in report.steps if each.name == name)
    is_undone = step.status == "rolled_back"
    return (step.undo_entries if is_undone else 0, step.undo_entries if name in report.leftovers else 0)


COLUMNS = (
    "step",
    "status",
    "elapsed",
    "starts",
    "undo_entries",
    "undo_done",
    "undo_left",
    "error",
    "rollback_error",
)


def _rows(report: "RunReport") -> list[dict[str, Any]]:
    from synapse_sdk.cli.runs.wording import step_facts  # noqa: PLC0415  # as above

    rows = []
    for step in report.steps:
        done, left = _undo_counts(report, step.name)
        rows.append({**step_facts(step), "undo_done": done, "undo_left": left})
    return rows


def _csv(report: "RunReport") -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for row in _rows(report):
        writer.writerow({name: _csv_cell(each) for name, each in row.items()} | {"elapsed": f"{row['elapsed']:.6f}"})
    return text.getvalue()


def _csv_cell(value: object) -> object:
    """Return a value as a table may hold it: what a program for tables would take for a formula begins with a quote."""
    from synapse_sdk.cli.rendering import clean  # noqa: PLC0415  # as above

    if not isinstance(value, str):
        return value
    text = clean(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text


def _markdown(report: "RunReport", session: Session) -> str:
    from synapse_sdk.cli.runs import wording  # noqa: PLC0415  # as above

    source = report.record.source
    lines = [
        f"# Run {report.id}",
        "",
        f"- action: {_cell(source.action)}" + (f" of {_cell(source.plugin)}" if source.plugin else ""),
        f"- status: {_cell(wording.status_text(report))}",
        f"- started: {wording.local_time(report.started_at or report.record.created_at)}",
        f"- time: {wording.time_taken(report)}",
        *([f"- reason: {_cell(report.reason)}"] if report.reason else []),
        "",
        f"| {' | '.join(name.replace('_', ' ') for name in COLUMNS)} |",
        f"|{'---|' * len(COLUMNS)}",
    ]
    for row in _rows(report):
        cells = {**row, "elapsed": f"{row['elapsed']:.3f} s"}
        lines.append(f"| {' | '.join(_cell(cells[name]) for name in COLUMNS)} |")
    for title, values in (("Metrics", report.metrics), ("Left behind", report.leftovers)):
        if values:
            lines += [
                "",
                f"## {title}",
                "",
                *(f"- {_cell(name or 'the run')}: {_cell(values[name])}" for name in values),
            ]
    if commands := wording.next_commands(report, session):
        lines += ["", "## Next", "", *(f"- `{command}`: {what}" for command, what in commands)]
    return "\n".join(lines) + "\n"


def _cell(value: object) -> str:
    from synapse_sdk.cli.rendering import clean  # noqa: PLC0415  # as above

    return "" if value is None else clean(str(value)).replace("|", "\\|")

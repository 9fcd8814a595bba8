"""`synapse runs show`: what happened in a run, and what can be done about it."""

import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from synapse_sdk.cli.commands import SynapseCommand
from synapse_sdk.cli.runs.options import JOURNAL, JSON, RUN, place
from synapse_sdk.cli.session import Session

if TYPE_CHECKING:
    from synapse_sdk.plugins import RunReport, StepReport

__all__ = ["document", "show"]

USUAL_WIDTH = 80
"""Columns that most terminals have."""


@click.command("show", cls=SynapseCommand, examples=("synapse runs show last", "synapse runs show last --json"))
@RUN
@JSON
@JOURNAL
@click.pass_obj
def show(session: Session, /, *, name: str, as_json: bool) -> None:
    """Show what happened in RUN, and the commands that can follow."""
    from synapse_sdk.cli.rendering import echo_json, write  # noqa: PLC0415  # help needs none of these
    from synapse_sdk.plugins import describe_run  # noqa: PLC0415

    session.wants_json = as_json
    report = describe_run(name, journal=place(session))
    if as_json:
        echo_json(document(report, session))
    else:
        write(sys.stdout, "\n\n".join(_parts(report, session)))


def document(report: "RunReport", session: Session) -> dict[str, Any]:
    """Return all there is to say about a run, as JSON data."""
    from synapse_sdk.cli.runs.wording import facts, next_commands, params_of, report_path, step_facts  # noqa: PLC0415  # as above

    source, cancellation = report.record.source, report.record.cancellation
    return {
        **facts(report),
        "directory": source.directory,
        "params": params_of(report),
        "hidden_params": list(source.hidden),
        "env": list(source.env),
        "version": source.version,
        "resumes": report.resumes,
        "steps": [step_facts(step) for step in report.steps],
        "progress": {name: {"current": now, "total": of} for name, (now, of) in report.progress.items()},
        "metrics": report.metrics,
        "reason": report.reason,
        "error": report.error,
        "was_stopped": report.was_stopped,
        "cancelled_by": None if cancellation is None else cancellation.by,
        "leftovers": report.leftovers,
        "errors": list(report.errors),
        "result": report.result,
        "report_path": report_path(report),
        "commands": [command for command, _ in next_commands(report, session)],
    }


def _parts(report: "RunReport", session: Session) -> Iterator[str]:
    from synapse_sdk.cli.rendering import clean, key_values, table  # noqa: PLC0415  # as above
    from synapse_sdk.cli.runs import wording  # noqa: PLC0415

    yield key_values(_head(report))
    if report.steps:
        rows = [
            (
                "  " * depth + step.name,
                str(step.status).replace("_", " "),
                wording.step_time(step, report),
                str(step.starts),
                str(step.undo_entries),
            )
            for step, depth in _with_inner(report.steps)
        ]
        yield table(("step", "status", "time", "starts", "undo entries"), rows)
    progress = {name or "the run": f"{now:g} of {of:g}" for name, (now, of) in report.progress.items()}
    metrics = {name or "the run": values for name, values in report.metrics.items()}
    for title, values in (
        ("params", wording.params_of(report)),
        ("progress", progress),
        ("metrics", metrics),
        ("left behind", dict(report.leftovers)),
        ("errors", list(report.errors)),
        ("result", report.result),
    ):
        if values:
            yield key_values({title: values})
    commands = wording.next_commands(report, session)
    if commands:
        yield "\n".join(["next", *map(clean, _command_lines(commands))])


def _with_inner(steps: "Sequence[StepReport]", depth: int = 0) -> "Iterator[tuple[StepReport, int]]":
    """Yield steps, each followed by those of the run inside it."""
    for step in steps:
        yield step, depth
        yield from _with_inner(step.steps, depth + 1)


def _command_lines(commands: list[tuple[str, str]]) -> Iterator[str]:
    """Yield commands with what they do beside them, or below where that is too wide."""
    width = max(len(command) for command, _ in commands)
    fits = width + max(len(what) for _, what in commands) + 4 <= USUAL_WIDTH
    for command, what in commands:
        yield f"  {command:<{width}}  {what}" if fits else f"  {command}"
        if not fits:
            yield f"    {what}"


def _head(report: "RunReport") -> dict[str, Any]:
    from synapse_sdk.cli.runs import wording  # noqa: PLC0415  # as above

    head: dict[str, Any] = {
        "run": report.id,
        "action": wording.action_text(report),
        "status": wording.status_text(report),
        "done": f"{report.done} of {len(report.steps)} steps, {report.percent} %" if report.steps else "no step yet",
        "started": wording.local_time(report.started_at or report.record.created_at),
        "time": wording.time_taken(report),
        "worker": wording.worker_text(report),
    }
    if report.resumes:
        head["resumed"] = "once" if report.resumes == 1 else f"{report.resumes} times"
    if report.reason or report.error:
        head["reason"] = report.reason or report.error
    if not report.result and (path := wording.report_path(report)) is not None:  # a result says where it is
        head["report"] = path
    if report.damage is not None:
        head["damage"] = report.damage
    return head

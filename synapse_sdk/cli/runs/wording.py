"""How runs are put into words for people, and into JSON for programs."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, assert_never

from synapse_sdk.cli.rendering import clean
from synapse_sdk.plugins import NextStep
from synapse_sdk.reporting.events import RunStatus
from synapse_sdk.reporting.text import duration, plural

if TYPE_CHECKING:
    from synapse_sdk.cli.session import Session
    from synapse_sdk.plugins import RunReport, StepReport

__all__ = [
    "facts",
    "local_time",
    "next_commands",
    "purpose",
    "report_path",
    "status_text",
    "status_word",
    "step_facts",
    "time_taken",
]

INTERRUPTED = "interrupted"


def status_word(report: "RunReport") -> str:
    """Return where a run stands in one or two words."""
    if report.damage is not None:
        return "damaged"
    if report.is_interrupted:
        return INTERRUPTED
    if report.status is RunStatus.PENDING and report.is_alive:
        return str(RunStatus.RUNNING)  # an action without steps has nothing to report until it ends
    return str(report.status).replace("_", " ")


def status_text(report: "RunReport") -> str:
    """Return where a run stands in one line."""
    word = status_word(report)
    if report.is_interrupted:
        was = {
            RunStatus.PENDING: "it was about to begin",
            RunStatus.RUNNING: "it was running",
            RunStatus.ROLLING_BACK: "it was being rolled back",
        }.get(report.status, f"it was {report.status}")
        word = f"{word}: {was}, but its worker died"
    if report.record.cancellation is not None:
        word += f"; cancelled by {clean(report.record.cancellation.by)}"
    return word


def local_time(instant: datetime | None) -> str:
    """Return an instant as clocks here show it."""
    return "-" if instant is None else f"{instant.astimezone():%Y-%m-%d %H:%M:%S}"


def time_taken(report: "RunReport") -> str:
    """Return how long a run took, or has taken so far."""
    return "-" if report.elapsed is None else duration(report.elapsed)


def steps_text(report: "RunReport") -> str:
    """Return how many of its steps are done."""
    return f"{report.done}/{len(report.steps)}" if report.steps else "-"


def action_text(report: "RunReport") -> str:
    """Return what the run executes, with a folder here as it would be typed here."""
    source, here = report.record.source, Path.cwd()
    plugin = Path(source.plugin)
    if not source.plugin:
        return source.action
    shown = plugin.relative_to(here) if plugin.is_absolute() and plugin.is_relative_to(here) else plugin
    return f"{source.action} of {shown}"


def params_of(report: "RunReport") -> dict[str, Any]:
    """Return the parameters as they were recorded; those that are secret by name alone."""
    source = report.record.source
    return {**json.loads(source.params), **dict.fromkeys(source.hidden, "(secret, not recorded)")}


def step_time(step: "StepReport", report: "RunReport") -> str:
    """Return how long a step took, or has taken so far."""
    if not step.starts:
        return "-"
    if step.status != "running" or step.started_at is None:
        return duration(step.elapsed)
    until = datetime.now(UTC) if report.is_alive else report.last_at or step.started_at
    return duration(max(0.0, (until - step.started_at).total_seconds()))


def worker_text(report: "RunReport") -> str:
    """Return who is at work, or was."""
    owner = report.record.owner
    return "-" if owner is None else clean(str(owner)) + ("" if report.is_alive else " (dead)")


def purpose(step: NextStep) -> str:
    """Return what doing this means."""
    match step:
        case NextStep.WATCH:
            return "follow it until it ends"
        case NextStep.CANCEL:
            return "stop it and undo what it has done"
        case NextStep.RESUME:
            return "go on; what is done is not done again"
        case NextStep.ROLLBACK:
            return "undo what it has done"
        case _:
            assert_never(step)


def next_commands(report: "RunReport", session: "Session") -> list[tuple[str, str]]:
    """Return the commands that can follow, each with what it does."""
    return [(session.command("runs", step, report.id), purpose(step)) for step in report.next_steps]


def waiting_note(reports: Sequence["RunReport"], session: "Session") -> str | None:
    """Return what to do about runs whose worker died; None if there are none."""
    waiting = [report for report in reports if report.is_interrupted]
    if not waiting:
        return None
    first, verb = waiting[0], "resume" if NextStep.RESUME in waiting[0].next_steps else "rollback"
    said = f"{plural(len(waiting), 'run')} lost {'its' if len(waiting) == 1 else 'their'} worker"
    return f"{said}. To go on: {session.command('runs', verb, first.id)}"


def report_path(report: "RunReport") -> str | None:
    """Return where the run has written its report; None if it has not, such as before its end."""
    from synapse_sdk.folders import data_folder  # noqa: PLC0415  # not needed for a list

    path = data_folder(report.record.source.directory) / "runs" / report.id / "report.json"
    return str(path) if path.is_file() else None


def facts(report: "RunReport") -> dict[str, Any]:
    """Return what a list of runs says about one, as JSON data."""
    record = report.record
    return {
        "id": report.id,
        "plugin": record.source.plugin,
        "action": record.source.action,
        "mode": record.source.mode,
        "status": str(report.status),
        "is_interrupted": report.is_interrupted,
        "steps_done": report.done,
        "steps_total": len(report.steps),
        "percent": report.percent,
        "created_at": record.created_at.isoformat(),
        "started_at": _iso(report.started_at),
        "ended_at": _iso(record.ended_at),
        "elapsed": report.elapsed,
        "worker": None if record.owner is None else str(record.owner),
        "next_steps": [str(step) for step in report.next_steps],
        "damage": report.damage,
    }


def step_facts(step: "StepReport") -> dict[str, Any]:
    """Return what there is to say about a step, as JSON data."""
    return {
        "step": step.name,
        "status": str(step.status),
        "share": step.share,
        "started_at": _iso(step.started_at),
        "elapsed": step.elapsed,
        "starts": step.starts,
        "undo_entries": step.undo_entries,
        "data": step.data,
        "error": step.error,
        "rollback_error": step.rollback_error,
        **({"steps": [step_facts(each) for each in step.steps]} if step.steps else {}),
    }


def _iso(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat()

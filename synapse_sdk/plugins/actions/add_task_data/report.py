"""The report of a run that gives tasks their annotations: what became of every task, and of every stray."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synapse_sdk.backend import WithdrawnTask
from synapse_sdk.plugins.actions.add_task_data.records import Entry, TaskStage
from synapse_sdk.plugins.actions.names import shown
from synapse_sdk.plugins.actions.report_files import write_lists, write_table, written_aside
from synapse_sdk.reporting.events import RunStatus

if TYPE_CHECKING:
    from synapse_sdk.plugins.actions.add_task_data.context import AddTaskDataContext

__all__ = ["conflicts_of", "write_report"]

UNDONE = frozenset((TaskStage.SUBMITTED, TaskStage.CONVERTED, TaskStage.INFERRED, TaskStage.LOADED, TaskStage.LISTED))
"""Where tasks may stand when a run is undone."""


def write_report(context: "AddTaskDataContext", status: RunStatus = RunStatus.SUCCEEDED) -> Path:
    """Write `report.csv` and `report.json`, with an entry for every task, and return the latter's path.

    Args:
        context: Of the run.
        status: How the run has ended; unless it has succeeded, tasks have got back what they had.
    """
    is_undone = status is not RunStatus.SUCCEEDED
    folder = Path(context.report_folder)
    folder.mkdir(parents=True, exist_ok=True)
    conflicts = {each.task_id: str(each.outcome) for each in conflicts_of(context)} if is_undone else {}
    ledger, params = context.ledger, context.params
    with written_aside(folder / "report.csv") as file:
        rows = (_row(each, conflicts, is_undone=is_undone) for each in ledger.entries())
        write_table(
            file,
            ("task_id", "outcome", "image", "source", "reason", "why"),
            ([str(value) for value in row.values()] for row in rows),
        )
    head = {
        "run": context.run,
        "name": params.name,
        "description": params.description,
        "method": str(params.method),
        "project": context.project_id,
        "status": str(status),
        "started_at": context.started_at,
        "counts": {
            "total": context.total_count,
            "submitted": 0 if is_undone else context.success_count,
            "failed": context.failed_count,
            "skipped": context.skipped_count,
            **context.stray_counts,
        },
        "errors": [error.partition("\n")[0] for error in context.errors],
    }
    strays = ({"kind": str(each.kind), "name": shown(each.name), "why": each.words} for each in ledger.strays())
    write_lists(
        folder / "report.json",
        head,
        {
            "conflicts": ({"task_id": task_id, "outcome": outcome} for task_id, outcome in conflicts.items()),
            "tasks": (_row(each, conflicts, is_undone=is_undone, with_trace=True) for each in ledger.entries()),
            "strays": strays,
        },
        even_if_empty=True,
    )
    return folder / "report.json"


def conflicts_of(context: "AddTaskDataContext") -> Iterator[WithdrawnTask]:
    """Yield the tasks that could not get back what they had."""
    listing = context.backend.submissions.conflicts
    after = 0
    while found := listing(context.run, after=after):
        yield from found
        after = found[-1].task_id


def _row(each: Entry, conflicts: dict[Any, str], *, is_undone: bool, with_trace: bool = False) -> dict[str, Any]:
    outcome, why = str(each.stage), each.failure.words
    if is_undone and each.stage in UNDONE:
        outcome = "rolled_back"
    if each.id in conflicts:
        outcome, why = "conflict", f"it could not get back what it had: {conflicts[each.id]}"
    trace = {"traceback": each.failure.trace} if with_trace and each.failure.trace else {}
    told = {"reason": each.failure.reason, "why": why}
    return {
        "task_id": each.id,
        "outcome": outcome,
        "image": shown(each.path),
        "source": shown(each.source),
        **told,
        **trace,
    }

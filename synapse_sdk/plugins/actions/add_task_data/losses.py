"""What to do about tasks that cannot be annotated: stop, or go on without them."""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from synapse_sdk.plugins.actions.add_task_data.records import Settlement, Stray, StrayKind, TaskStage
from synapse_sdk.plugins.actions.export.records import Failure
from synapse_sdk.reporting.text import plural

if TYPE_CHECKING:
    from synapse_sdk.plugins.actions.add_task_data.context import AddTaskDataContext

__all__ = [
    "MOST_KEPT",
    "LossError",
    "all_failed",
    "describe_failures",
    "describe_strays",
    "note_failures",
    "take_stock",
]

MOST_KEPT = 100
"""Failures, strays and conflicts that context and result name one by one; the report has all."""
MOST_NAMED = 5
"""Those that an error lists."""


class LossError(Exception):
    """Ends a run that shall not go on without a task."""


def note_failures(context: "AddTaskDataContext", settled: Iterable[Settlement]) -> None:
    """Say which tasks cannot be annotated.

    Raises:
        LossError: There are some, and the run shall not go on without them.
    """
    failed = [(each.id, each.failure) for each in settled if each.stage is TaskStage.FAILED]
    for task_id, failure in failed:
        context.log("task_failed", {"task_id": task_id, "reason": failure.reason, "why": failure.words})
    if failed and not context.goes_on:
        raise LossError(describe_failures(len(failed), failed))


def take_stock(context: "AddTaskDataContext") -> None:
    """Count what became of the tasks so far, and keep the first failures."""
    ledger = context.ledger
    context.total_count = ledger.count()
    context.success_count = ledger.count(TaskStage.SUBMITTED)
    context.failed_count = ledger.count(TaskStage.FAILED)
    context.skipped_count = ledger.count(TaskStage.SKIPPED)
    failed = islice(ledger.entries(TaskStage.FAILED), MOST_KEPT)
    context.failures = [(each.id, each.failure.reason, each.failure.words) for each in failed]


def all_failed(context: "AddTaskDataContext") -> str:
    """Return the error of a run in which no task has got its annotations."""
    failed = [(each.id, each.failure) for each in islice(context.ledger.entries(TaskStage.FAILED), MOST_NAMED)]
    return f"No task could be annotated: {describe_failures(context.failed_count, failed, are_all=True)}"


def describe_failures(count: int, failed: Sequence[tuple[int, Failure]], *, are_all: bool = False) -> str:
    """Return one text that names the first few tasks, why they fail, and the way out.

    Args:
        count: How many there are.
        failed: The first of them.
        are_all: Whether there is no other task, so that nothing would be left to go on with.

    Example:
        >>> print(describe_failures(1, [(7, Failure(reason="NO_FILE", words="its unit has no file 'boxes'"))]))
        1 task cannot be annotated: 7: its unit has no file 'boxes'. Mend it, or go on without it: on_error='continue'
    """
    named = "; ".join([f"{task_id}: {failure.words}" for task_id, failure in failed[:MOST_NAMED]])
    more = f"; and {count - MOST_NAMED:,} more (see the report)" if count > MOST_NAMED else ""
    it = "it" if count == 1 else "them"
    instead = "" if are_all else f", or go on without {it}: on_error='continue'"
    return f"{plural(count, 'task')} cannot be annotated: {named}{more}. Mend {it}{instead}"


def describe_strays(counts: dict[StrayKind, int], examples: Sequence[Stray]) -> str:
    """Return how many annotations have no task, and the names of the first few.

    Example:
        >>> describe_strays({StrayKind.UNMATCHED: 2}, [Stray(StrayKind.UNMATCHED, "a.jpg")])
        '2 unmatched, such as a.jpg'
    """
    parts = []
    for kind, count in counts.items():
        named = [f"{each.name} ({each.words})" if each.words else each.name for each in examples if each.kind is kind]
        if count:
            parts.append(f"{count:,} {kind}, such as {', '.join(named[:MOST_NAMED])}")
    return "; ".join(parts)

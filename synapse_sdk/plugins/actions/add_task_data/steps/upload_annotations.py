"""The last step: tasks get their annotations, and the backend keeps what they had."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence

from synapse_sdk.backend import Submission, SubmissionOutcome, TaskId
from synapse_sdk.failpoints import hit
from synapse_sdk.plugins.actions.add_task_data.context import AddTaskDataContext
from synapse_sdk.plugins.actions.add_task_data.hooks import failed
from synapse_sdk.plugins.actions.add_task_data.losses import (
    LossError,
    all_failed,
    note_failures,
    take_stock,
)
from synapse_sdk.plugins.actions.add_task_data.records import Entry, Settlement, TaskStage
from synapse_sdk.plugins.actions.add_task_data.report import conflicts_of
from synapse_sdk.plugins.steps import BaseStep, StepResult
from synapse_sdk.retry import retry

__all__ = ["UploadAnnotationsStep"]

LARGE_BATCH = 4 * 1024 * 1024
"""Bytes of documents that are submitted at a time."""
WORDS = {
    SubmissionOutcome.CONFLICT: "somebody has changed it meanwhile; it keeps what it has",
    SubmissionOutcome.GONE: "it was removed meanwhile",
}


class UploadAnnotationsStep(BaseStep[AddTaskDataContext]):
    """Submit documents to their tasks, batch by batch; what the tasks had before stays in the backend, to be restored.

    Args:
        weight: Its share of the whole work, 0.0 to 1.0.
    """

    name = "upload_annotations"

    def __init__(self, weight: float = 0.3) -> None:
        self._weight = weight

    @property
    def progress_weight(self) -> float:
        """Its share of the whole work."""
        return self._weight

    def can_skip(self, context: AddTaskDataContext) -> bool:
        """Skip where there is nothing to submit."""
        return context.total_count == 0

    def execute(self, context: AddTaskDataContext) -> StepResult:
        """Fill `success_count`, `failed_count` and `failures`.

        Raises:
            BackendError: The backend cannot be written.
            StorageError: The ledger cannot be written.
        """
        ledger = context.ledger
        total = ledger.count(TaskStage.CONVERTED, TaskStage.SUBMITTED)
        done = ledger.count(TaskStage.SUBMITTED)
        context.record_undo(run=context.run)
        try:
            for batch in _batches(ledger.entries(TaskStage.CONVERTED), context.params.batch_size):
                settlements = _submit(context, batch)
                hit("tasks.submitted")
                ledger.settle(settlements)
                note_failures(context, settlements)
                done += len(batch)
                context.save_progress(submitted=done)
                context.set_progress(done, total)
                context.set_metrics({"success": done, "stand_by": total - done})
        except LossError as loss:
            return StepResult(success=False, error=str(loss))
        finally:
            take_stock(context)
        counts = {name: getattr(context, f"{name}_count") for name in ("success", "failed", "skipped")}
        context.set_metrics({**counts, "stand_by": 0})
        if context.failed_count and not context.success_count:
            return StepResult(success=False, error=all_failed(context), data=counts)
        return StepResult(data=counts)

    def rollback(self, context: AddTaskDataContext, result: StepResult) -> None:
        """Give every task back what it had, unless somebody has changed it since: such conflicts are listed."""
        for run in dict.fromkeys(entry["run"] for entry in result.rollback_data.get("undo_log", [])):
            while context.backend.submissions.withdraw(run):
                hit("tasks.withdrawn")
        for each in conflicts_of(context):  # no leftovers: what somebody else has done is not ours to undo
            context.log("task_conflict", {"task_id": each.task_id, "outcome": str(each.outcome)})


def _batches(entries: Iterable[Entry], size: int) -> Iterator[list[Entry]]:
    """Yield tasks in batches of this size; smaller ones where documents are large."""
    batch, weight = list[Entry](), 0
    for entry in entries:
        batch.append(entry)
        weight += len(entry.content or b"")
        if len(batch) >= size or weight >= LARGE_BATCH:
            yield batch
            batch, weight = [], 0
    if batch:
        yield batch


def _submit(context: AddTaskDataContext, batch: Sequence[Entry]) -> list[Settlement]:
    """Submit some documents, and return what became of their tasks; a task without an answer has failed."""
    submissions = [
        Submission(task_id=TaskId(each.id), data=json.loads(each.content or b"{}"), expected_version=each.version)
        for each in batch
    ]
    # Safe to repeat, whatever became of an answer: the backend knows what this run has submitted.
    outcomes: Mapping[TaskId, SubmissionOutcome] = retry(
        lambda: context.backend.submissions.submit(context.run, submissions), context.retries
    )
    return [_settlement(each, outcomes.get(TaskId(each.id))) for each in batch]


def _settlement(entry: Entry, outcome: SubmissionOutcome | None) -> Settlement:
    if outcome is SubmissionOutcome.SUBMITTED:
        return Settlement(id=entry.id, stage=TaskStage.SUBMITTED)
    if outcome is None:
        return failed(entry.id, "NO_ANSWER", "the backend has not said what became of it")
    return failed(entry.id, outcome.name, WORDS[outcome])

"""The third step of inference: a hook makes of each result what is submitted."""

import json
from functools import partial
from itertools import batched
from typing import Any

from synapse_sdk.failpoints import hit
from synapse_sdk.plugins.actions.add_task_data.context import AddTaskDataContext
from synapse_sdk.plugins.actions.add_task_data.hooks import failed, settled
from synapse_sdk.plugins.actions.add_task_data.losses import all_failed
from synapse_sdk.plugins.actions.add_task_data.reading import TaskReader, TaskWithUnit
from synapse_sdk.plugins.actions.add_task_data.records import Entry, Settlement, TaskStage
from synapse_sdk.plugins.actions.add_task_data.settling import settle
from synapse_sdk.plugins.steps import BaseStep, StepResult

__all__ = ["FormatResultsStep"]

BATCH = 50
"""Tasks that are written down together."""


class FormatResultsStep(BaseStep[AddTaskDataContext]):
    """Take the results of the model through the hook that makes documents of them."""

    name = "format_results"
    progress_weight = 0.1

    def can_skip(self, context: AddTaskDataContext) -> bool:
        """Skip where there is nothing to do."""
        return context.total_count == 0

    def execute(self, context: AddTaskDataContext) -> StepResult:
        """Take every task further, or note why it failed.

        Raises:
            StorageError: The ledger cannot be written.
        """
        ledger, reader = context.ledger, TaskReader(context)
        total = ledger.count(TaskStage.INFERRED)
        settlements = (
            _settlement(context, reader, entry, found)
            for entry, found in reader.read(ledger.entries(TaskStage.INFERRED))
        )
        batches = batched(settlements, BATCH)
        error = settle(context, batches, left=total, total=total, written=lambda: hit("tasks.converted"))
        if error:
            return StepResult(success=False, error=error)
        converted = ledger.count(TaskStage.CONVERTED)
        if not converted and context.failed_count:
            return StepResult(success=False, error=all_failed(context))
        return StepResult(data={"converted": converted})


def _settlement(
    context: AddTaskDataContext, reader: TaskReader, entry: Entry, found: TaskWithUnit | None
) -> Settlement:
    if found is None:
        return failed(entry.id, "GONE", "it was removed meanwhile")
    result: Any = json.loads(entry.content or b"null")
    return settled(entry.id, partial(context.convert_from_inference, result, reader.as_data(found)))

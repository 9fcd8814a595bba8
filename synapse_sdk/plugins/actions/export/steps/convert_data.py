"""The fourth step: every item goes through the hooks that convert."""

from collections.abc import Iterator
from itertools import batched

from synapse_sdk.errors import WorkflowError
from synapse_sdk.failpoints import hit
from synapse_sdk.plugins.actions.export.context import ExportContext
from synapse_sdk.plugins.actions.export.converting import Converter
from synapse_sdk.plugins.actions.export.items import identity_of
from synapse_sdk.plugins.actions.export.losses import VANISHED, describe_losses, note_failures
from synapse_sdk.plugins.actions.export.records import ItemState
from synapse_sdk.plugins.actions.export.targets import ExportItem
from synapse_sdk.plugins.steps import BaseStep, StepResult

__all__ = ["ConvertDataStep"]

BATCH = 200
"""Items that are written down at a time; so many are converted again, at most, when the process dies."""
SURPLUS = 1_000
"""Items that there may be beyond twice as many as were counted; then it is the pages that do not end."""


class ConvertDataStep(BaseStep[ExportContext]):
    """Take items from the pages of the backend through `before_convert`, `convert_data` and `after_convert`.

    They go into the run's ledger, from which the next step takes them; a run that was killed goes on behind the last
    one that is there.
    """

    name = "convert_data"
    progress_weight = 0.30

    def can_skip(self, context: ExportContext) -> bool:
        """Skip where there is nothing to convert."""
        return context.total_count == 0

    def execute(self, context: ExportContext) -> StepResult:
        """Fill `converted_items`.

        Raises:
            BackendError: A page cannot be read, repeats, or is not there any more.
            WorkflowError: The pages do not end.
        """
        ledger = context.ledger
        converter = Converter(context.exporter, ledger)
        done = ledger.last()[0]
        for batch in batched(_checked(context, *ledger.last()), BATCH):
            entries = converter.convert(batch)
            hit("export.converted")
            done += len(entries)
            context.save_progress(converted=done)
            context.set_progress(done, max(done, context.total_count))
            loss = note_failures(context, [(entry.id, entry.failure) for entry in entries if _has_failed(entry.state)])
            if loss is not None:
                return loss
        context.missing_count = max(0, context.total_count - done)
        context.total_count = max(done, context.total_count)
        if context.missing_count:
            context.log("items_vanished", {"count": context.missing_count})
            if not context.goes_on:
                return StepResult(success=False, error=describe_losses(context.missing_count, [(None, VANISHED)]))
        return StepResult(
            data={"converted": ledger.count(ItemState.CONVERTED), "failed": ledger.count(ItemState.FAILED)}
        )

    def rollback(self, context: ExportContext, result: StepResult) -> None:  # the ledger knows
        """Forget what was converted."""
        context.missing_count = 0


def _has_failed(state: ItemState) -> bool:
    return state is ItemState.FAILED


def _checked(context: ExportContext, number: int, identity: int) -> Iterator[ExportItem]:
    """Yield the items behind one, as long as they make sense."""
    most = 2 * context.total_count + SURPLUS
    for item in context.items_after(number, identity):
        number, current = number + 1, identity_of(item)
        if number > most:
            msg = (
                f"The pages of target {context.params.target!r} do not end: {number:,} items of {context.total_count:,}"
            )
            raise WorkflowError(msg, fix="Mend the handler of this target, or narrow the filter")
        if not context.has_chosen_items:
            if current <= identity:
                msg = f"The pages of target {context.params.target!r} repeat: item {current} follows item {identity}"
                raise WorkflowError(msg, fix="Mend the handler of this target: ids have to grow")
            identity = current
        yield item

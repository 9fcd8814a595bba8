"""The fourth step: every item goes through the hooks that convert."""

from synapse_sdk.plugins.actions.export.context import ExportContext
from synapse_sdk.plugins.actions.export.losses import LossError
from synapse_sdk.plugins.actions.export.records import ItemState
from synapse_sdk.plugins.steps import BaseStep, StepResult

__all__ = ["ConvertDataStep"]

AT_ONCE = 200
"""Items that are converted before the first is saved: somebody waits for that one."""


class ConvertDataStep(BaseStep[ExportContext]):
    """Take items from the pages of the backend through `before_convert`, `convert_data` and `after_convert`.

    They go into the run's ledger, from which the next step takes them. Of more than 200 the others follow while those
    are saved, or when a step goes through `converted_items`: nobody waits for the last item to see the first file. A
    run that was killed goes on behind the last item that is there.
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
        supply, expected = context.supply, min(context.total_count, AT_ONCE)
        try:
            while supply.done < AT_ONCE and supply.advance():
                context.save_progress(converted=supply.done)
                context.set_progress(min(supply.done, expected), expected)
        except LossError as loss:
            return StepResult(success=False, error=str(loss))
        return StepResult(data={"converted": context.ledger.count(ItemState.CONVERTED)})

    def rollback(self, context: ExportContext, result: StepResult) -> None:  # the ledger knows
        """Forget what was converted."""
        context.__dict__.pop("supply", None)
        context.missing_count = context.failed_count = context.skipped_count = 0

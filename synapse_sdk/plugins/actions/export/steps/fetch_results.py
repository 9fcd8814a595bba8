"""The second step: what there is to export."""

from synapse_sdk.plugins.actions.export.context import ExportContext
from synapse_sdk.plugins.steps import BaseStep, StepResult

__all__ = ["FetchResultsStep"]


class FetchResultsStep(BaseStep[ExportContext]):
    """Have the target's handler check the filter, and count what it finds."""

    name = "fetch_results"
    progress_weight = 0.10

    def execute(self, context: ExportContext) -> StepResult:
        """Fill `handler`, `results` and `total_count`; no page of results is read yet.

        Raises:
            ConfigurationError: The filter has an unknown key, lacks one, or has a value that does not fit.
            RecordNotFoundError: It names something that there is not.
            BackendError: The backend cannot be asked.
        """
        context.total_count, context.last_id = context.results.count, context.results.last_id
        if not context.total_count:
            context.log("no_results", {"target": context.params.target, "filter": context.params.filter})
        return StepResult(data={"total": context.total_count})

    def rollback(self, context: ExportContext, result: StepResult) -> None:  # there is nothing to know
        """Forget handler and results."""
        for name in ("results", "filters", "handler"):
            context.__dict__.pop(name, None)
        context.total_count, context.last_id = 0, None

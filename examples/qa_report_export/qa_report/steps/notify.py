"""When all is saved: a notice."""

from synapse_sdk.plugins.actions.export import ExportContext
from synapse_sdk.plugins.steps import BaseStep, StepResult

__all__ = ["NotifyStep"]


class NotifyStep(BaseStep[ExportContext]):
    """Say in the log of the run how much was saved.

    A log may be told too early: the run can fail in a later step. A mail cannot be taken back, and has to be sent
    by whoever has started the run, when it has ended.
    """

    name = "notify"
    progress_weight = 0.01

    def execute(self, context: ExportContext) -> StepResult:
        """Write one entry; an entry of a log is nothing to undo."""
        counts = {"exported": context.exported_count, "failed": context.failed_count, "skipped": context.skipped_count}
        context.log("boxes_saved", {"name": context.params.name, **counts})
        return StepResult(data=counts)

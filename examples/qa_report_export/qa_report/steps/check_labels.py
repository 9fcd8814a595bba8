"""Before anything is converted: whether every box has a label, and one that is a class."""

from collections.abc import Collection, Iterator
from itertools import islice

from qa_report.boxes import boxes_of
from qa_report.figures import name_of
from synapse_sdk.plugins.actions.export import ExportContext
from synapse_sdk.plugins.steps import BaseStep, StepResult

__all__ = ["CheckLabelsStep"]

MOST_NAMED = 5
"""Boxes that the error names."""


class CheckLabelsStep(BaseStep[ExportContext]):
    """Refuse boxes without a label, and labels that are no class of the project, whatever `on_error` says.

    Args:
        classes: The labels that there may be. Without any, those of the project's configuration; if it has none, all.
    """

    name = "check_labels"
    progress_weight = 0.10

    def __init__(self, classes: Collection[str] = ()) -> None:
        self._classes = classes

    def can_skip(self, context: ExportContext) -> bool:
        """Skip where there is nothing to check."""
        return context.total_count == 0

    def execute(self, context: ExportContext) -> StepResult:
        """Look at every box. Nothing outside of the run is changed, so there is nothing to undo.

        Raises:
            MalformedBoxError: A box cannot be understood.
        """
        # Assigned, the items are written down: what is checked here is what the steps below get, even if somebody
        # changes a label meanwhile.
        context.export_items = context.export_items
        classes = frozenset(self._classes or context.configuration.get("classes", ()))
        wrong = [*islice(_wrong_labels(context, classes), MOST_NAMED)]
        if wrong:
            error = f"Labels are wrong, such as {'; '.join(wrong)}. Mend them, or say which labels there are: classes"
            return StepResult(success=False, error=error)
        return StepResult(data={"checked": context.total_count})


def _wrong_labels(context: ExportContext, classes: frozenset[str]) -> Iterator[str]:
    """Yield what is wrong, box by box."""
    for number, item in enumerate(context.export_items, start=1):
        for box in boxes_of(item["data"]):
            if not box.label:
                yield f"none for a box of {name_of(item)}"
            elif classes and box.label not in classes:
                yield f"{box.label!r} in {name_of(item)}"
        context.set_progress(number, context.total_count)

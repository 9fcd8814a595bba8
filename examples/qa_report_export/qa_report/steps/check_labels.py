"""Before anything is converted: whether every box has a label, and one that is a class."""

from collections.abc import Collection, Iterator
from itertools import islice

from qa_report.boxes import MalformedBoxError, boxes_of
from qa_report.figures import name_of
from synapse_sdk.plugins.actions.export import ExportContext
from synapse_sdk.plugins.steps import BaseStep, StepResult

__all__ = ["CheckLabelsStep"]

MOST_NAMED = 5
"""Complaints that the error lists."""


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
        """Look at every box. Nothing outside of the run is changed, so there is nothing to undo."""
        # Assigned, the items are written down: what is checked here is what the steps below get, even if somebody
        # changes a label meanwhile.
        context.export_items = context.export_items
        classes = frozenset(self._classes or context.configuration.get("classes", ()))
        found = [*islice(_complaints(context, classes), MOST_NAMED)]
        if found:
            error = f"Labels are wrong: {'; '.join(found)}. Mend them, or say which classes there are: classes=[...]"
            return StepResult(success=False, error=error)
        return StepResult(data={"checked": context.total_count})


def _complaints(context: ExportContext, classes: frozenset[str]) -> Iterator[str]:
    """Yield what is wrong, box by box."""
    for number, item in enumerate(context.export_items, start=1):
        try:
            labels = [box.label for box in boxes_of(item["data"])]
        except MalformedBoxError as error:
            yield f"{name_of(item)}: {error.message}"
            continue
        for label in labels:
            if not label:
                yield f"{name_of(item)}: a box without a label"
            elif classes and label not in classes:
                yield f"{name_of(item)}: {label!r} is no class"
        context.set_progress(number, context.total_count)

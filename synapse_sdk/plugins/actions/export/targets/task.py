"""Exporting the tasks of a project."""

from collections.abc import Iterable, Mapping, Sequence

from synapse_sdk.backend import DataUnitId, Task, TaskFilter
from synapse_sdk.plugins.actions.export.targets.base import ExportItem, Results, TargetHandler, project_named
from synapse_sdk.plugins.actions.export.targets.reading import ItemReader, results_of
from synapse_sdk.types import JsonObject, JsonValue

__all__ = ["TaskHandler"]


class TaskHandler(TargetHandler):
    """Finds tasks: an item is a task, with what was annotated last."""

    @classmethod
    def document(cls, texts: Iterable[str]) -> JsonObject:
        """Return the filter that texts describe; see `TaskFilter.document`."""
        return TaskFilter.document(texts)

    def validate_filter(self, value: Mapping[str, JsonValue]) -> TaskFilter:
        """Return the filter of a document, which names a project by id or name; see `TaskFilter.parse`."""
        return TaskFilter.parse({**value, "project": project_named(self.backend, value).id})

    def get_results(self, filters: TaskFilter) -> Results:
        """Count the tasks; those that are made later are not among them."""
        return results_of(self.backend.tasks, filters, ItemReader[Task](self.backend, _parts))

    def project_of(self, filters: TaskFilter) -> int | None:
        """Return the project that the filter names."""
        return filters.project


def _parts(tasks: Sequence[Task]) -> list[tuple[ExportItem, DataUnitId]]:
    return [(ExportItem(id=task.id, data=task.data, files={}), task.unit_id) for task in tasks]

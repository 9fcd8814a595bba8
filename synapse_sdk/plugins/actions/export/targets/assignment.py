"""Exporting the assignments of a project."""

from collections.abc import Iterable, Mapping, Sequence

from synapse_sdk.backend import Assignment, AssignmentFilter, DataUnitId, TaskFilter
from synapse_sdk.backend.paging import every
from synapse_sdk.plugins.actions.export.targets.base import ExportItem, Results, TargetHandler, project_named
from synapse_sdk.plugins.actions.export.targets.reading import ItemReader, results_of
from synapse_sdk.types import JsonObject, JsonValue

__all__ = ["AssignmentHandler"]


class AssignmentHandler(TargetHandler):
    """Finds assignments: an item is an assignment, with what its own user has annotated."""

    @classmethod
    def document(cls, texts: Iterable[str]) -> JsonObject:
        """Return the filter that texts describe; see `AssignmentFilter.document`."""
        return AssignmentFilter.document(texts)

    def validate_filter(self, value: Mapping[str, JsonValue]) -> AssignmentFilter:
        """Return the filter of a document, which names a project by id or name; see `AssignmentFilter.parse`."""
        return AssignmentFilter.parse({**value, "project": project_named(self.backend, value).id})

    def get_results(self, filters: AssignmentFilter) -> Results:
        """Count the assignments; those that are made later are not among them."""
        return results_of(self.backend.assignments, filters, ItemReader[Assignment](self.backend, self._parts))

    def project_of(self, filters: AssignmentFilter) -> int | None:
        """Return the project that the filter names."""
        return filters.project

    def _parts(self, page: Sequence[Assignment]) -> list[tuple[ExportItem, DataUnitId]]:
        which = TaskFilter(ids=tuple({each.task_id for each in page}))
        tasks = every(lambda after, size: self.backend.tasks.list(which, after=after, limit=size))
        units = {task.id: task.unit_id for task in tasks}
        # An assignment whose task was removed meanwhile is gone with it.
        return [
            (ExportItem(id=each.id, data=each.data, files={}), units[each.task_id])
            for each in page
            if each.task_id in units
        ]

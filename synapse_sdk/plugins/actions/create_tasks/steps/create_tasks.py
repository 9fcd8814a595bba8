"""The step that makes tasks of data units."""

from collections.abc import Sequence
from itertools import batched

from synapse_sdk.backend import DataUnitId, ProjectId, Task, TaskFilter, TaskState
from synapse_sdk.backend.paging import every
from synapse_sdk.failpoints import hit
from synapse_sdk.plugins.actions.create_tasks.context import CreateTasksContext
from synapse_sdk.plugins.steps import BaseStep, StepResult

__all__ = ["CreateTasksStep"]


class CreateTasksStep(BaseStep[CreateTasksContext]):
    """Make a task of each data unit of the project's collection that has none in the project yet."""

    name = "create_tasks"
    progress_weight = 1.0

    def execute(self, context: CreateTasksContext) -> StepResult:
        """Fill `created_count` and `existing_count`.

        Raises:
            RecordNotFoundError: There is no such project.
            BackendError: The backend cannot be written.
        """
        backend, project = context.backend, context.project
        last = max((entry["last_id"] for entry in context.undo_log), default=None)
        if last is None:
            last = backend.tasks.last_id(TaskFilter(project=project.id))
        units = every(lambda after, size: backend.data_units.list(project.collection_id, after=after, limit=size))
        created = existing = 0
        for batch in batched((unit.id for unit in units), context.params.batch_size):
            there = _tasks_of(context, project.id, batch)
            before = {task.unit_id for task in there if task.id <= last}
            own = [unit for unit in batch if unit not in before]
            if wanted := set(own) - {task.unit_id for task in there}:
                context.record_undo(project=int(project.id), units=[int(unit) for unit in own], last_id=int(last))
                backend.tasks.create(project.id, sorted(wanted))
                hit("create_tasks.made")
            created, existing = created + len(own), existing + len(before)
            context.set_metrics({"created": created, "existing": existing})
        context.created_count, context.existing_count = created, existing
        return StepResult(data={"created": created, "existing": existing})

    def rollback(self, context: CreateTasksContext, result: StepResult) -> None:
        """Remove the tasks that this run has made; one that somebody has worked on meanwhile stays, and is listed."""
        for entry in result.rollback_data.get("undo_log", []):
            project, last = ProjectId(entry["project"]), entry["last_id"]
            units = [DataUnitId(unit) for unit in entry["units"]]
            made = [task for task in _tasks_of(context, project, units) if task.id > last]
            untouched = [task.id for task in made if task.data is None and task.state is TaskState.OPEN]
            context.backend.tasks.remove(untouched)
            hit("create_tasks.removed")
            kept = [task.id for task in made if task.id not in set(untouched)]
            if kept:
                shown = ", ".join(map(str, kept[:10]))
                context.errors.append(f"{len(kept)} tasks have annotations by now, and stay: {shown}")


def _tasks_of(context: CreateTasksContext, project: ProjectId, units: Sequence[DataUnitId]) -> list[Task]:
    which = TaskFilter(project=project, data_units=tuple(units))
    return list(every(lambda after, size: context.backend.tasks.list(which, after=after, limit=size)))

"""The ports of projects, and of the work on the units of their collections."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from synapse_sdk.backend.records import (
    Assignment,
    AssignmentFilter,
    AssignmentId,
    AssignmentState,
    CollectionId,
    DataUnitId,
    Project,
    ProjectId,
    Task,
    TaskFilter,
    TaskId,
    TaskState,
)
from synapse_sdk.types import JsonObject

__all__ = ["Assignments", "Projects", "Tasks"]


class Projects(Protocol):
    """Work on the units of collections."""

    def create(self, name: str, collection_id: CollectionId, *, configuration: JsonObject | None = None) -> Project:
        """Make a project.

        Raises:
            ConflictError: There is one of this name.
            ConfigurationError: Nobody could write or read the name.
            RecordNotFoundError: There is no such collection.
        """
        ...

    def get(self, reference: ProjectId | int | str) -> Project:
        """Return a project by id or name.

        Raises:
            RecordNotFoundError: There is none; the message names the nearest.
        """
        ...

    def list(self, *, after: int = 0, limit: int = 100) -> Sequence[Project]:
        """Return projects in order of their ids, those behind `after`."""
        ...

    def configure(self, project_id: ProjectId, configuration: JsonObject) -> Project:
        """Replace the configuration of a project as a whole, and return the project; raises RecordNotFoundError."""
        ...

    def remove(self, project_id: ProjectId) -> None:
        """Remove a project.

        Raises:
            RecordNotFoundError: There is none.
            ConflictError: It has tasks.
        """
        ...


class Tasks(Protocol):
    """The tasks of projects: each is about one data unit."""

    def create(self, project_id: ProjectId, unit_ids: Iterable[DataUnitId]) -> int:
        """Make a task of each unit that has none in the project yet, and return how many were made.

        Raises:
            RecordNotFoundError: There is no such project.
            ConflictError: A unit is not a live one of the project's collection; no task was made.
        """
        ...

    def get(self, task_id: TaskId) -> Task:
        """Return a task; raises RecordNotFoundError."""
        ...

    def list(self, which: TaskFilter, *, after: int = 0, limit: int = 1000) -> Sequence[Task]:
        """Return tasks in order of their ids, those behind `after`.

        Fewer than `limit` if they are large, so that a page fits into memory; none only if there are no more.
        """
        ...

    def count(self, which: TaskFilter) -> int:
        """Return how many tasks there are."""
        ...

    def last_id(self, which: TaskFilter) -> int:
        """Return the greatest id of these tasks; 0 if there are none. Tasks that are made later have greater ones."""
        ...

    def set_data(
        self,
        task_id: TaskId,
        data: JsonObject | None,
        expected_version: int,
        *,
        state: TaskState = TaskState.SUBMITTED,
    ) -> Task:
        """Replace the annotation data of a task that nobody has changed meanwhile, and return the task as it is now.

        To undo a change, set the data and the state that were there before, and expect the version that the change has
        returned.

        Raises:
            RecordNotFoundError: There is no such task.
            ConflictError: It has another version; nothing was changed.
        """
        ...

    def remove(self, task_ids: Iterable[TaskId]) -> None:
        """Remove tasks with their assignments; ground truths taken from them stay. Ids of no task are passed over."""
        ...


class Assignments(Protocol):
    """Who does what of tasks."""

    def create(self, task_ids: Iterable[TaskId], user: str) -> int:
        """Assign tasks to a user who does not have them yet, and return how many assignments were made.

        Raises:
            RecordNotFoundError: There is no such task; nothing was assigned.
        """
        ...

    def get(self, assignment_id: AssignmentId) -> Assignment:
        """Return an assignment; raises RecordNotFoundError."""
        ...

    def list(self, which: AssignmentFilter, *, after: int = 0, limit: int = 1000) -> Sequence[Assignment]:
        """Return assignments in order of their ids, those behind `after`.

        Fewer than `limit` if they are large, so that a page fits into memory; none only if there are no more.
        """
        ...

    def count(self, which: AssignmentFilter) -> int:
        """Return how many assignments there are."""
        ...

    def last_id(self, which: AssignmentFilter) -> int:
        """Return the greatest id of these assignments; 0 if there are none."""
        ...

    def set_data(
        self,
        assignment_id: AssignmentId,
        data: JsonObject | None,
        *,
        state: AssignmentState = AssignmentState.SUBMITTED,
    ) -> Assignment:
        """Replace the annotation data of an assignment; raises RecordNotFoundError."""
        ...

"""The tasks of projects."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, func, select, update

from synapse_sdk.backend.embedded.database import Database
from synapse_sdk.backend.embedded.narrowing import equal, in_range, one_of_many, present
from synapse_sdk.backend.embedded.statements import chunks, insert_new, not_found, one, page_of
from synapse_sdk.backend.embedded.tables import data_units, projects, tasks
from synapse_sdk.backend.records import DataUnitId, DataUnitState, ProjectId, Task, TaskFilter, TaskId, TaskState
from synapse_sdk.clock import Clock
from synapse_sdk.errors import ConflictError
from synapse_sdk.types import JsonObject

__all__ = ["EmbeddedTasks"]


class EmbeddedTasks:
    """Implements the port `Tasks`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    def create(self, project_id: ProjectId, unit_ids: Iterable[DataUnitId]) -> int:
        """Make a task of each unit that has none in the project yet, and return how many were made."""
        new = {"project_id": project_id, "state": TaskState.OPEN, "version": 0, "created_at": self._clock.now()}
        with self._database.write() as connection:
            project = select(projects.c.collection_id).where(projects.c.id == project_id)
            collection_id = connection.scalar(project.with_for_update(key_share=True))
            if collection_id is None:
                raise not_found(project_id, "project")
            before = _count(connection, project_id)
            for chunk in chunks(sorted(set(unit_ids))):
                _refuse_others(connection, collection_id, chunk)
                insert_new(connection, tasks, [{**new, "unit_id": unit_id} for unit_id in chunk])
            return _count(connection, project_id) - before

    def get(self, task_id: TaskId) -> Task:
        """Return a task."""
        with self._database.read() as connection:
            return _task(one(connection, select(tasks).where(tasks.c.id == task_id), task_id, "task"))

    def list(self, which: TaskFilter, *, after: int = 0, limit: int = 1000) -> Sequence[Task]:
        """Return tasks in order of their ids, those behind `after`."""
        with self._database.read() as connection:
            statement = select(tasks).where(tasks.c.id > after, *_conditions(connection, which))
            return page_of(connection, statement.order_by(tasks.c.id).limit(limit), tasks.c.data, _task)

    def count(self, which: TaskFilter) -> int:
        """Return how many tasks there are."""
        with self._database.read() as connection:
            statement = select(func.count()).select_from(tasks).where(*_conditions(connection, which))
            return int(connection.scalar(statement) or 0)

    def last_id(self, which: TaskFilter) -> int:
        """Return the greatest id of these tasks; 0 if there are none."""
        with self._database.read() as connection:
            statement = select(func.max(tasks.c.id)).where(*_conditions(connection, which))
            return int(connection.scalar(statement) or 0)

    def set_data(
        self,
        task_id: TaskId,
        data: JsonObject | None,
        expected_version: int,
        *,
        state: TaskState = TaskState.SUBMITTED,
    ) -> Task:
        """Replace the annotation data of a task that nobody has changed meanwhile, and return the task as it is now."""
        change = (
            update(tasks)
            .where(tasks.c.id == task_id, tasks.c.version == expected_version)
            .values(data=data, state=state, version=expected_version + 1)
            .returning(tasks)
        )
        with self._database.write() as connection:
            row = connection.execute(change).one_or_none()
            if row is not None:
                return _task(row)
            found = connection.scalar(select(tasks.c.version).where(tasks.c.id == task_id))
        if found is None:
            raise not_found(task_id, "task")
        msg = f"The task {task_id} was changed meanwhile: it has version {found}, not {expected_version}"
        raise ConflictError(msg, fix="Read it again, and decide anew", task=task_id)

    def remove(self, task_ids: Iterable[TaskId]) -> None:
        """Remove tasks with their assignments."""
        with self._database.write() as connection:
            for chunk in chunks(sorted(set(task_ids))):
                connection.execute(delete(tasks).where(tasks.c.id.in_(chunk)))


def _count(connection: Connection, project_id: int) -> int:
    return int(connection.scalar(select(func.count()).where(tasks.c.project_id == project_id)) or 0)


def _refuse_others(connection: Connection, collection_id: int, unit_ids: Sequence[int]) -> None:
    statement = select(data_units.c.id).where(
        data_units.c.id.in_(unit_ids),
        data_units.c.collection_id == collection_id,
        data_units.c.state == DataUnitState.LIVE,
    )
    strange = set(unit_ids).difference(connection.scalars(statement.with_for_update(read=True, key_share=True)))
    if strange:
        msg = f"The data unit {min(strange)} is not a live one of the project's collection"
        raise ConflictError(msg, fix="Leave it out, or publish it first", unit=min(strange))


def _conditions(connection: Connection, which: TaskFilter) -> Iterator[ColumnElement[bool]]:
    yield from equal(tasks.c.project_id, which.project)
    yield from one_of_many(connection, tasks.c.id, which.ids)
    yield from one_of_many(connection, tasks.c.unit_id, which.data_units)
    yield from equal(tasks.c.state, which.state)
    yield from present(tasks.c.data, which.has_data)
    yield from in_range(tasks, which)


def _task(row: Row[Any]) -> Task:
    return Task(
        id=row.id,
        project_id=row.project_id,
        unit_id=row.unit_id,
        data=row.data,
        state=row.state,
        version=row.version,
        created_at=row.created_at,
    )

"""Who does what of tasks."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, select, update

from synapse_sdk.backend.embedded.database import Database
from synapse_sdk.backend.embedded.narrowing import equal, in_range, one_of_many, present
from synapse_sdk.backend.embedded.statements import chunks, insert_new, not_found, one, page_of
from synapse_sdk.backend.embedded.tables import assignments, tasks
from synapse_sdk.backend.records import Assignment, AssignmentFilter, AssignmentId, AssignmentState, TaskId
from synapse_sdk.clock import Clock
from synapse_sdk.types import JsonObject

__all__ = ["EmbeddedAssignments"]


class EmbeddedAssignments:
    """Implements the port `Assignments`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    def create(self, task_ids: Iterable[TaskId], user: str) -> int:
        """Assign tasks to a user who does not have them yet, and return how many assignments were made."""
        new = {"user": user, "state": AssignmentState.OPEN, "created_at": self._clock.now()}
        mine = select(func.count()).where(assignments.c.user == user)
        with self._database.write() as connection:
            before = connection.scalar(mine) or 0
            for chunk in chunks(sorted(set(task_ids))):
                known = select(tasks.c.id).where(tasks.c.id.in_(chunk)).with_for_update(read=True, key_share=True)
                for missing in set(chunk).difference(connection.scalars(known)):
                    raise not_found(missing, "task")
                insert_new(connection, assignments, [{**new, "task_id": task_id} for task_id in chunk])
            return (connection.scalar(mine) or 0) - before

    def get(self, assignment_id: AssignmentId) -> Assignment:
        """Return an assignment."""
        statement = select(assignments).where(assignments.c.id == assignment_id)
        with self._database.read() as connection:
            return _assignment(one(connection, statement, assignment_id, "assignment"))

    def list(self, which: AssignmentFilter, *, after: int = 0, limit: int = 1000) -> Sequence[Assignment]:
        """Return assignments in order of their ids, those behind `after`."""
        with self._database.read() as connection:
            statement = select(assignments).where(assignments.c.id > after, *_conditions(connection, which))
            statement = statement.order_by(assignments.c.id).limit(limit)
            return page_of(connection, statement, assignments.c.data, _assignment)

    def count(self, which: AssignmentFilter) -> int:
        """Return how many assignments there are."""
        with self._database.read() as connection:
            statement = select(func.count()).select_from(assignments).where(*_conditions(connection, which))
            return int(connection.scalar(statement) or 0)

    def last_id(self, which: AssignmentFilter) -> int:
        """Return the greatest id of these assignments; 0 if there are none."""
        with self._database.read() as connection:
            statement = select(func.max(assignments.c.id)).where(*_conditions(connection, which))
            return int(connection.scalar(statement) or 0)

    def set_data(
        self,
        assignment_id: AssignmentId,
        data: JsonObject | None,
        *,
        state: AssignmentState = AssignmentState.SUBMITTED,
    ) -> Assignment:
        """Replace the annotation data of an assignment."""
        change = update(assignments).where(assignments.c.id == assignment_id).values(data=data, state=state)
        with self._database.write() as connection:
            return _assignment(one(connection, change.returning(assignments), assignment_id, "assignment"))


def _conditions(connection: Connection, which: AssignmentFilter) -> Iterator[ColumnElement[bool]]:
    if which.project is not None:
        yield assignments.c.task_id.in_(select(tasks.c.id).where(tasks.c.project_id == which.project))
    yield from one_of_many(connection, assignments.c.id, which.ids)
    yield from one_of_many(connection, assignments.c.task_id, which.tasks)
    yield from equal(assignments.c.user, which.user)
    yield from equal(assignments.c.state, which.state)
    yield from present(assignments.c.data, which.has_data)
    yield from in_range(assignments, which)


def _assignment(row: Row[Any]) -> Assignment:
    return Assignment(
        id=row.id,
        task_id=row.task_id,
        user=row.user,
        data=row.data,
        state=row.state,
        created_at=row.created_at,
    )

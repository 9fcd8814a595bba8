"""What runs submit to tasks: the new data and the old, in one transaction."""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import ColumnElement, Connection, bindparam, delete, insert, literal, select, update

from synapse_sdk.backend.embedded.database import Database
from synapse_sdk.backend.embedded.statements import among
from synapse_sdk.backend.embedded.tables import task_submissions as kept
from synapse_sdk.backend.embedded.tables import tasks
from synapse_sdk.backend.records import (
    Submission,
    SubmissionOutcome,
    TaskId,
    TaskState,
    WithdrawalOutcome,
    WithdrawnTask,
)

__all__ = ["EmbeddedSubmissions"]

SUBMIT = (
    update(tasks)
    .where(tasks.c.id == bindparam("task"))
    .values(data=bindparam("document"), state=TaskState.SUBMITTED, version=tasks.c.version + 1)
)
MARK = (
    update(kept)
    .where(kept.c.run == bindparam("owner"), kept.c.task_id == bindparam("task"))
    .values(withdrawn=bindparam("outcome"))
)


class EmbeddedSubmissions:
    """Implements the port `Submissions`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def submit(self, run: str, submissions: Sequence[Submission]) -> Mapping[TaskId, SubmissionOutcome]:
        """Replace the annotation data of tasks that nobody has changed meanwhile, and keep what they had before."""
        wanted = {each.task_id: each for each in reversed(submissions)}
        if not wanted:
            return {}
        with self._database.write() as connection:
            versions = _versions(connection, wanted)
            done = set(connection.scalars(select(kept.c.task_id).where(*_of(connection, run, wanted))))
            outcomes = {
                task_id: SubmissionOutcome.SUBMITTED if task_id in done else _outcome(each, versions.get(task_id))
                for task_id, each in wanted.items()
            }
            new = [wanted[task_id] for task_id, outcome in outcomes.items() if _is_new(outcome, task_id, done)]
            if new:
                _keep(connection, run, [each.task_id for each in new])
                connection.execute(SUBMIT, [{"task": each.task_id, "document": each.data} for each in new])
        return outcomes

    def withdraw(self, run: str, *, limit: int = 500) -> Sequence[WithdrawnTask]:
        """Give some of the tasks back what they had before the run, and return what became of each."""
        unsettled = (
            select(kept.c.task_id, kept.c.version).where(kept.c.run == run, kept.c.withdrawn.is_(None)).limit(limit)
        )
        with self._database.write() as connection:
            rows = connection.execute(unsettled.order_by(kept.c.task_id)).all()
            if not rows:
                return []
            versions = _versions(connection, [row.task_id for row in rows])
            withdrawn = [
                WithdrawnTask(row.task_id, _withdrawal(row.version, versions.get(row.task_id))) for row in rows
            ]
            back = [each.task_id for each in withdrawn if each.outcome is WithdrawalOutcome.RESTORED]
            if back:
                _give_back(connection, run, back)
            connection.execute(
                MARK, [{"owner": run, "task": each.task_id, "outcome": each.outcome} for each in withdrawn]
            )
        return withdrawn

    def conflicts(self, run: str, *, after: int = 0, limit: int = 1000) -> Sequence[WithdrawnTask]:
        """Return the tasks that could not be given back, in order of their ids, those behind `after`."""
        lost = (WithdrawalOutcome.CONFLICT, WithdrawalOutcome.GONE)
        statement = select(kept.c.task_id, kept.c.withdrawn).where(
            kept.c.run == run, kept.c.task_id > after, kept.c.withdrawn.in_(lost)
        )
        with self._database.read() as connection:
            rows = connection.execute(statement.order_by(kept.c.task_id).limit(limit))
            return [WithdrawnTask(row.task_id, row.withdrawn) for row in rows]

    def forget(self, run: str) -> None:
        """Drop what tasks had before a run."""
        with self._database.write() as connection:
            connection.execute(delete(kept).where(kept.c.run == run))


def _versions(connection: Connection, task_ids: Iterable[int]) -> dict[int, int]:
    """Return the versions of tasks, by id; nobody else changes them until the transaction ends.

    Locked in the order of their ids, so that nobody waits in a circle.
    """
    statement = select(tasks.c.id, tasks.c.version).where(among(connection, tasks.c.id, task_ids))
    rows = connection.execute(statement.order_by(tasks.c.id).with_for_update())
    return {row.id: row.version for row in rows}


def _of(connection: Connection, run: str, task_ids: Iterable[int]) -> Sequence[ColumnElement[bool]]:
    return kept.c.run == run, among(connection, kept.c.task_id, task_ids)


def _outcome(each: Submission, version: int | None) -> SubmissionOutcome:
    if version is None:
        return SubmissionOutcome.GONE
    return SubmissionOutcome.SUBMITTED if version == each.expected_version else SubmissionOutcome.CONFLICT


def _is_new(outcome: SubmissionOutcome, task_id: int, done: set[int]) -> bool:
    return outcome is SubmissionOutcome.SUBMITTED and task_id not in done


def _withdrawal(before: int, version: int | None) -> WithdrawalOutcome:
    if version is None:
        return WithdrawalOutcome.GONE
    return WithdrawalOutcome.RESTORED if version == before + 1 else WithdrawalOutcome.CONFLICT


def _keep(connection: Connection, run: str, task_ids: Sequence[int]) -> None:
    """Keep what tasks have: the database copies it, and Python never sees it."""
    before = select(literal(run), tasks.c.id, tasks.c.version, tasks.c.state, tasks.c.data)
    columns = ["run", "task_id", "version", "state", "data"]
    connection.execute(
        insert(kept).from_select(columns, before.where(among(connection, tasks.c.id, task_ids)), include_defaults=False)
    )


def _give_back(connection: Connection, run: str, task_ids: Sequence[int]) -> None:
    before = [
        select(column).where(kept.c.run == run, kept.c.task_id == tasks.c.id).scalar_subquery()
        for column in (kept.c.data, kept.c.state)
    ]
    connection.execute(
        update(tasks)
        .where(among(connection, tasks.c.id, task_ids))
        .values(data=before[0], state=before[1], version=tasks.c.version + 1)
    )

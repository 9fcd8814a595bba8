"""What the backend is told about runs."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, exists, insert, select, update

from synapse_sdk.backend.embedded.database import Database
from synapse_sdk.backend.embedded.statements import one
from synapse_sdk.backend.embedded.tables import jobs
from synapse_sdk.backend.records import Job, JobStatus
from synapse_sdk.backend.records.jobs import ENDED
from synapse_sdk.clock import Clock
from synapse_sdk.errors import ConflictError
from synapse_sdk.types import JobId, JsonObject, JsonValue

__all__ = ["EmbeddedJobs"]


class EmbeddedJobs:
    """Implements the port `Jobs`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    def create(self, job_id: JobId, action: str, *, params: JsonObject | None = None) -> Job:
        """Make a job that waits to be run."""
        with self._database.write() as connection:
            if connection.scalar(select(exists().where(jobs.c.id == job_id))):
                msg = f"There is a job {job_id!r} already"
                raise ConflictError(msg, fix="Choose another id", job=job_id)
            new = {"id": job_id, "action": action, "params": params or {}, "created_at": self._clock.now()}
            connection.execute(insert(jobs).values(status=JobStatus.PENDING, progress={}, metrics={}, **new))
            return _job(_row(connection, job_id))

    def get(self, job_id: JobId) -> Job:
        """Return a job."""
        with self._database.read() as connection:
            return _job(_row(connection, job_id))

    def list(self, *, status: JobStatus | None = None, after: int = 0, limit: int = 100) -> Sequence[Job]:
        """Return jobs in order of their numbers, those behind `after`."""
        statement = select(jobs).where(jobs.c.number > after).order_by(jobs.c.number).limit(limit)
        if status is not None:
            statement = statement.where(jobs.c.status == status)
        with self._database.read() as connection:
            return [_job(row) for row in connection.execute(statement)]

    def update(
        self,
        job_id: JobId,
        *,
        status: JobStatus | None = None,
        result: JsonValue = None,
        progress: JsonObject | None = None,
        metrics: JsonObject | None = None,
    ) -> Job:
        """Replace what is given, and return the job."""
        given = {"status": status, "result": result, "progress": progress, "metrics": metrics}
        values: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
        with self._database.write() as connection:
            row = _row(connection, job_id, locks=True)
            if status is not None and status is not row.status:
                if row.status in ENDED:
                    msg = f"The job {job_id!r} has ended: it is {row.status}"
                    raise ConflictError(msg, fix="Make another job", job=job_id)
                values |= self._instants(row, status)
            if values:
                connection.execute(update(jobs).where(jobs.c.id == job_id).values(**values))
            return _job(_row(connection, job_id))

    def _instants(self, row: Row[Any], status: JobStatus) -> dict[str, Any]:
        now = self._clock.now()
        if status in ENDED:
            return {"ended_at": now}
        return {"started_at": now} if status is JobStatus.RUNNING and row.started_at is None else {}


def _row(connection: Connection, job_id: JobId, *, locks: bool = False) -> Row[Any]:
    statement = select(jobs).where(jobs.c.id == job_id)
    return one(connection, statement.with_for_update() if locks else statement, job_id, "job")


def _job(row: Row[Any]) -> Job:
    return Job(
        id=row.id,
        number=row.number,
        action=row.action,
        status=row.status,
        params=row.params,
        result=row.result,
        progress=row.progress,
        metrics=row.metrics,
        created_at=row.created_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
    )

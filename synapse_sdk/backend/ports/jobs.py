"""The port of jobs."""

from collections.abc import Sequence
from typing import Protocol

from synapse_sdk.backend.records import Job, JobStatus
from synapse_sdk.types import JobId, JsonObject, JsonValue

__all__ = ["Jobs"]


class Jobs(Protocol):
    """What the backend is told about runs; what happened in them is in the journal."""

    def create(self, job_id: JobId, action: str, *, params: JsonObject | None = None) -> Job:
        """Make a job that waits to be run.

        Raises:
            ConflictError: There is one of this id.
        """
        ...

    def get(self, job_id: JobId) -> Job:
        """Return a job; raises RecordNotFoundError."""
        ...

    def list(self, *, status: JobStatus | None = None, after: int = 0, limit: int = 100) -> Sequence[Job]:
        """Return jobs in order of their numbers, those behind `after`."""
        ...

    def update(
        self,
        job_id: JobId,
        *,
        status: JobStatus | None = None,
        result: JsonValue = None,
        progress: JsonObject | None = None,
        metrics: JsonObject | None = None,
    ) -> Job:
        """Replace what is given, and return the job; it starts when it is running first, and ends with its last status.

        Raises:
            RecordNotFoundError: There is none.
            ConflictError: It has ended, with another status.
        """
        ...

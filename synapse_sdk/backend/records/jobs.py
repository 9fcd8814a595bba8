"""Jobs: what the backend is told about runs."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from synapse_sdk.types import JobId, JsonObject, JsonValue

__all__ = ["ENDED", "Job", "JobStatus"]


class JobStatus(StrEnum):
    """Where a job stands."""

    PENDING = "pending"
    RUNNING = "running"
    STOPPED = "stopped"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


ENDED = frozenset({JobStatus.STOPPED, JobStatus.SUCCEEDED, JobStatus.FAILED})
"""Statuses after which nothing follows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One execution of an action, as the backend was told of it."""

    id: JobId
    number: int
    """Grows with every job; lists are in its order."""
    action: str
    status: JobStatus = JobStatus.PENDING
    params: JsonObject = field(default_factory=dict)
    result: JsonValue = None
    progress: JsonObject = field(default_factory=dict)
    """The newest progress record."""
    metrics: JsonObject = field(default_factory=dict)
    """The newest metrics record."""
    created_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None

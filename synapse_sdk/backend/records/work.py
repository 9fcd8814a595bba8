"""Projects, and the work on the units of their collections."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType

from synapse_sdk.backend.records.catalogue import CollectionId, DataUnitId
from synapse_sdk.types import JsonObject

__all__ = ["Assignment", "AssignmentId", "AssignmentState", "Project", "ProjectId", "Task", "TaskId", "TaskState"]

ProjectId = NewType("ProjectId", int)
TaskId = NewType("TaskId", int)
AssignmentId = NewType("AssignmentId", int)


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """Work on the units of a collection."""

    id: ProjectId
    name: str
    collection_id: CollectionId
    configuration: JsonObject = field(default_factory=dict)
    created_at: datetime


class TaskState(StrEnum):
    """Where a task stands."""

    OPEN = "open"
    """Nobody has submitted anything."""
    SUBMITTED = "submitted"
    """Annotation data was submitted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """The work of a project on one data unit."""

    id: TaskId
    project_id: ProjectId
    unit_id: DataUnitId
    data: JsonObject | None = None
    """The annotation data, a DM document; None before there is any."""
    state: TaskState = TaskState.OPEN
    version: int = 0
    """Grows by one with every change of the data or state."""
    created_at: datetime


class AssignmentState(StrEnum):
    """Where an assignment stands."""

    OPEN = "open"
    SUBMITTED = "submitted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """What one user does of a task."""

    id: AssignmentId
    task_id: TaskId
    user: str
    data: JsonObject | None = None
    """The user's own annotation data, a DM document; None before there is any."""
    state: AssignmentState = AssignmentState.OPEN
    created_at: datetime

"""What lists of records can be narrowed to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Self

from synapse_sdk.backend.records.catalogue import DataUnitId
from synapse_sdk.backend.records.filter_keys import (
    FLAG,
    ID,
    IDS,
    INSTANT,
    TEXT,
    Key,
    WordKey,
    document_of,
    is_aware,
    meanings_of,
)
from synapse_sdk.backend.records.ground_truths import Category, GroundTruthId
from synapse_sdk.backend.records.work import AssignmentId, AssignmentState, ProjectId, TaskId, TaskState
from synapse_sdk.errors import ConfigurationError
from synapse_sdk.types import JsonObject, JsonValue

__all__ = ["AssignmentFilter", "GroundTruthFilter", "TaskFilter"]

BOUNDS = ("gt", "gte", "lt", "lte")
ID_RANGE: Mapping[str, Key] = {f"id__{bound}": ID for bound in BOUNDS}
CREATED_RANGE: Mapping[str, Key] = {f"created__{bound}": INSTANT for bound in BOUNDS}


@dataclass(frozen=True, slots=True, kw_only=True)
class _IdRange:
    """Between which ids, and what all filters can do."""

    KEYS: ClassVar[Mapping[str, Key]]
    """What a document may have, by name: the fields."""

    id__gt: int | None = None
    """Ids greater than this."""
    id__gte: int | None = None
    """This id, or greater."""
    id__lt: int | None = None
    """Ids less than this."""
    id__lte: int | None = None
    """This id, or less."""

    @classmethod
    def parse(cls, document: Mapping[str, JsonValue]) -> Self:
        """Return the filter that a document describes; its keys are the fields, its instants texts in ISO 8601.

        Raises:
            ConfigurationError: It has an unknown key, or a value that does not fit.

        Example:
            >>> TaskFilter.parse({"project": 3, "state": "submitted"}).state
            <TaskState.SUBMITTED: 'submitted'>
        """
        return cls(**meanings_of(document, cls.KEYS))

    @classmethod
    def document(cls, texts: Iterable[str]) -> JsonObject:
        """Return the document, as `parse` takes it, for texts `KEY=VALUE` of a command line.

        Several ids stand between commas, or come one by one.

        Raises:
            ConfigurationError: A text has no `=`, an unknown key or a value that does not fit, or a key that takes one
                value comes twice.

        Example:
            >>> TaskFilter.document(["state=submitted", "has_data=true", "ids=1,2,3"])
            {'state': 'submitted', 'has_data': True, 'ids': [1, 2, 3]}
        """
        return document_of(texts, cls.KEYS)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ranges(_IdRange):
    """Between which ids, and from which time.

    Raises:
        ConfigurationError: An instant does not say how far it is from UTC: it would mean something else elsewhere.
    """

    created__gt: datetime | None = None
    """Made after this instant."""
    created__gte: datetime | None = None
    """Made at this instant, or after it."""
    created__lt: datetime | None = None
    """Made before this instant."""
    created__lte: datetime | None = None
    """Made at this instant, or before it."""

    def __post_init__(self) -> None:
        for name in CREATED_RANGE:
            instant = getattr(self, name)
            if instant is not None and not is_aware(instant):
                msg = f"The filter {name!r} cannot be {instant.isoformat()!r}"
                raise ConfigurationError(msg, fix=f"Use {INSTANT.wanted}", filter=name)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFilter(_Ranges):
    """Which tasks are meant; what is None or left out fits all."""

    KEYS: ClassVar[Mapping[str, Key]] = {
        "project": ID,
        "ids": IDS,
        "data_units": IDS,
        "state": WordKey(TaskState),
        "has_data": FLAG,
        **ID_RANGE,
        **CREATED_RANGE,
    }

    project: ProjectId | None = None
    ids: tuple[TaskId, ...] | None = None
    """Any number of them."""
    data_units: tuple[DataUnitId, ...] | None = None
    """Any number of them."""
    state: TaskState | None = None
    has_data: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentFilter(_Ranges):
    """Which assignments are meant; what is None or left out fits all."""

    KEYS: ClassVar[Mapping[str, Key]] = {
        "project": ID,
        "ids": IDS,
        "tasks": IDS,
        "user": TEXT,
        "state": WordKey(AssignmentState),
        "has_data": FLAG,
        **ID_RANGE,
        **CREATED_RANGE,
    }

    project: ProjectId | None = None
    ids: tuple[AssignmentId, ...] | None = None
    """Any number of them."""
    tasks: tuple[TaskId, ...] | None = None
    """Any number of them."""
    user: str | None = None
    state: AssignmentState | None = None
    has_data: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GroundTruthFilter(_IdRange):
    """Which ground truths of a version are meant; what is None or left out fits all."""

    KEYS: ClassVar[Mapping[str, Key]] = {
        "category": WordKey(Category),
        "ids": IDS,
        "data_units": IDS,
        "tasks": IDS,
        **ID_RANGE,
    }

    category: Category | None = None
    ids: tuple[GroundTruthId, ...] | None = None
    """Any number of them."""
    data_units: tuple[DataUnitId, ...] | None = None
    """Any number of them."""
    tasks: tuple[TaskId, ...] | None = None
    """Any number of them; those from which the ground truths were taken."""

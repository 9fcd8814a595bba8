"""What lists of records can be narrowed to."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from synapse_sdk.backend.records.catalogue import DataUnitId
from synapse_sdk.backend.records.ground_truths import Category
from synapse_sdk.backend.records.work import AssignmentState, ProjectId, TaskId, TaskState
from synapse_sdk.errors import ConfigurationError
from synapse_sdk.extensions import one_of
from synapse_sdk.types import JsonValue

__all__ = ["AssignmentFilter", "GroundTruthFilter", "TaskFilter"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFilter:
    """Which tasks are meant; what is None or left out fits all."""

    project: ProjectId | None = None
    ids: tuple[TaskId, ...] | None = None
    data_units: tuple[DataUnitId, ...] | None = None
    state: TaskState | None = None
    has_data: bool | None = None

    @classmethod
    def parse(cls, document: Mapping[str, JsonValue]) -> "TaskFilter":
        """Return the filter that a document describes.

        Raises:
            ConfigurationError: It has an unknown key, or a value that does not fit.

        Example:
            >>> TaskFilter.parse({"project": 3, "state": "submitted"}).state
            <TaskState.SUBMITTED: 'submitted'>
        """
        fields = _Fields(document, ("project", "ids", "data_units", "state", "has_data"))
        return cls(
            project=fields.one("project", ProjectId),
            ids=fields.many("ids", TaskId),
            data_units=fields.many("data_units", DataUnitId),
            state=fields.word("state", TaskState),
            has_data=fields.flag("has_data"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentFilter:
    """Which assignments are meant; what is None or left out fits all."""

    project: ProjectId | None = None
    tasks: tuple[TaskId, ...] | None = None
    user: str | None = None
    state: AssignmentState | None = None

    @classmethod
    def parse(cls, document: Mapping[str, JsonValue]) -> "AssignmentFilter":
        """Return the filter that a document describes, as `TaskFilter.parse` does."""
        fields = _Fields(document, ("project", "tasks", "user", "state"))
        return cls(
            project=fields.one("project", ProjectId),
            tasks=fields.many("tasks", TaskId),
            user=fields.text("user"),
            state=fields.word("state", AssignmentState),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class GroundTruthFilter:
    """Which ground truths of a version are meant; what is None or left out fits all."""

    category: Category | None = None
    data_units: tuple[DataUnitId, ...] | None = None

    @classmethod
    def parse(cls, document: Mapping[str, JsonValue]) -> "GroundTruthFilter":
        """Return the filter that a document describes, as `TaskFilter.parse` does."""
        fields = _Fields(document, ("category", "data_units"))
        return cls(category=fields.word("category", Category), data_units=fields.many("data_units", DataUnitId))


class _Fields:
    """The fields of a document, each taken as what it has to be; every method raises ConfigurationError if it is not.

    Args:
        document: Names to values.
        known: The names it may have.

    Raises:
        ConfigurationError: It has another one.
    """

    def __init__(self, document: Mapping[str, JsonValue], known: tuple[str, ...]) -> None:
        for name in document:
            if name not in known:
                msg = f"There is no filter {name!r}"
                raise ConfigurationError(msg, fix=one_of(name, known))
        self._document = document

    def one[T](self, name: str, identity: Callable[[int], T]) -> T | None:
        """Return the id under a name."""
        value = self._document.get(name)
        return None if value is None else identity(self._number(name, value))

    def many[T](self, name: str, identity: Callable[[int], T]) -> tuple[T, ...] | None:
        """Return the ids under a name, of which one is enough."""
        value = self._document.get(name)
        if value is None:
            return None
        items = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
        return tuple(identity(self._number(name, item)) for item in items)

    def word[E: StrEnum](self, name: str, words: type[E]) -> E | None:
        """Return the word under a name."""
        value = self._document.get(name)
        if value is None or value in tuple(words):
            return None if value is None else words(value)
        raise _wrong(name, value, f"one of {', '.join(words)}")

    def text(self, name: str) -> str | None:
        """Return the text under a name."""
        value = self._document.get(name)
        if value is None or isinstance(value, str):
            return value
        raise _wrong(name, value, "text")

    def flag(self, name: str) -> bool | None:
        """Return whether it is true or false."""
        value = self._document.get(name)
        if value is None or isinstance(value, bool):
            return value
        raise _wrong(name, value, "true or false")

    def _number(self, name: str, value: JsonValue) -> int:
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        raise _wrong(name, value, "a whole number")


def _wrong(name: str, value: JsonValue, wanted: str) -> ConfigurationError:
    return ConfigurationError(f"The filter {name!r} cannot be {value!r}", fix=f"Use {wanted}")

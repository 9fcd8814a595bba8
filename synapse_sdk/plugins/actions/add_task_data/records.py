"""What the ledger knows of tasks, and of annotations that no task has."""

from dataclasses import dataclass
from enum import StrEnum

from synapse_sdk.plugins.actions.export.records import NO_FAILURE, Failure

__all__ = ["Entry", "Settlement", "Stray", "StrayKind", "TaskName", "TaskStage"]


class TaskStage(StrEnum):
    """Where a task stands."""

    LISTED = "listed"
    """It is one of those that are wanted."""
    LOADED = "loaded"
    """There are annotations for it."""
    INFERRED = "inferred"
    """A model has given a result for it."""
    CONVERTED = "converted"
    """They are a document that can be submitted."""
    SUBMITTED = "submitted"
    """It has them."""
    FAILED = "failed"
    SKIPPED = "skipped"
    """Nothing was to be done: there are no annotations for it, or a hook did not want it."""


class StrayKind(StrEnum):
    """Why annotations of a file have no task."""

    UNMATCHED = "unmatched"
    """No task is about an image of this name."""
    AMBIGUOUS = "ambiguous"
    """Several are, or something else in the file is about the same task."""
    UNREADABLE = "unreadable"
    """They make no sense."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskName:
    """A task, and by what it is found."""

    id: int
    unit: int
    version: int
    path: str
    """The name of its primary file, folders included, in NFC; the unit key, if it has no file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A task in the ledger."""

    id: int
    unit: int
    version: int
    """The version that it had when it was listed."""
    path: str
    stage: TaskStage
    source: str
    """What its annotations are called in the file they come from."""
    content: bytes | None
    """JSON: of a task that is loaded what was read, of one that is converted what is submitted; else None."""
    failure: Failure = NO_FAILURE


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What became of one task."""

    id: int
    stage: TaskStage
    content: bytes | None = None
    failure: Failure = NO_FAILURE


@dataclass(frozen=True, slots=True)
class Stray:
    """Annotations of a file that no task has."""

    kind: StrayKind
    name: str
    words: str = ""

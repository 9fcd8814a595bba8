"""What a target has to be able to do, and what it hands to the exporter."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NotRequired, TypedDict

from synapse_sdk.backend import Backend, Project
from synapse_sdk.errors import ConfigurationError
from synapse_sdk.types import JsonObject, JsonValue

__all__ = ["ExportItem", "ItemFile", "Results", "TargetHandler", "project_named"]


class ItemFile(TypedDict):
    """A file of an item: one of a storage, or one of the web."""

    file_name_original: str
    """What it was called where it came from, folders included."""
    is_primary: bool
    """Whether the item is shown by it."""
    file_type: NotRequired[str]
    url: NotRequired[str]
    """Where it is, for files of the web: `https://...`. Files of storages are found by `storage` and `key`."""
    storage: NotRequired[int]
    """Id of the storage record."""
    key: NotRequired[str]
    sha256: NotRequired[str]
    """Hexadecimal; what is fetched is compared with it."""
    size: NotRequired[int]
    """Bytes; likewise."""


class ExportItem(TypedDict):
    """What the hooks of an exporter get, one item after the other."""

    id: int
    data: JsonObject | None
    """The annotation data, a DM document; None if there is none."""
    files: dict[str, ItemFile]
    """By name of the file specification."""
    category: NotRequired[str]
    """What a ground truth is for: train, validation, test."""


@dataclass(frozen=True, slots=True)
class Results:
    """What a filter has found: how much, and a way to read it as often as need be."""

    count: int
    """How many there were when they were counted."""
    read: Callable[[int], Iterator[ExportItem]]
    """Takes the id behind which to begin (0 for all) and yields items, in order of growing ids."""
    last_id: int | None = None
    """The id of the last one that was counted: what comes later is not exported. None for no such bound."""


class TargetHandler(ABC):
    """Finds what is to be exported.

    Args:
        backend: Where it is.
    """

    def __init__(self, backend: Backend) -> None:
        self.backend = backend

    @classmethod
    def document(cls, texts: Iterable[str]) -> JsonObject:
        """Return the filter that texts `KEY=VALUE` of a command line describe, as `validate_filter` takes it.

        Raises:
            ConfigurationError: A text has no `=`, or does not fit.
        """
        pairs = [text.partition("=") for text in texts]
        if wrong := next((pair for pair in pairs if not pair[0] or not pair[1]), None):
            msg = f"The filter {''.join(wrong)!r} is not of the form KEY=VALUE"
            raise ConfigurationError(msg, fix="Write the key, an equals sign, and the value")
        return {key: value for key, _, value in pairs}

    @abstractmethod
    def validate_filter(self, value: Mapping[str, JsonValue]) -> Any:  # noqa: ANN401  # what the other methods take
        """Return the filter that a document describes.

        Raises:
            ConfigurationError: It lacks a key that it needs, has an unknown one, or a value that does not fit.
            RecordNotFoundError: It names something that there is not.
        """

    @abstractmethod
    def get_results(self, filters: Any) -> Results:  # noqa: ANN401  # what `validate_filter` returns
        """Count what a filter finds, and say how it is read; no page of it is read yet."""

    @abstractmethod
    def project_of(self, filters: Any) -> int | None:  # noqa: ANN401  # as above
        """Return the id of the project that all items are of; None if they are of none or of several."""


def project_named(backend: Backend, value: Mapping[str, JsonValue]) -> Project:
    """Return the project that a filter names, by id or name.

    Raises:
        ConfigurationError: It names none, or in a way that cannot be understood.
        RecordNotFoundError: There is no such project.
    """
    named = value.get("project")
    if isinstance(named, str | int) and not isinstance(named, bool) and named != "":
        return backend.projects.get(named)
    msg = "The filter names no project" if named is None else f"The filter 'project' cannot be {named!r}"
    raise ConfigurationError(msg, fix="Give the id or the name of a project (--project)")

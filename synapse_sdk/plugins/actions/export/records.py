"""What the ledger of an export knows of items and files."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Entry", "Failure", "ItemState", "Problem", "Rename", "SavedFile", "Settlement"]


class ItemState(StrEnum):
    """Where an item stands."""

    CONVERTED = "converted"
    """It can be saved."""
    EXPORTED = "exported"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why an item was not exported, or only in part."""

    reason: str
    """A stable word, such as `NULL_DATA`."""
    words: str
    trace: str = ""
    """The traceback, where a hook raised."""


NO_FAILURE = Failure(reason="", words="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An item in the ledger."""

    number: int
    """Its place in the export, from 1."""
    id: int
    state: ItemState
    content: bytes | None
    """The converted item as JSON, until it is settled; None if it could not be converted."""
    name: str
    """What its document is called, without `.json`."""
    failure: Failure = NO_FAILURE


@dataclass(frozen=True, slots=True)
class Rename:
    """A file that could not keep its name."""

    number: int
    wanted: str
    given: str


@dataclass(frozen=True, slots=True)
class SavedFile:
    """A file of the export."""

    path: str
    """Below the export's folder."""
    size: int
    """Bytes."""
    sha256: str
    number: int | None = None
    """The item that it belongs to; None for one that belongs to all."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A file of an item that could not be saved."""

    kind: str
    """`json` or `original`."""
    name: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What became of one item."""

    number: int
    id: int
    state: ItemState
    files: Sequence[SavedFile] = ()
    original_bytes: int = 0
    """Of those of its files that were fetched."""
    problems: Sequence[Problem] = ()
    failure: Failure = NO_FAILURE

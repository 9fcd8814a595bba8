"""What the ledger of an export knows of items and files."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

__all__ = [
    "DOCUMENTS",
    "ORIGINALS",
    "OTHERS",
    "Entry",
    "Failure",
    "ItemState",
    "Problem",
    "Rename",
    "SavedFile",
    "Settlement",
]


DOCUMENTS, ORIGINALS, OTHERS = "json", "origin_files", "other_files"
"""The folders of an export: documents, the primary files of items, and what they have besides."""


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
    category: str = ""
    """What a ground truth is for."""


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
    """The place in the export of the item that it belongs to; None for one that belongs to all."""
    item: int | None = None
    """The id of that item."""
    category: str = ""
    """What that item, a ground truth, is for."""


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
    problems: Sequence[Problem] = ()
    failure: Failure = NO_FAILURE

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
    "writable",
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


def writable(text: object) -> str:
    r"""Return what a hook says as text that any file can have: half a character is shown as `\ud83d`.

    Example:
        >>> print(writable("half \ud83d"))
        half \ud83d
    """
    return str(text).encode("utf-8", "backslashreplace").decode()


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
    """What its document is called; empty if it could not be converted."""
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
    stamp: int = 0
    """When it was written last, as the file system tells it: by that, and by nothing else, a change is noticed."""
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

"""Storages, collections, and the files and units in them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType

from synapse_sdk.types import JsonObject

__all__ = [
    "CollectionId",
    "DataCollection",
    "DataFile",
    "DataFileId",
    "DataFileState",
    "DataUnit",
    "DataUnitId",
    "DataUnitState",
    "FileSpecification",
    "FileType",
    "StorageId",
    "StorageRecord",
    "UnitFile",
    "Usage",
    "primary_specification",
]

StorageId = NewType("StorageId", int)
CollectionId = NewType("CollectionId", int)
DataFileId = NewType("DataFileId", int)
DataUnitId = NewType("DataUnitId", int)


class FileType(StrEnum):
    """What kind of content a file specification is for."""

    IMAGE = "image"
    VIDEO = "video"
    PCD = "pcd"
    """Point cloud."""
    TEXT = "text"
    AUDIO = "audio"
    DATA = "data"
    """Anything else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageRecord:
    """A storage that the backend knows by name."""

    id: StorageId
    name: str
    url: str
    """As `open_storage` takes it, without anything secret."""
    credentials: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Handed to `open_storage`; never printed."""
    is_default: bool = False
    """Whether it is used when none is named."""
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSpecification:
    """One of the files that every data unit of a collection may have."""

    name: str
    """Also the name of the folder in which its files lie when a whole folder is uploaded."""
    file_type: FileType = FileType.DATA
    is_required: bool = True
    """Whether a unit without it is incomplete."""
    is_primary: bool = False
    """Whether it is the one that a unit is shown by; at most one is."""
    extensions: tuple[str, ...] = ()
    """Extensions it may have, in small letters and with the dot; empty for any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataCollection:
    """A set of data units of one kind."""

    id: CollectionId
    uid: str
    """Random text that no other collection has, in whichever backend: keys of its objects begin with it, so that
    backends that share a storage never delete each other's objects."""
    name: str
    description: str = ""
    specifications: tuple[FileSpecification, ...] = ()
    """In the order in which they were given."""
    created_at: datetime


class DataFileState(StrEnum):
    """Where a data file stands."""

    RESERVED = "reserved"
    """Somebody is about to put the object; it may be there or not."""
    STORED = "stored"
    """The object is in the storage, verified."""
    DELETING = "deleting"
    """Nobody needs it any more, and a rollback is about to delete the object."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataFile:
    """One object in a storage, known by its content: a collection has each content once."""

    id: DataFileId
    collection_id: CollectionId
    storage_id: StorageId
    key: str
    """Key of the object in the storage."""
    sha256: str
    """Hexadecimal."""
    size: int
    """Bytes."""
    state: DataFileState
    owner: str | None = None
    """The run that is answerable for the object: it deletes the object when it is rolled back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """How much a collection has in storages."""

    files: int
    size: int
    """Bytes."""


class DataUnitState(StrEnum):
    """Whether a data unit is there for everybody."""

    STAGED = "staged"
    """Registered by a run that has not succeeded yet; hidden, unless asked for."""
    LIVE = "live"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitFile:
    """A file of a data unit."""

    file_id: DataFileId
    name: str
    """What the file was called where it came from: its path below the folder of its specification."""
    key: str
    storage_id: StorageId
    sha256: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DataUnit:
    """Files that belong together, one for each file specification that applies."""

    id: DataUnitId
    collection_id: CollectionId
    key: str
    """Names the unit in its collection."""
    files: Mapping[str, UnitFile]
    """By name of the file specification."""
    meta: JsonObject = field(default_factory=dict)
    state: DataUnitState = DataUnitState.LIVE
    run: str | None = None
    """The run that registered it."""
    created_at: datetime


def primary_specification(unit: DataUnit, specifications: Iterable[FileSpecification]) -> str | None:
    """Return the name of the specification whose file a unit is shown by, and what belongs to it is named after.

    That is the primary one. Where a unit has no file of it, it is the first by name of those that it has; None if it
    has no file at all.
    """
    primary = next((each.name for each in specifications if each.is_primary and each.name in unit.files), None)
    return min(unit.files, default=None) if primary is None else primary

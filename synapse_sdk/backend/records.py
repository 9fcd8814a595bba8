"""The records of the backend: frozen values that travel between it and its users."""

from collections.abc import Mapping
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
    "NewUnit",
    "Project",
    "ProjectId",
    "RegisteredUnit",
    "Registration",
    "ReservedFile",
    "StorageId",
    "StorageRecord",
    "UnitFile",
]

StorageId = NewType("StorageId", int)
CollectionId = NewType("CollectionId", int)
DataFileId = NewType("DataFileId", int)
DataUnitId = NewType("DataUnitId", int)
ProjectId = NewType("ProjectId", int)


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
    name: str
    description: str = ""
    specifications: tuple[FileSpecification, ...] = ()
    """In the order in which they were given."""
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """Work on the units of a collection."""

    id: ProjectId
    name: str
    collection_id: CollectionId
    configuration: JsonObject = field(default_factory=dict)
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


# What a run brings in


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservedFile:
    """What to do about one content that a run wants to store."""

    file: DataFile
    must_send: bool
    """Whether the run has to put the object and make sure that it is there; False if it is known to be there."""
    is_claimed_before: bool = False
    """Whether this run had reserved it before: it was cut short, and the object may be there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewUnit:
    """A data unit to be registered."""

    key: str
    files: Mapping[str, tuple[DataFileId, str]]
    """Name of the file specification to the data file and what it was called where it came from."""
    meta: JsonObject = field(default_factory=dict)


class Registration(StrEnum):
    """What became of a unit that was to be registered."""

    CREATED = "created"
    """It is new, or this run had registered it before."""
    DUPLICATE = "duplicate"
    """There was a unit of this key with the same files."""
    CONFLICT = "conflict"
    """There is a unit of this key with other files; nothing was changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredUnit:
    """What became of one unit that was to be registered."""

    key: str
    outcome: Registration
    unit_id: DataUnitId
    """The unit of this key."""

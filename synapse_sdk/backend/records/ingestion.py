"""What a run brings into a collection, and what becomes of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from synapse_sdk.backend.records.catalogue import DataFile, DataFileId, DataUnitId
from synapse_sdk.types import JsonObject

__all__ = ["NewUnit", "RegisteredUnit", "Registration", "ReservedFile"]


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
    """There is a live unit of this key with the same files."""
    PENDING = "pending"
    """Another run, which has not succeeded yet, brings in a unit of this key with the same files; nothing was changed.
    """
    CONFLICT = "conflict"
    """There is a unit of this key with other files; nothing was changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredUnit:
    """What became of one unit that was to be registered."""

    key: str
    outcome: Registration
    unit_id: DataUnitId
    """The unit of this key."""

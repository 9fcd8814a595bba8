"""Trained models."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType

from synapse_sdk.backend.records.catalogue import StorageId
from synapse_sdk.types import JsonObject

__all__ = ["Model", "ModelFile", "ModelId", "ModelState"]

ModelId = NewType("ModelId", int)


class ModelState(StrEnum):
    """Whether a model is there for everybody."""

    STAGED = "staged"
    """A run is about to put its file, and has not succeeded yet."""
    REGISTERED = "registered"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFile:
    """The object in which a model is."""

    storage_id: StorageId
    key: str
    sha256: str
    size: int
    """Bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A version of a trained model."""

    id: ModelId
    name: str
    version: str
    file: ModelFile
    configuration: JsonObject = field(default_factory=dict)
    """Such as the hyperparameters it was trained with."""
    state: ModelState = ModelState.STAGED
    run: str | None = None
    """The run that made it."""
    created_at: datetime

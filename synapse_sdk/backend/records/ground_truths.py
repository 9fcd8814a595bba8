"""Ground truths: what is held to be true of data units, frozen, for training and judging models."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

from synapse_sdk.backend.records.catalogue import DataUnitId
from synapse_sdk.backend.records.work import TaskId
from synapse_sdk.types import JsonObject

__all__ = [
    "Category",
    "GroundTruth",
    "GroundTruthDataset",
    "GroundTruthDatasetId",
    "GroundTruthId",
    "GroundTruthVersion",
    "GroundTruthVersionId",
    "NewGroundTruth",
]

GroundTruthDatasetId = NewType("GroundTruthDatasetId", int)
GroundTruthVersionId = NewType("GroundTruthVersionId", int)
GroundTruthId = NewType("GroundTruthId", int)


class Category(StrEnum):
    """What a ground truth is for."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


@dataclass(frozen=True, slots=True, kw_only=True)
class GroundTruthDataset:
    """A name under which there are versions of ground truths."""

    id: GroundTruthDatasetId
    name: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class GroundTruthVersion:
    """A set of ground truths that never changes."""

    id: GroundTruthVersionId
    dataset_id: GroundTruthDatasetId
    number: int
    """1 for the first of its dataset."""
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class GroundTruth:
    """What is held to be true of one data unit."""

    id: GroundTruthId
    version_id: GroundTruthVersionId
    unit_id: DataUnitId
    task_id: TaskId | None = None
    """The task it was taken from, as long as there is that task."""
    category: Category
    data: JsonObject
    """A DM document."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewGroundTruth:
    """A ground truth of a version that is to be made: of a task as it is now, or of a unit with data given here."""

    category: Category
    task_id: TaskId | None = None
    unit_id: DataUnitId | None = None
    """Left out for a task: its own."""
    data: JsonObject | None = None
    """Left out for a task: what it has now."""

"""The port of ground truths."""

from collections.abc import Sequence
from typing import Protocol

from synapse_sdk.backend.records import (
    GroundTruth,
    GroundTruthDataset,
    GroundTruthDatasetId,
    GroundTruthFilter,
    GroundTruthVersion,
    GroundTruthVersionId,
    NewGroundTruth,
)

__all__ = ["GroundTruths"]


class GroundTruths(Protocol):
    """Datasets of ground truths, in versions that never change."""

    def create_dataset(self, name: str) -> GroundTruthDataset:
        """Make a dataset without versions.

        Raises:
            ConflictError: There is one of this name.
        """
        ...

    def dataset(self, reference: GroundTruthDatasetId | int | str) -> GroundTruthDataset:
        """Return a dataset by id or name.

        Raises:
            RecordNotFoundError: There is none; the message names the nearest.
        """
        ...

    def create_version(self, dataset_id: GroundTruthDatasetId, items: Sequence[NewGroundTruth]) -> GroundTruthVersion:
        """Make the next version of a dataset, whole and for good.

        Raises:
            RecordNotFoundError: There is no such dataset, task or unit.
            ConflictError: One of the tasks has no data, or an item is of neither task nor unit; nothing was made.
        """
        ...

    def version(self, version_id: GroundTruthVersionId) -> GroundTruthVersion:
        """Return a version; raises RecordNotFoundError."""
        ...

    def versions(self, dataset_id: GroundTruthDatasetId) -> Sequence[GroundTruthVersion]:
        """Return the versions of a dataset, the first one first."""
        ...

    def list(
        self,
        version_id: GroundTruthVersionId,
        which: GroundTruthFilter | None = None,
        *,
        after: int = 0,
        limit: int = 1000,
    ) -> Sequence[GroundTruth]:
        """Return ground truths of a version in order of their ids, those behind `after`."""
        ...

    def count(self, version_id: GroundTruthVersionId, which: GroundTruthFilter | None = None) -> int:
        """Return how many ground truths a version has."""
        ...

    def remove_version(self, version_id: GroundTruthVersionId) -> None:
        """Remove a version with its ground truths; safe to repeat."""
        ...

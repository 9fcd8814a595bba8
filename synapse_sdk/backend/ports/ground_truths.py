"""The port of ground truths."""

from collections.abc import Iterable, Sequence
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
            ConfigurationError: The name has an `@`, which comes before the number of a version.
            ConflictError: There is one of this name.
        """
        ...

    def dataset(self, reference: GroundTruthDatasetId | int | str) -> GroundTruthDataset:
        """Return a dataset by id or name.

        Raises:
            RecordNotFoundError: There is none; the message names the nearest.
        """
        ...

    def datasets(self, *, after: int = 0, limit: int = 100) -> Sequence[GroundTruthDataset]:
        """Return datasets in order of their ids, those behind `after`."""
        ...

    def remove_dataset(self, dataset_id: GroundTruthDatasetId) -> None:
        """Remove a dataset without versions.

        Raises:
            RecordNotFoundError: There is none.
            ConflictError: It has versions.
        """
        ...

    def create_version(self, dataset_id: GroundTruthDatasetId, items: Iterable[NewGroundTruth]) -> GroundTruthVersion:
        """Make the next version of a dataset, whole and for good.

        Items are taken as they come, some hundred at a time, and may be read from this backend meanwhile. If they end
        in an exception, nothing was made.

        Raises:
            RecordNotFoundError: There is no such dataset, task or unit.
            ConflictError: One of the tasks has no data, or an item is of neither task nor unit; nothing was made.
        """
        ...

    def version(self, version_id: GroundTruthVersionId) -> GroundTruthVersion:
        """Return a version; raises RecordNotFoundError."""
        ...

    def find_version(self, reference: str) -> GroundTruthVersion:
        """Return the version that `NAME@NUMBER` means; the newest of the dataset for `NAME` alone.

        Raises:
            RecordNotFoundError: There is none; the message names the nearest dataset, or the numbers there are.

        Example:
            >>> from synapse_sdk.backend import open_backend
            >>> with open_backend("memory:") as backend:
            ...     birds = backend.ground_truths.create_dataset("birds")
            ...     made = backend.ground_truths.create_version(birds.id, [])
            ...     backend.ground_truths.find_version("birds@1") == made
            True
        """
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
        """Return ground truths of a version in order of their ids, those behind `after`.

        Fewer than `limit` if they are large, so that a page fits into memory; none only if there are no more.
        """
        ...

    def count(self, version_id: GroundTruthVersionId, which: GroundTruthFilter | None = None) -> int:
        """Return how many ground truths a version has."""
        ...

    def remove_version(self, version_id: GroundTruthVersionId) -> None:
        """Remove a version with its ground truths; safe to repeat."""
        ...

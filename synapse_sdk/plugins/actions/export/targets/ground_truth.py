"""Exporting a version of a ground-truth dataset."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from synapse_sdk.backend import DataUnitId, GroundTruth, GroundTruthFilter, GroundTruthVersionId
from synapse_sdk.backend.paging import pages
from synapse_sdk.errors import ConfigurationError
from synapse_sdk.plugins.actions.export.targets.base import ExportItem, Results, TargetHandler
from synapse_sdk.plugins.actions.export.targets.reading import PAGE, ItemReader
from synapse_sdk.types import JsonObject, JsonValue

__all__ = ["GroundTruthHandler", "VersionFilter"]

VERSION = "ground_truth_dataset_version"


@dataclass(frozen=True, slots=True)
class VersionFilter:
    """Which ground truths of which version are meant."""

    version_id: GroundTruthVersionId
    which: GroundTruthFilter


class GroundTruthHandler(TargetHandler):
    """Finds ground truths: an item is what is held to be true of one data unit, with its category."""

    @classmethod
    def document(cls, texts: Iterable[str]) -> JsonObject:
        """Return the filter that texts describe; see `GroundTruthFilter.document`."""
        return GroundTruthFilter.document(texts)

    def validate_filter(self, value: Mapping[str, JsonValue]) -> VersionFilter:
        """Return the filter of a document: a version, by id or as NAME or NAME@NUMBER, and what narrows it."""
        named = value.get(VERSION)
        if isinstance(named, bool) or not isinstance(named, str | int) or named == "":
            msg = (
                "The filter names no version of a ground-truth dataset"
                if named is None
                else f"The filter {VERSION!r} cannot be {named!r}"
            )
            raise ConfigurationError(msg, fix="Give the id of a version, or NAME or NAME@NUMBER (--dataset)")
        narrowing = {name: each for name, each in value.items() if name != VERSION}
        which = GroundTruthFilter.parse(narrowing)
        ground_truths = self.backend.ground_truths
        if isinstance(named, int):
            version = ground_truths.version(GroundTruthVersionId(named))
        else:
            version = ground_truths.find_version(named)
        return VersionFilter(version.id, which)

    def get_results(self, filters: VersionFilter) -> Results:
        """Count the ground truths; a version never changes."""
        ground_truths = self.backend.ground_truths
        reader = ItemReader[GroundTruth](self.backend, _parts)

        def page(behind: int, size: int) -> Sequence[GroundTruth]:
            return ground_truths.list(filters.version_id, filters.which, after=behind, limit=size)

        def read(after: int) -> Iterator[ExportItem]:
            return reader.items(pages(page, after=after, page=PAGE))

        return Results(count=ground_truths.count(filters.version_id, filters.which), read=read)

    def project_of(self, filters: VersionFilter) -> int | None:  # the port's
        """Return None: ground truths outlive projects."""
        return None


def _parts(page: Sequence[GroundTruth]) -> list[tuple[ExportItem, DataUnitId]]:
    return [
        (ExportItem(id=each.id, data=each.data, files={}, category=str(each.category)), each.unit_id) for each in page
    ]

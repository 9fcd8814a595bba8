"""Making items of records: page by page, each with the files of its data unit."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Protocol

from synapse_sdk.backend import (
    AssignmentFilter,
    Backend,
    CollectionId,
    DataUnit,
    DataUnitId,
    FileSpecification,
    TaskFilter,
    primary_specification,
)
from synapse_sdk.backend.paging import Numbered, pages
from synapse_sdk.plugins.actions.export.targets.base import ExportItem, ItemFile, Results

__all__ = ["PAGE", "ItemReader", "results_of"]

PAGE = 500
"""Records that are read at a time, at most."""


class ItemReader[R]:
    """Makes items of records of one kind.

    Args:
        backend: Where their data units are.
        of: Returns items of some records, which have no files yet, with the data units whose files they get.
    """

    def __init__(self, backend: Backend, of: Callable[[Sequence[R]], Sequence[tuple[ExportItem, DataUnitId]]]) -> None:
        self._backend, self._of = backend, of
        self._specifications: dict[CollectionId, dict[str, FileSpecification]] = {}

    def items(self, read: Iterable[Sequence[R]]) -> Iterator[ExportItem]:
        """Yield an item for each record of pages, in their order; no other page is in memory meanwhile."""
        for page in read:
            found = self._of(page)
            units = {unit.id: unit for unit in self._backend.data_units.many([unit_id for _, unit_id in found])}
            for item, unit_id in found:
                if unit_id in units:  # else it was removed meanwhile, and its item with it
                    item["files"] = self._files(units[unit_id])
                    yield item

    def _files(self, unit: DataUnit) -> dict[str, ItemFile]:
        """Return the files of a unit as hooks get them; if it has any, exactly one is the primary one."""
        known = self._specifications_of(unit.collection_id)
        primary = primary_specification(unit, known.values())
        return {
            name: ItemFile(
                file_name_original=file.name,
                is_primary=name == primary,
                file_type=str(known[name].file_type) if name in known else "data",
                storage=file.storage_id,
                key=file.key,
                sha256=file.sha256,
                size=file.size,
            )
            for name, file in unit.files.items()
        }

    def _specifications_of(self, collection_id: CollectionId) -> dict[str, FileSpecification]:
        known = self._specifications.get(collection_id)
        if known is None:
            collection = self._backend.collections.get(collection_id)
            known = self._specifications[collection_id] = {each.name: each for each in collection.specifications}
        return known


class Family[F: (TaskFilter, AssignmentFilter), R: Numbered](Protocol):
    """A family of records that grows while it is read."""

    def list(self, which: F, *, after: int = 0, limit: int = 1000) -> Sequence[R]:
        """Return records in order of their ids, those behind `after`."""
        ...

    def count(self, which: F) -> int:
        """Return how many there are."""
        ...

    def last_id(self, which: F) -> int:
        """Return the greatest id; 0 if there are none."""
        ...


def results_of[F: (TaskFilter, AssignmentFilter), R: Numbered](
    family: Family[F, R], filters: F, reader: ItemReader[R]
) -> Results:
    """Count what a filter finds in a family; what is made later is not among it."""
    last = family.last_id(filters)
    found = replace(filters, id__lte=last)  # which is no greater than what the filter says

    def page(behind: int, size: int) -> Sequence[R]:
        return family.list(found, after=behind, limit=size)

    def read(after: int) -> Iterator[ExportItem]:
        return reader.items(pages(page, after=after, page=PAGE, until=last))

    return Results(count=family.count(found), read=read, last_id=last)

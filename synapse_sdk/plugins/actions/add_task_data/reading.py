"""Reading tasks with their data units: as names when they are listed, and as hooks get them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import batched
from typing import TYPE_CHECKING, Any
from unicodedata import normalize
from urllib.parse import quote

from synapse_sdk.backend import (
    DataUnit,
    DataUnitId,
    StorageId,
    Task,
    TaskFilter,
    TaskId,
    UnitFile,
    primary_specification,
)
from synapse_sdk.backend.paging import every, pages
from synapse_sdk.plugins.actions.add_task_data.records import Entry, TaskName
from synapse_sdk.plugins.actions.export.records import writable

if TYPE_CHECKING:
    from synapse_sdk.plugins.actions.add_task_data.context import AddTaskDataContext

__all__ = ["TaskReader", "TaskWithUnit"]

TOGETHER = 200
"""Tasks whose units are looked up together."""


@dataclass(frozen=True, slots=True)
class TaskWithUnit:
    """A task as it is now, with its unit."""

    entry: Entry
    task: Task
    unit: DataUnit
    primary: str | None
    """Name of the specification of the file that the unit is shown by."""

    @property
    def primary_file(self) -> UnitFile | None:
        """The file that the unit is shown by."""
        return None if self.primary is None else self.unit.files[self.primary]


class TaskReader:
    """Reads the tasks of a run.

    Args:
        context: Of the run.
    """

    def __init__(self, context: "AddTaskDataContext") -> None:
        self._backend = context.backend
        self._wanted = context.wanted
        self._specifications = context.collection.specifications
        self._roots: dict[int, str] = {}

    def names(self) -> Iterator[Sequence[TaskName]]:
        """Yield the tasks that are wanted, page by page, by what they are found; ids tell when there are no more."""
        last = self._backend.tasks.last_id(self._wanted)
        for page in pages(partial(self._list, self._wanted), until=last):
            units = self._units(task.unit_id for task in page)
            yield [
                TaskName(id=task.id, unit=task.unit_id, version=task.version, path=self._path(units[task.unit_id]))
                for task in page
                if task.unit_id in units
            ]

    def read(self, entries: Iterable[Entry]) -> Iterator[tuple[Entry, TaskWithUnit | None]]:
        """Yield tasks of the ledger as they are now; None for one that is gone."""
        for batch in batched(entries, TOGETHER):
            which = TaskFilter(ids=tuple(TaskId(entry.id) for entry in batch))
            by_id = {task.id: task for task in every(partial(self._list, which))}
            units = self._units(DataUnitId(entry.unit) for entry in batch)
            for entry in batch:
                task, unit = by_id.get(TaskId(entry.id)), units.get(entry.unit)
                if task is None or unit is None:
                    yield entry, None
                else:
                    yield entry, TaskWithUnit(entry, task, unit, primary_specification(unit, self._specifications))

    def url(self, file: UnitFile | None) -> str:
        """Return where a file is, as hooks are told; empty if there is none."""
        if file is None:
            return ""
        root = self._roots.get(file.storage_id)
        if root is None:
            record = self._backend.storages.get(StorageId(file.storage_id))
            root = self._roots[file.storage_id] = record.url.partition("?")[0].rstrip("/")
        return f"{root}/{quote(file.key)}"

    def as_data(self, found: TaskWithUnit) -> dict[str, Any]:
        """Return a task as hooks get it."""
        task, unit = found.task, found.unit
        files = {
            name: {"file_name_original": file.name, "is_primary": name == found.primary, "url": self.url(file)}
            for name, file in unit.files.items()
        }
        return {
            "id": task.id,
            "project": task.project_id,
            "state": str(task.state),
            "version": task.version,
            "data": task.data,
            "data_unit": {"id": unit.id, "key": unit.key, "meta": dict(unit.meta), "files": files},
        }

    def _list(self, which: TaskFilter, after: int, size: int) -> Sequence[Task]:
        return self._backend.tasks.list(which, after=after, limit=size)

    def _units(self, ids: Iterable[DataUnitId]) -> Mapping[int, DataUnit]:
        return {unit.id: unit for unit in self._backend.data_units.many(ids)}

    def _path(self, unit: DataUnit) -> str:
        primary = primary_specification(unit, self._specifications)
        return normalize("NFC", writable(unit.key if primary is None else unit.files[primary].name))

"""Ground truths, in versions that never change."""

import shlex
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, Row, Text, delete, exists, func, insert, select, type_coerce

from synapse_sdk.backend.embedded.columns import JsonText
from synapse_sdk.backend.embedded.database import Database
from synapse_sdk.backend.embedded.narrowing import equal, in_range, one_of_many
from synapse_sdk.backend.embedded.statements import (
    check_name,
    chunks,
    create,
    find,
    not_found,
    one,
    page_of,
    refuse_taken,
)
from synapse_sdk.backend.embedded.tables import (
    data_units,
    ground_truth_datasets,
    ground_truth_versions,
    ground_truths,
    tasks,
)
from synapse_sdk.backend.records import (
    GroundTruth,
    GroundTruthDataset,
    GroundTruthDatasetId,
    GroundTruthFilter,
    GroundTruthVersion,
    GroundTruthVersionId,
    NewGroundTruth,
)
from synapse_sdk.clock import Clock
from synapse_sdk.errors import ConfigurationError, ConflictError, RecordNotFoundError

if TYPE_CHECKING:
    from synapse_sdk.types import JsonValue

__all__ = ["EmbeddedGroundTruths"]

AT = "@"
"""Comes between the name of a dataset and the number of a version."""
MOST_NUMBERS = 10
"""Numbers of versions that an error names."""


class EmbeddedGroundTruths:
    """Implements the port `GroundTruths`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    def create_dataset(self, name: str) -> GroundTruthDataset:
        """Make a dataset without versions."""
        check_name(name, "ground-truth dataset")
        if AT in name:
            msg = f"A ground-truth dataset cannot be named {name!r}"
            raise ConfigurationError(msg, why=f"{AT} comes before the number of a version", fix=f"Leave {AT} out")
        now = self._clock.now()
        with self._database.write() as connection:
            refuse_taken(connection, ground_truth_datasets, name, "ground-truth dataset")
            identity = create(connection, ground_truth_datasets, name=name, created_at=now)
        return GroundTruthDataset(id=GroundTruthDatasetId(identity), name=name, created_at=now)

    def dataset(self, reference: GroundTruthDatasetId | int | str) -> GroundTruthDataset:
        """Return a dataset by id or name."""
        with self._database.read() as connection:
            row = find(connection, ground_truth_datasets, reference, "ground-truth dataset")
        return _dataset(row)

    def datasets(self, *, after: int = 0, limit: int = 100) -> Sequence[GroundTruthDataset]:
        """Return datasets in order of their ids, those behind `after`."""
        table = ground_truth_datasets
        statement = select(table).where(table.c.id > after).order_by(table.c.id).limit(limit)
        with self._database.read() as connection:
            return [_dataset(row) for row in connection.execute(statement)]

    def remove_dataset(self, dataset_id: GroundTruthDatasetId) -> None:
        """Remove a dataset without versions."""
        datasets, versions = ground_truth_datasets, ground_truth_versions
        with self._database.write() as connection:
            if connection.scalar(select(exists().where(versions.c.dataset_id == dataset_id))):
                msg = f"The ground-truth dataset {dataset_id} cannot be removed: it has versions"
                raise ConflictError(msg, fix="Remove its versions first", dataset=dataset_id)
            if not connection.execute(delete(datasets).where(datasets.c.id == dataset_id)).rowcount:
                raise not_found(dataset_id, "ground-truth dataset")

    def create_version(self, dataset_id: GroundTruthDatasetId, items: Iterable[NewGroundTruth]) -> GroundTruthVersion:
        """Make the next version of a dataset, whole and for good."""
        datasets, versions = ground_truth_datasets, ground_truth_versions
        now = self._clock.now()
        with self._database.write() as connection:
            known = select(datasets.c.id).where(datasets.c.id == dataset_id).with_for_update(key_share=True)
            if connection.scalar(known) is None:
                raise not_found(dataset_id, "ground-truth dataset")
            last = connection.scalar(select(func.max(versions.c.number)).where(versions.c.dataset_id == dataset_id))
            number = (last or 0) + 1
            identity = create(connection, versions, dataset_id=dataset_id, number=number, created_at=now)
            for chunk in chunks(items):
                connection.execute(insert(ground_truths), _rows(connection, identity, chunk))
        return GroundTruthVersion(
            id=GroundTruthVersionId(identity), dataset_id=dataset_id, number=number, created_at=now
        )

    def version(self, version_id: GroundTruthVersionId) -> GroundTruthVersion:
        """Return a version."""
        statement = select(ground_truth_versions).where(ground_truth_versions.c.id == version_id)
        with self._database.read() as connection:
            return _version(one(connection, statement, version_id, "ground-truth version"))

    def find_version(self, reference: str) -> GroundTruthVersion:
        """Return the version that `NAME@NUMBER` means; the newest of the dataset for `NAME` alone."""
        name, _, number = reference.partition(AT)
        dataset = self.dataset(name)
        versions = self.versions(dataset.id)
        for version in reversed(versions):
            if AT not in reference or str(version.number) == number:
                return version
        if not versions:
            msg = f"The ground-truth dataset {dataset.name!r} has no version yet"
            fix = f"Make one: synapse datasets add {shlex.quote(dataset.name)} --project PROJECT"
            raise RecordNotFoundError(msg, fix=fix, dataset=dataset.name)
        msg = f"The ground-truth dataset {dataset.name!r} has no version {number!r}"
        there = ", ".join(str(version.number) for version in versions[-MOST_NUMBERS:])
        fix = f"Use one of: {there}" if len(versions) <= MOST_NUMBERS else f"The newest ones are {there}"
        raise RecordNotFoundError(msg, fix=fix, dataset=dataset.name)

    def versions(self, dataset_id: GroundTruthDatasetId) -> Sequence[GroundTruthVersion]:
        """Return the versions of a dataset, the first one first."""
        table = ground_truth_versions
        statement = select(table).where(table.c.dataset_id == dataset_id).order_by(table.c.number)
        with self._database.read() as connection:
            return [_version(row) for row in connection.execute(statement)]

    def list(
        self,
        version_id: GroundTruthVersionId,
        which: GroundTruthFilter | None = None,
        *,
        after: int = 0,
        limit: int = 1000,
    ) -> Sequence[GroundTruth]:
        """Return ground truths of a version in order of their ids, those behind `after`."""
        with self._database.read() as connection:
            conditions = _conditions(connection, version_id, which)
            statement = select(ground_truths).where(ground_truths.c.id > after, *conditions)
            statement = statement.order_by(ground_truths.c.id).limit(limit)
            return page_of(connection, statement, ground_truths.c.data, _ground_truth)

    def count(self, version_id: GroundTruthVersionId, which: GroundTruthFilter | None = None) -> int:
        """Return how many ground truths a version has."""
        with self._database.read() as connection:
            conditions = _conditions(connection, version_id, which)
            statement = select(func.count()).select_from(ground_truths).where(*conditions)
            return int(connection.scalar(statement) or 0)

    def remove_version(self, version_id: GroundTruthVersionId) -> None:
        """Remove a version with its ground truths."""
        with self._database.write() as connection:
            connection.execute(delete(ground_truth_versions).where(ground_truth_versions.c.id == version_id))


def _rows(connection: Connection, version_id: int, items: Sequence[NewGroundTruth]) -> "list[dict[str, Any]]":
    """Return the rows of new ground truths, with what their tasks have now."""
    wanted = [item.task_id for item in items if item.task_id is not None]
    statement = select(tasks.c.id, tasks.c.unit_id, type_coerce(tasks.c.data, Text)).where(tasks.c.id.in_(wanted))
    known = {identity: (unit_id, text) for identity, unit_id, text in connection.execute(statement)}
    rows = [_row(version_id, item, known) for item in items]
    units = {row["unit_id"] for row in rows}
    present = select(data_units.c.id).where(data_units.c.id.in_(units)).with_for_update(read=True, key_share=True)
    for missing in units.difference(connection.scalars(present)):
        raise not_found(missing, "data unit")
    return rows


def _row(version_id: int, item: NewGroundTruth, known: "dict[int, tuple[int, str | None]]") -> dict[str, Any]:
    task = None if item.task_id is None else known.get(item.task_id)
    if item.task_id is not None and task is None:
        raise not_found(item.task_id, "task")
    unit_id = item.unit_id if task is None else task[0]
    data: JsonValue = item.data
    if data is None and task is not None and task[1] is not None:
        data = JsonText(task[1])
    if unit_id is None or data is None or (item.unit_id is not None and item.unit_id != unit_id):
        what = f"task {item.task_id}" if task is not None else f"unit {item.unit_id}"
        msg = f"The ground truth of {what} cannot be made: it has no data, or is of another unit"
        raise ConflictError(msg, fix="Annotate it first, or give the data")
    return {
        "version_id": version_id,
        "unit_id": unit_id,
        "task_id": item.task_id,
        "category": item.category,
        "data": data,
    }


def _conditions(
    connection: Connection, version_id: GroundTruthVersionId, which: GroundTruthFilter | None
) -> Iterator[ColumnElement[bool]]:
    yield ground_truths.c.version_id == version_id
    if which is not None:
        yield from equal(ground_truths.c.category, which.category)
        yield from one_of_many(connection, ground_truths.c.id, which.ids)
        yield from one_of_many(connection, ground_truths.c.unit_id, which.data_units)
        yield from one_of_many(connection, ground_truths.c.task_id, which.tasks)
        yield from in_range(ground_truths, which)


def _dataset(row: Row[Any]) -> GroundTruthDataset:
    return GroundTruthDataset(id=row.id, name=row.name, created_at=row.created_at)


def _version(row: Row[Any]) -> GroundTruthVersion:
    return GroundTruthVersion(id=row.id, dataset_id=row.dataset_id, number=row.number, created_at=row.created_at)


def _ground_truth(row: Row[Any]) -> GroundTruth:
    return GroundTruth(
        id=row.id,
        version_id=row.version_id,
        unit_id=row.unit_id,
        task_id=row.task_id,
        category=row.category,
        data=row.data,
    )

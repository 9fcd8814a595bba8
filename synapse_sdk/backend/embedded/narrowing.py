"""What the filters of all families have in common, as conditions."""

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table

from synapse_sdk.backend.embedded.statements import among
from synapse_sdk.backend.records import AssignmentFilter, GroundTruthFilter, TaskFilter

__all__ = ["equal", "in_range", "one_of_many", "present"]

BOUNDS: Mapping[str, Callable[[Any, Any], ColumnElement[bool]]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}


def in_range(table: Table, which: TaskFilter | AssignmentFilter | GroundTruthFilter) -> Iterator[ColumnElement[bool]]:
    """Yield the conditions for the bounds that a filter has, such as `id__gt`."""
    for field, column in (("id", table.c.id), ("created", table.c.get("created_at"))):
        for name, compare in BOUNDS.items():
            bound = getattr(which, f"{field}__{name}", None)
            if bound is not None:
                yield compare(column, bound)


def equal(column: ColumnElement[Any], value: object) -> Iterator[ColumnElement[bool]]:
    """Yield the condition that a column has a value; none for None."""
    if value is not None:
        yield column == value


def one_of_many(
    connection: Connection, column: ColumnElement[Any], values: Iterable[int] | None
) -> Iterator[ColumnElement[bool]]:
    """Yield the condition that a column has one of any number of values; none for None."""
    if values is not None:
        yield among(connection, column, values)


def present(column: ColumnElement[Any], is_wanted: bool | None) -> Iterator[ColumnElement[bool]]:  # noqa: FBT001  # a filter's
    """Yield the condition that a column has any value, or has none; none for None."""
    if is_wanted is not None:
        yield column.is_not(None) if is_wanted else column.is_(None)

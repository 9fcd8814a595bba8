"""Registering data units: which are new, which were there, and which contradict what is there."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from synapse_sdk.backend.embedded.columns import json_text
from synapse_sdk.backend.embedded.prepared import (
    unit_contents,
    unit_files_added,
    units_added,
    units_by_key,
)
from synapse_sdk.backend.embedded.statements import chunks, packed, packed_rows
from synapse_sdk.backend.records import DataUnitId, DataUnitState, NewUnit, RegisteredUnit, Registration
from synapse_sdk.errors import ConflictError

__all__ = ["register_units"]


def register_units(
    connection: Connection,
    run: str,
    collection_id: int,
    units: Sequence[NewUnit],
    *,
    contents: Mapping[int, str],
    now: datetime,
) -> Sequence[RegisteredUnit]:
    """Register units of a collection that the caller has locked.

    Args:
        connection: To the database, in a transaction.
        run: The run that brings them in.
        collection_id: Their collection.
        units: The units.
        contents: The SHA-256 of all files that are stored in the collection, by id.
        now: When they are created.

    Raises:
        ConflictError: One has a file that is not stored, or belongs to another collection.
    """
    _refuse_missing(units, contents)
    outcomes: list[RegisteredUnit] = []
    for chunk in chunks(units):
        known = _known_units(connection, collection_id, [unit.key for unit in chunk])
        new: dict[str, NewUnit] = {}
        for unit in chunk:
            if unit.key not in known:
                new.setdefault(unit.key, unit)
        created = _insert(connection, run, collection_id, list(new.values()), now)
        for key, identity in created.items():
            known[key] = _Known(identity, run, DataUnitState.STAGED, _contents_of(new[key], contents))
        outcomes += [_outcome(unit, run, known[unit.key], contents) for unit in chunk]
    return outcomes


class _Known(NamedTuple):
    """A unit that is there."""

    id: int
    run: str | None
    state: DataUnitState
    contents: dict[str, str]


def _refuse_missing(units: Iterable[NewUnit], contents: Mapping[int, str]) -> None:
    for unit in units:
        for specification, (file_id, _) in unit.files.items():
            if file_id not in contents:
                msg = f"The file {specification!r} of data unit {unit.key!r} is not stored in this collection"
                raise ConflictError(msg, fix="Put its object, then register it as stored", unit=unit.key, file=file_id)


def _known_units(connection: Connection, collection_id: int, keys: Sequence[str]) -> dict[str, _Known]:
    """Return the units that have one of the keys."""
    kind = connection.dialect.name
    asked = {"collection": collection_id, "keys": packed(connection, keys)}
    rows = connection.execute(units_by_key(kind), asked).all()
    contents: dict[int, dict[str, str]] = {row.id: {} for row in rows}
    if rows:
        for row in connection.execute(unit_contents(kind), {"units": packed(connection, contents)}):
            contents[row.unit_id][row.specification] = row.sha256
    return {row.key: _Known(row.id, row.run, row.state, contents[row.id]) for row in rows}


def _insert(
    connection: Connection, run: str, collection_id: int, units: Sequence[NewUnit], now: datetime
) -> dict[str, int]:
    """Insert units, hidden, with their files, and return their ids by key."""
    if not units:
        return {}
    kind = connection.dialect.name
    added = connection.execute(
        units_added(kind),
        {
            "collection": collection_id,
            "state": DataUnitState.STAGED,
            "by": run,
            "at": now,
            "units": packed_rows([(unit.key, json_text(unit.meta)) for unit in units]),
        },
    )
    ids = {key: identity for identity, key in added.all()}
    links = [
        (ids[unit.key], specification, file_id, name)
        for unit in units
        for specification, (file_id, name) in unit.files.items()
    ]
    if links:
        connection.execute(unit_files_added(kind), {"links": packed_rows(links)})
    return ids


def _contents_of(unit: NewUnit, contents: Mapping[int, str]) -> dict[str, str]:
    return {specification: contents[file_id] for specification, (file_id, _) in unit.files.items()}


def _outcome(unit: NewUnit, run: str, known: _Known, contents: Mapping[int, str]) -> RegisteredUnit:
    if known.contents != _contents_of(unit, contents):
        outcome = Registration.CONFLICT
    elif known.run == run:
        outcome = Registration.CREATED
    else:
        outcome = Registration.DUPLICATE if known.state is DataUnitState.LIVE else Registration.PENDING
    return RegisteredUnit(key=unit.key, outcome=outcome, unit_id=DataUnitId(known.id))

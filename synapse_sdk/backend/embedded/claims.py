"""How a run lets go of what it has claimed, and who answers for the objects then.

A file is needed by the units that have it and by the runs that claim it. When the last of them goes, its object is to
be deleted, by the run that went last; as long as one is left, that one answers for it.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, delete, except_, func, select, union, update

from synapse_sdk.backend.embedded.data_files import is_needed
from synapse_sdk.backend.embedded.statements import among
from synapse_sdk.backend.embedded.tables import data_file_claims, data_files, data_unit_files, data_units
from synapse_sdk.backend.records import DataFileState

__all__ = ["collections_of", "give_up", "let_go", "unused_files"]


def collections_of(connection: Connection, run: str) -> Sequence[int]:
    """Return the collections of all files and units that a run has to do with."""
    claimed = select(data_files.c.collection_id).join(
        data_file_claims, and_(data_file_claims.c.file_id == data_files.c.id, data_file_claims.c.run == run)
    )
    owned = select(data_files.c.collection_id).where(data_files.c.owner == run)
    units = select(data_units.c.collection_id).where(data_units.c.run == run)
    return connection.scalars(union(claimed, owned, units)).all()


def unused_files(run: str) -> Select[Any]:
    """Return what selects the files that a run claims and that none of its units has."""
    own_units = (
        select(data_unit_files.c.file_id)
        .join(data_units, data_units.c.id == data_unit_files.c.unit_id)
        .where(data_unit_files.c.file_id == data_files.c.id, data_units.c.run == run)
    )
    claimed = and_(data_file_claims.c.file_id == data_files.c.id, data_file_claims.c.run == run)
    return select(data_files).join(data_file_claims, claimed).where(~own_units.exists())


def give_up(connection: Connection, run: str, file_ids: Sequence[int]) -> None:
    """End a run's claims of reserved files, and forget those that nobody needs; their objects are not touched."""
    given = among(connection, data_files.c.id, file_ids)
    reserved = connection.scalars(
        select(data_files.c.id).where(given, data_files.c.state == DataFileState.RESERVED)
    ).all()
    claimed = among(connection, data_file_claims.c.file_id, reserved)
    connection.execute(delete(data_file_claims).where(data_file_claims.c.run == run, claimed))
    given = among(connection, data_files.c.id, reserved)
    connection.execute(delete(data_files).where(given, data_files.c.owner == run, ~is_needed()))
    _hand_over(connection, run, given)


def let_go(connection: Connection, run: str, *, removes_units: bool = False) -> None:
    """End the claims of a run, and see to every file that it has no unit with."""
    answerable = _loose_files(connection, run, removes_units=removes_units)
    if removes_units:
        connection.execute(delete(data_units).where(data_units.c.run == run))
    connection.execute(delete(data_file_claims).where(data_file_claims.c.run == run))
    loose = among(connection, data_files.c.id, answerable)
    connection.execute(
        update(data_files)
        .where(loose, data_files.c.state != DataFileState.DELETING, ~is_needed())
        .values(state=DataFileState.DELETING, owner=run)
    )
    _hand_over(connection, run, loose)


def _loose_files(connection: Connection, run: str, *, removes_units: bool) -> Sequence[int]:
    """Return the files that a run owns or claims and has no unit with, or will have none with."""
    owned = select(data_files.c.id).where(data_files.c.owner == run)
    claimed = select(data_file_claims.c.file_id).where(data_file_claims.c.run == run)
    own_units = (
        select(data_unit_files.c.file_id)
        .join(data_units, data_units.c.id == data_unit_files.c.unit_id)
        .where(data_units.c.run == run)
    )
    if removes_units:
        return sorted(connection.scalars(union(owned, claimed, own_units)))
    return sorted(connection.scalars(except_(union(owned, claimed).subquery().select(), own_units)))


def _hand_over(connection: Connection, run: str, given: ColumnElement[bool]) -> None:
    """Make somebody who needs them answerable for files of a run: one who claims them, or else whose unit has them."""
    claimant = (
        select(func.min(data_file_claims.c.run)).where(data_file_claims.c.file_id == data_files.c.id).scalar_subquery()
    )
    publisher = (
        select(func.min(data_units.c.run))
        .join(data_unit_files, data_unit_files.c.unit_id == data_units.c.id)
        .where(data_unit_files.c.file_id == data_files.c.id)
        .scalar_subquery()
    )
    connection.execute(
        update(data_files)
        .where(given, data_files.c.owner == run, data_files.c.state != DataFileState.DELETING)
        .values(owner=func.coalesce(claimant, publisher))
    )

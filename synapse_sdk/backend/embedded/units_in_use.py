"""Data units that somebody works on, and which therefore cannot be removed."""

from sqlalchemy import ColumnElement, Connection, select

from synapse_sdk.backend.embedded.tables import data_units, ground_truths, tasks
from synapse_sdk.errors import ConflictError

__all__ = ["refuse_units_in_use"]


def refuse_units_in_use(connection: Connection, which: ColumnElement[bool]) -> None:
    """See that there are no tasks and ground truths of some units, which would be lost with them.

    Args:
        connection: To the database.
        which: The condition on `data_units`.

    Raises:
        ConflictError: There are; the message names one of the units.
    """
    for table, what in ((tasks, "a task"), (ground_truths, "a ground truth")):
        used = select(data_units.c.key).join(table, table.c.unit_id == data_units.c.id).where(which).limit(1)
        key = connection.scalar(used)
        if key is not None:
            msg = f"The data unit {key!r} cannot be removed: there is {what} of it"
            raise ConflictError(msg, fix="Remove that first, then try again", unit=key)

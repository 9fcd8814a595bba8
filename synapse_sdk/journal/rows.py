"""Rows of the journals that are SQL databases, as the values they stand for."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from synapse_sdk.errors import JournalCorruptedError
from synapse_sdk.journal.model import Cancellation, RunId, RunRecord, RunSource, first_digest
from synapse_sdk.journal.owner import Owner
from synapse_sdk.reporting.events import RunStatus

__all__ = ["as_microseconds", "as_record"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def as_record(row: Sequence[Any], fix: str) -> RunRecord:
    """Return the run that a row of the queries `run` and `runs` describes.

    Args:
        row: The columns in the order in which the queries name them.
        fix: What to do if it does not make sense.

    Raises:
        JournalCorruptedError: It holds something that no version of this package has written.
    """
    try:
        return _record(row)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        msg = f"What the journal holds about run {str(row[1])!r} cannot be read"
        raise JournalCorruptedError(msg, why=f"{type(error).__name__}: {error}", fix=fix, run=row[1]) from error


def _record(row: Sequence[Any]) -> RunRecord:
    _, run_id, source, status, created_at, ended_at, token, owner_text, lease_left, cancel_at, cancel_by = row
    owner = None if owner_text is None else Owner.from_text(owner_text)
    return RunRecord(
        id=RunId(run_id),
        source=RunSource.from_text(source),
        status=RunStatus(status),
        created_at=_instant(created_at),
        ended_at=None if ended_at is None else _instant(ended_at),
        owner=owner,
        token=token,
        lease_left=0.0 if owner is None or owner.is_dead() else max(0.0, lease_left),
        cancellation=None if cancel_at is None else Cancellation(requested_at=_instant(cancel_at), by=cancel_by),
        digest=first_digest(run_id, source),
    )


def as_microseconds(instant: datetime) -> int:
    """Return an instant as microseconds since 1970."""
    return (instant - EPOCH) // timedelta(microseconds=1)


def _instant(microseconds: int) -> datetime:
    return EPOCH + timedelta(microseconds=microseconds)

"""Reading records of which there may be many, page by page."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Protocol

from synapse_sdk.errors import InvalidPageError

__all__ = ["Numbered", "every"]

FIX = "What lists them is broken; report it to whoever made that"
PAGE = 500
"""Records that are read at a time."""


class Numbered(Protocol):
    """A record with an id."""

    @property
    def id(self) -> int:
        """Its id."""
        ...


def every[T: Numbered](
    read: Callable[[int, int], Sequence[T]],
    *,
    after: int = 0,
    limit: int | None = None,
    page: int = PAGE,
    until: int | None = None,
) -> Iterator[T]:
    """Yield records in order of their ids.

    Args:
        read: Takes the id behind which to begin, and how many to read; such as `list` of a family does.
        after: Id behind which to begin.
        limit: How many at most; None for all.
        page: How many to read at a time.
        until: Id behind which there can be no records; None for any. Reading comes to an end even if they never do.

    Raises:
        InvalidPageError: A page repeats records, goes back, or goes on behind `until`; those before it were yielded.
    """
    return islice(_pages(read, after, page if limit is None else min(page, limit), until), limit)


def _pages[T: Numbered](
    read: Callable[[int, int], Sequence[T]], after: int, size: int, until: int | None
) -> Iterator[T]:
    while found := read(after, size):
        for record in found:
            _check(record.id, after, until)
            after = record.id
            yield record
        if len(found) < size:
            return


def _check(identity: int, before: int, until: int | None) -> None:
    if identity <= before:
        msg = f"A list of records goes back: behind the id {before} comes {identity}"
        raise InvalidPageError(msg, fix=FIX, after=before, id=identity)
    if until is not None and identity > until:
        msg = f"A list of records goes on behind its end: behind the id {until} comes {identity}"
        raise InvalidPageError(msg, fix=FIX, until=until, id=identity)

"""Reading records of which there may be many, page by page."""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain, islice
from typing import Protocol

from synapse_sdk.errors import InvalidPageError

__all__ = ["Numbered", "every", "pages"]

FIX = "What lists them is broken; report it to whoever made that"
PAGE = 500
"""Records that are read at a time, at most."""


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
        read: Takes the id behind which to begin, and how many to read at most; such as `list` of a family does.
        after: Id behind which to begin.
        limit: How many at most; None for all.
        page: How many to read at a time.
        until: Id behind which there can be no records; None for any. Reading comes to an end even if they never do.

    Raises:
        InvalidPageError: A page repeats records, goes back, or goes on behind `until`; those before it were yielded.
    """
    size = page if limit is None else min(page, limit)
    return islice(chain.from_iterable(pages(read, after=after, page=size, until=until)), limit)


def pages[T: Numbered](
    read: Callable[[int, int], Sequence[T]], *, after: int = 0, page: int = PAGE, until: int | None = None
) -> Iterator[Sequence[T]]:
    """Yield records as `every` does, page by page: as many as were read together, so that no more are in memory.

    A page may have fewer records than were asked for, if they are large: the end is one without any, or `until`.
    """
    while (until is None or after < until) and (found := read(after, page)):
        for number, record in enumerate(found):
            if (error := _refusal(record.id, after, until)) is not None:
                yield found[:number]
                raise error
            after = record.id
        yield found


def _refusal(identity: int, before: int, until: int | None) -> InvalidPageError | None:
    if identity <= before:
        msg = f"A list of records goes back: behind the id {before} comes {identity}"
        return InvalidPageError(msg, fix=FIX, after=before, id=identity)
    if until is not None and identity > until:
        msg = f"A list of records goes on behind its end: behind the id {until} comes {identity}"
        return InvalidPageError(msg, fix=FIX, until=until, id=identity)
    return None

"""Reading records of which there may be many, page by page."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Protocol

__all__ = ["Numbered", "every"]

PAGE = 500
"""Records that are read at a time."""


class Numbered(Protocol):
    """A record with an id."""

    @property
    def id(self) -> int:
        """Its id."""
        ...


def every[T: Numbered](
    read: Callable[[int, int], Sequence[T]], *, after: int = 0, limit: int | None = None, page: int = PAGE
) -> Iterator[T]:
    """Yield records in order of their ids.

    Args:
        read: Takes the id behind which to begin, and how many to read; such as `list` of a family does.
        after: Id behind which to begin.
        limit: How many at most; None for all.
        page: How many to read at a time.
    """
    return islice(_pages(read, after, page if limit is None else min(page, limit)), limit)


def _pages[T: Numbered](read: Callable[[int, int], Sequence[T]], after: int, size: int) -> Iterator[T]:
    while found := read(after, size):
        yield from found
        if len(found) < size:
            return
        after = found[-1].id

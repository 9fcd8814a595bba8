"""At which position in a file the image of each id is."""

from array import array
from bisect import bisect_left
from collections.abc import Iterable
from itertools import pairwise
from operator import lt

__all__ = ["HIGHEST", "NOWHERE", "Id", "IdTable"]

NOWHERE = -1
HIGHEST = 2**63 - 1
"""Ids up to here take 12 bytes, of which no file has others; those that are text, and odder ones, take a hundred."""

type Id = int | float | str


class IdTable:
    """Positions of images by id.

    Args:
        ids: The id at each position from 0; None where there is none. Of two with one id, the first counts.

    Example:
        >>> table = IdTable([7, None, 3, 7])
        >>> table.get(3), table.get(5), table.repeated
        (2, -1, [3])
    """

    def __init__(self, ids: Iterable[Id | None] = ()) -> None:
        self.repeated: list[int] = []
        """Positions whose id is that of a position before."""
        self._others: dict[Id, int] = {}
        numbers, positions = array("q"), array("i")
        for position, given in enumerate(ids):
            if given is None:
                continue
            if (number := _number(given)) is not None:
                numbers.append(number)
                positions.append(position)
            elif self._others.setdefault(given, position) != position:
                self.repeated.append(position)
        self._numbers, self._positions = numbers, positions
        if not all(lt(*pair) for pair in pairwise(numbers)):
            self._sort()

    def get(self, id_: Id) -> int:
        """Return the position of the image with an id; -1 if there is none."""
        number = id_ if type(id_) is int and 0 <= id_ <= HIGHEST else _number(id_)
        if number is None:
            return self._others.get(id_, NOWHERE)
        place = bisect_left(self._numbers, number)
        is_there = place < len(self._numbers) and self._numbers[place] == number
        return self._positions[place] if is_there else NOWHERE

    def move(self, id_: Id, position: int) -> None:
        """Say that the image with an id is at another position."""
        number = _number(id_)
        if number is None:
            self._others[id_] = position
        else:
            self._positions[bisect_left(self._numbers, number)] = position

    def _sort(self) -> None:
        """Bring positions into the order of their ids."""
        given, positions = self._numbers, self._positions
        self._numbers = array("q", sorted(given))
        self._positions = array("i", (NOWHERE,)) * len(given)
        for id_, position in zip(given, positions, strict=True):
            place = bisect_left(self._numbers, id_)
            if self._positions[place] == NOWHERE:
                self._positions[place] = position
            else:
                self.repeated.append(position)


def _number(id_: Id) -> int | None:
    """Return an id as one of those that take little; None for any other. `7.0` is 7."""
    if isinstance(id_, str) or not 0 <= id_ <= HIGHEST or id_ != int(id_):
        return None
    return int(id_)

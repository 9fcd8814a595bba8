"""Names of files, hundreds of thousands of them, in little more memory than they have letters."""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from heapq import merge
from itertools import accumulate, batched, islice

__all__ = ["NameList", "NameSet"]

RUN = 4_096
"""Names that are sorted at a time: text and numbers take many times what is kept of them."""


class NameList:
    """Names in their order, numbered from 0, in 4 bytes a name beside its letters.

    Args:
        names: The names, sorted if they are to be looked for. They may hold any bytes, as names of files do.

    Raises:
        OverflowError: They have more than 4 GB.

    Example:
        >>> names = NameList(["robin.jpg", "wren.jpg"])
        >>> names[0], names.find("wren.jpg"), names.find("owl.jpg")
        ('robin.jpg', 1, -1)
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._likely = 0
        """The number that is likely to be looked for next: names are, mostly in their order."""
        self._letters = bytearray()
        self._ends = array("I", (0,))
        for run in batched(names, RUN):
            before = len(self._letters)
            letters = [name.encode(errors="surrogateescape") for name in run]
            self._letters += b"".join(letters)
            self._ends.extend(islice(accumulate(map(len, letters), initial=before), 1, None))

    @classmethod
    def in_order(cls, names: Iterable[str]) -> "NameList":
        """Return names sorted."""
        runs = [cls(sorted(run)) for run in batched(names, RUN)]
        return runs[0] if len(runs) == 1 else cls(merge(*runs))

    def __len__(self) -> int:
        """Return the number of names."""
        return len(self._ends) - 1

    def __iter__(self) -> Iterator[str]:
        """Yield the names in their order."""
        return self.starting_at(0)

    def starting_at(self, number: int) -> Iterator[str]:
        """Yield the names from a number on, in their order."""
        for first in range(number, len(self), RUN):
            ends = self._ends[first : first + RUN + 1]
            letters, begin = bytes(self._letters[ends[0] : ends[-1]]), 0
            for end in map(int(-ends[0]).__add__, islice(ends, 1, None)):
                yield letters[begin:end].decode(errors="surrogateescape")
                begin = end

    def __eq__(self, other: object) -> bool:
        """Whether another list has the same names in the same order."""
        if not isinstance(other, NameList):
            return NotImplemented
        return (self._letters, self._ends) == (other._letters, other._ends)

    __hash__ = None  # type: ignore[assignment]  # as lists

    def __getitem__(self, number: int) -> str:
        """Return the name of a number.

        Raises:
            IndexError: There is none.
        """
        if not 0 <= number < len(self):
            msg = f"There is no name {number} among {len(self)}"
            raise IndexError(msg)
        return self._bytes(number).decode(errors="surrogateescape")

    def find(self, name: str) -> int:
        """Return the number of a name; -1 if it is not there. Names have to be sorted."""
        wanted = name.encode(errors="surrogateescape")
        number = self._place_of(wanted)
        return number if number < len(self) and self._bytes(number) == wanted else -1

    def starting_with(self, beginning: str) -> Iterator[str]:
        """Yield the names that begin with a text, in their order. Names have to be sorted."""
        wanted = beginning.encode(errors="surrogateescape")
        for number in range(self._place_of(wanted), len(self)):
            name = self._bytes(number)
            if not name.startswith(wanted):
                return
            yield name.decode(errors="surrogateescape")

    def _place_of(self, wanted: bytes) -> int:
        """Return the number of the first name that is not before a text."""
        likely = self._likely
        is_behind = likely == 0 or (likely <= len(self) and self._bytes(likely - 1) < wanted)
        if not (is_behind and likely < len(self) and wanted <= self._bytes(likely)):
            likely = bisect_left(range(len(self)), wanted, key=self._bytes)
        self._likely = likely + 1
        return likely

    def _bytes(self, number: int) -> bytes:
        return bytes(self._letters[self._ends[number] : self._ends[number + 1]])


class NameSet:
    """Tells whether it has a name, in 8 bytes a name: it keeps their hashes.

    A name that it does not have passes for one that it has when the hashes of both are equal. They have 64 bits, and
    depend on a secret of the process: with a million names, that happens to one in 10^13.

    Args:
        names: The names.

    Example:
        >>> "wren.jpg" in NameSet(["robin.jpg", "wren.jpg"])
        True
    """

    def __init__(self, names: Iterable[str]) -> None:
        runs = [array("q", sorted(run)) for run in batched(map(hash, names), RUN)]
        self._hashes = array("q", merge(*runs))

    def __len__(self) -> int:
        """Return the number of names."""
        return len(self._hashes)

    def __contains__(self, name: str) -> bool:
        """Whether it has a name."""
        wanted = hash(name)
        place = bisect_left(self._hashes, wanted)
        return place < len(self._hashes) and self._hashes[place] == wanted

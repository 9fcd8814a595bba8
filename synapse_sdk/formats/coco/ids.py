"""Ids of the annotations of one file: those that they have, where that is possible."""

__all__ = ["Ids"]

LONGEST = 15
"""Digits of a number that every reader of JSON takes exactly."""
PAGE_BITS = 8
PAGE = (1 << PAGE_BITS) - 1


class Ids:
    """Gives out positive numbers, each once.

    Remembers what it gave out in a bit each, plus about 150 bytes for every 256 numbers of which any was.
    """

    def __init__(self) -> None:
        self._pages: dict[int, int] = {}
        self._next = 1
        """No number below is free."""

    def take(self, wanted: str) -> int:
        """Return the number that a text is, if it is one and free; else 0.

        Example:
            >>> ids = Ids()
            >>> ids.take("7"), ids.take("7"), ids.take("007"), ids.take("b1"), ids.next()
            (7, 0, 0, 0, 1)
        """
        if not (wanted.isdigit() and wanted.isascii() and len(wanted) <= LONGEST and wanted[0] != "0"):
            return 0
        number = int(wanted)
        page, bit = number >> PAGE_BITS, 1 << (number & PAGE)
        taken = self._pages.get(page, 0)
        if taken & bit:
            return 0
        self._pages[page] = taken | bit
        return number

    def next(self) -> int:
        """Return the lowest number that is free."""
        number, pages = self._next, self._pages
        while (taken := pages.get(number >> PAGE_BITS, 0)) & (bit := 1 << (number & PAGE)):
            number += 1
        pages[number >> PAGE_BITS] = taken | bit
        self._next = number + 1
        return number

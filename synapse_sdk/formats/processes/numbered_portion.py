"""The items that one of several processes converts, and what its log has taken down about each."""

import re
import unicodedata
from os.path import splitext
from zlib import crc32

from synapse_sdk.formats.losses import LossLog
from synapse_sdk.formats.portions import Portion

__all__ = ["NumberedPortion", "Page"]

NUMBER = re.compile(r"(?:_[1-9]\d?)+$")
"""What tells images apart that would get the same name, and ends the names of others, too."""
LONGEST_NUMBER = 3
"""Characters that the last of these numbers may have."""


type Page = tuple[int, str]
"""The position of an item in the dataset, from 1 (0 before the first), and what the log has taken down about it."""


class NumberedPortion(Portion):
    """A portion that counts the items of the dataset.

    Until it is divided, it is everything. What is said between two items belongs to the first of them, so that of every
    thing that all processes say, one is heard.

    Args:
        losses: The log of the process. Once the portion is divided, it hears only what is about items of the process.
    """

    def __init__(self, losses: LossLog) -> None:
        self._losses = losses
        self._number, self._count, self._first = 0, 1, 0
        self._pages: list[Page] = []
        self.position = 0

    def divide(self, number: int, count: int, first: int) -> None:
        """Take only a part from now on.

        Args:
            number: Which; process 0 has what comes before the first item, too.
            count: How many processes there are.
            first: How many items, those at the beginning, all belong to process 0.
        """
        self._number, self._count, self._first = number, count, first
        self.is_divided = True
        self._losses.divide()
        if number:
            self._losses.begin(0, is_heard=False)

    def takes(self, name: str) -> bool:
        """Whether an item is one of those that this process converts."""
        if not self.is_divided:
            self.position += 1
            self._losses.begin(self.position)
            return True
        self._turn_over()
        self.position += 1
        is_ours = self._owner(name) == self._number
        self._losses.begin(self.position, is_heard=is_ours)
        return is_ours

    def taken(self) -> list[Page]:
        """Return the pages about items of this process that nobody has taken yet."""
        self._turn_over()
        pages, self._pages = self._pages, []
        return pages

    def _owner(self, name: str) -> int:
        if self.position <= self._first:
            return 0
        return crc32(_stem(name).encode(errors="replace")) % self._count

    def _turn_over(self) -> None:
        if page := self._losses.page():
            self._pages.append((self.position, page))


def _stem(name: str) -> str:
    """Return what the names of all files have in common that may be in each other's way, on any file system."""
    stem = splitext(name.rpartition("/")[2])[0].lstrip("._")  # noqa: PTH122  # once for each item
    if not stem.isascii():
        stem = unicodedata.normalize("NFC", stem)
    return (NUMBER.sub("", stem) if "_" in stem[-LONGEST_NUMBER:] else stem).casefold()

"""A terminal small enough to read: it knows the sequences we send, and refuses all others."""

import re

from rich.cells import cell_len

TOKENS = re.compile(r"\x1b\[(?P<mode>\?7)?(?P<numbers>[\d;]*)(?P<end>[A-Za-z])|(?P<char>.)", re.DOTALL)


class Screen:
    """Keeps lines of cells; a wide character takes two, the second of which is empty.

    Args:
        columns: Width in cells; lines are kept without end, as in a scrollback.
    """

    def __init__(self, columns: int = 80) -> None:
        self.columns = columns
        self.row = self.column = 0
        self.colours: set[str] = set()
        """Parameters of every colour sequence that came."""
        self._wraps = True
        self._lines: list[list[str]] = [[]]

    @property
    def lines(self) -> list[str]:
        """The lines as they stand, empty ones at the end left out."""
        texts = ["".join(line).rstrip() for line in self._lines]
        while texts and not texts[-1]:
            texts.pop()
        return texts

    def feed(self, text: str) -> "Screen":
        """Take in what is written."""
        for token in TOKENS.finditer(text):
            if token["char"] is not None:
                self._put(token["char"])
            else:
                self._control(token["end"], token["numbers"], is_mode=bool(token["mode"]))
        return self

    def _control(self, end: str, numbers: str, *, is_mode: bool) -> None:
        if is_mode and end in "hl":
            self._wraps = end == "h"
        elif end == "A" and not is_mode:
            self.row -= int(numbers or 1)
            assert self.row >= 0, "the cursor left the screen"
        elif end == "J" and not numbers:
            del self._lines[self.row + 1 :]
            del self._lines[self.row][self.column :]
        elif end == "m":
            self.colours.add(numbers)
        else:
            msg = f"unexpected sequence {numbers}{end}"
            raise AssertionError(msg)

    def _put(self, char: str) -> None:
        if char == "\r":
            self.column = 0
        elif char == "\n":
            self._next_line()
        else:
            assert char.isprintable(), f"unexpected control character {char!r}"
            width = cell_len(char)
            if self.column + width > self.columns:
                if not self._wraps:
                    return
                self._next_line()
            line = self._lines[self.row]
            line += [" "] * (self.column + width - len(line))
            line[self.column : self.column + width] = [char] + [""] * (width - 1)
            self.column += width

    def _next_line(self) -> None:
        self.row, self.column = self.row + 1, 0
        if self.row == len(self._lines):
            self._lines.append([])

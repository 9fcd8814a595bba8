"""The file that has every loss of a conversion, a row each."""

import csv
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import TextIO

__all__ = ["COLUMNS", "LossFile", "as_rows"]

COLUMNS = ("outcome", "code", "split", "item", "annotation", "where", "words")


class LossFile:
    """A CSV file with a row of headings, which is made with the first loss.

    Args:
        path: Where it is.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: TextIO | None = None
        self._is_begun = False

    def write(self, rows: str) -> None:
        """Add rows, as `as_rows` makes them.

        Raises:
            OSError: They cannot be written.
        """
        if not rows:
            return
        if self._file is None:
            # Somebody may have something to say after all was closed.
            self._file = self._path.open("a" if self._is_begun else "w", encoding="utf-8", newline="")
            if not self._is_begun:
                self._file.write(as_rows([COLUMNS]))
            self._is_begun = True
        self._file.write(rows)

    def close(self) -> None:
        """Close it until there is more to write."""
        if self._file is not None:
            self._file.close()
            self._file = None


def as_rows(losses: Sequence[Sequence[str]]) -> str:
    r"""Return losses as CSV (RFC 4180, but for the ends of lines).

    Example:
        >>> as_rows([("dropped", "CROWD", "", "a, b.jpg", "7", "", "why")])
        'dropped,CROWD,,"a, b.jpg",7,,why\n'
    """
    plain = "".join([",".join(loss) + "\n" for loss in losses])
    is_plain = plain.count(",") == len(losses) * (len(COLUMNS) - 1) and plain.count("\n") == len(losses)
    if is_plain and '"' not in plain and "\r" not in plain:
        return plain  # what the writer would write, in half the time
    text = StringIO()
    csv.writer(text, lineterminator="\n").writerows(losses)
    return text.getvalue()

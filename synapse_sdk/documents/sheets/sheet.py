"""A sheet that is being read: its columns, its rows one after another, and what was remarkable about it."""

import weakref
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from synapse_sdk.types import JsonValue

__all__ = ["Notes", "Sheet", "SheetKind", "SheetNote", "SheetRow"]

MOST_NOTES = 100
"""Notes of one kind that are kept one by one."""


class SheetKind(StrEnum):
    """What a sheet is, by its content."""

    CSV = "csv"
    XLSX = "xlsx"
    XLS = "xls"


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetRow:
    """What a sheet says about one file."""

    number: int
    """Row in the sheet, from 1, as a spreadsheet program shows it."""
    file_name: str
    """The first cell as text, without blanks around it, in whatever Unicode form the sheet has it."""
    values: Mapping[str, JsonValue]
    """Column name to value; blank cells are left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetNote:
    """Something about a sheet that does not keep it from being read, but that its author should know."""

    kind: str
    """`renamed_column`, `blank_heading`, `error_cell`, `formula_without_value`, `no_file_name`, `beyond_header`,
    `other_worksheets` or `errors_not_checked`; a kind that occurs often ends with a note about how often."""
    text: str
    """The note as a sentence."""
    row: int | None = None
    """Row in the sheet, from 1, if it is about one."""
    column: str | None = None
    """Column name, or the cell's column letter where that is all that is known."""


class Notes:
    """Collects notes, of each kind no more than a reader can take in."""

    def __init__(self) -> None:
        self._notes: list[SheetNote] = []
        self._counts: dict[str, int] = {}

    def add(self, kind: str, text: str, *, row: int | None = None, column: str | None = None) -> None:
        """Add a note, unless there are enough of its kind."""
        seen = self._counts.get(kind, 0)
        self._counts[kind] = seen + 1
        if seen < MOST_NOTES:
            self._notes.append(SheetNote(kind=kind, text=text, row=row, column=column))

    def count(self, kind: str, count: int) -> None:
        """Say how many notes of a kind there would be, had all of them been added."""
        if count:
            self._counts[kind] = count

    def all(self) -> tuple[SheetNote, ...]:
        """Return all notes, with one more for each kind of which there were too many."""
        kept: dict[str, int] = {}
        for note in self._notes:
            kept[note.kind] = kept.get(note.kind, 0) + 1
        more = tuple(
            SheetNote(kind=kind, text=f"{count:,} in all, of which {kept[kind]:,} are listed")
            for kind, count in self._counts.items()
            if count > kept[kind]
        )
        return (*self._notes, *more)


class Sheet:
    """A sheet whose rows are read while they are asked for. Iterate over it once; use it in a `with` block.

    Its first column is not among the `columns`: it is the file name of each row.
    """

    def __init__(
        self,
        *,
        origin: str,
        kind: SheetKind,
        name: str | None,
        columns: tuple[str, ...],
        rows: Iterator[SheetRow],
        notes: Notes,
        close: Callable[[], object],
    ) -> None:
        self.origin = origin
        """Its path, as it was given."""
        self.kind = kind
        """What it is, by its content."""
        self.name = name
        """Name of the worksheet; None for CSV."""
        self.columns = columns
        """Names of the columns after the first, each once."""
        self._rows = rows
        self._notes = notes
        self._close = weakref.finalize(self, close)

    @property
    def notes(self) -> tuple[SheetNote, ...]:
        """What was remarkable; complete once all rows are read."""
        return self._notes.all()

    def __iter__(self) -> Iterator[SheetRow]:
        """Yield the rows that are left, and close the sheet after the last one.

        Raises:
            InvalidSheetError: The rest cannot be read, or exceeds a limit.
        """
        try:
            for row in self._rows:  # noqa: UP028  # whoever leaves a loop may go on with another one
                yield row
        except Exception:
            self.close()
            raise
        self.close()

    def close(self) -> None:
        """Let go of the file, and end the process that reads it; safe to repeat."""
        self._close()

    def __enter__(self) -> Self:
        """Return the sheet itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

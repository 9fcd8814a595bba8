"""From rows of cells, whatever file they come from, to a sheet: its header, then its rows one by one."""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain

from synapse_sdk.documents.sheets.header import as_text, is_blank, read_header
from synapse_sdk.documents.sheets.limits import SheetLimits, excess, refusal
from synapse_sdk.documents.sheets.sheet import Notes, Sheet, SheetKind, SheetRow
from synapse_sdk.types import JsonValue

__all__ = ["Cells", "build_sheet"]

type Cells = Sequence[JsonValue]
type NumberedRows = Iterator[tuple[int, Cells]]


def build_sheet(
    rows: NumberedRows,
    *,
    origin: str,
    kind: SheetKind,
    name: str | None,
    limits: SheetLimits,
    notes: Notes,
    close: Callable[[], object],
) -> Sheet:
    """Read the header and the first row below it, and return a sheet that reads the rest when it is asked for.

    Args:
        rows: Number, from 1, and cells of every row in order; blank rows have no or blank cells.
        origin: Names the sheet in errors.
        kind: What it is.
        name: Name of the worksheet.
        limits: What it may hold.
        notes: What is remarkable so far; what the rows add comes here, too.
        close: Lets go of what `rows` reads from; safe to repeat. Called when anything is wrong.

    Raises:
        InvalidSheetError: It has no header or no rows, or exceeds a limit.
    """
    try:
        columns, below = _begin(rows, origin, limits, notes)
    except BaseException:
        close()
        raise
    return Sheet(origin=origin, kind=kind, name=name, columns=columns, rows=below, notes=notes, close=close)


def _begin(
    rows: NumberedRows, origin: str, limits: SheetLimits, notes: Notes
) -> tuple[tuple[str, ...], Iterator[SheetRow]]:
    """Read as far as the first row below the header, and return the names of the columns and all rows."""
    line, header = next(((number, cells) for number, cells in rows if not all(map(is_blank, cells))), (0, ()))
    if not header:
        fix = "Fill it in: a header whose first column is 'filename', and a row for each file"
        raise refusal(origin, "it is empty", fix)
    columns = read_header(header, origin, limits, notes, line)
    below = _Rows(columns, origin, limits, notes).read(rows)
    first = next(below, None)
    if first is None:
        raise refusal(origin, "it has a header and no rows with a file name below it", "Add a row for each file")
    return columns, chain((first,), below)


class _Rows:
    """Makes rows from cells, and keeps them within the limits."""

    def __init__(self, columns: tuple[str, ...], origin: str, limits: SheetLimits, notes: Notes) -> None:
        self._names = [*columns]  # grows where rows are wider than the header
        self._origin = origin
        self._limits = limits
        self._notes = notes

    def read(self, rows: NumberedRows) -> Iterator[SheetRow]:
        """Yield every row that has a file name; one that has values and no name is noted, and left out."""
        count = 0
        most = self._limits.rows
        for number, cells in rows:
            if len(cells) > len(self._names) + 1:
                self._widen(number, cells)
            values = self._values(number, cells)
            file_name = as_text(cells[0]).strip() if cells else ""
            if not file_name and not values:
                continue
            count += 1
            if count > most:
                raise excess(self._origin, "rows", most, count, number)
            if not file_name:
                self._notes.add("no_file_name", f"Row {number:,} has values, but no file name: left out", row=number)
                continue
            if len(file_name) > self._limits.file_name_characters:
                most_characters = self._limits.file_name_characters
                raise excess(self._origin, "file_name", most_characters, len(file_name), number)
            yield SheetRow(number=number, file_name=file_name, values=values)

    def _values(self, number: int, cells: Cells) -> dict[str, JsonValue]:
        """Return what is in the cells of a row after the first; runs for every row, so it is one plain loop."""
        longest = self._limits.value_characters
        values: dict[str, JsonValue] = {}
        for name, cell in zip(self._names, cells[1:], strict=False):
            if cell is None:
                continue
            if isinstance(cell, str):
                if len(cell) > longest:
                    raise excess(self._origin, "value", longest, len(cell), number, name)
                if not cell or cell.isspace():
                    continue
            values[name] = cell
        return values

    def _widen(self, number: int, cells: Cells) -> None:
        """Give names to columns beyond the header, if something is in them."""
        if len(cells) > self._limits.columns:
            raise excess(self._origin, "columns", self._limits.columns, len(cells), number)
        taken = set(self._names)
        for position in range(len(self._names) + 2, len(cells) + 1):
            name = f"column_{position}"
            while name in taken:
                name += "_2"
            self._names.append(name)
            if not is_blank(cells[position - 1]):
                text = f"Row {number:,} is wider than the header; its column {position} is called {name!r}"
                self._notes.add("beyond_header", text, row=number, column=name)

"""From the first row of a sheet that is not blank to the names of its columns."""

from collections.abc import Sequence
from unicodedata import normalize

from synapse_sdk.documents.sheets.limits import SheetLimits, excess, refusal
from synapse_sdk.documents.sheets.sheet import Notes
from synapse_sdk.types import JsonValue

__all__ = ["as_text", "is_blank", "read_header"]

FIRST_COLUMN = ("filename", "file_name")
FIX = "Name the first column 'filename' or 'file_name', and have at least one more column"
FEWEST_COLUMNS = 2
MOST_SHOWN = 40


def read_header(
    cells: Sequence[JsonValue], origin: str, limits: SheetLimits, notes: Notes, line: int
) -> tuple[str, ...]:
    """Return the names of the columns after the first.

    A blank heading becomes `column_<i>`, counted from 1 with the first column; a repeated one becomes `name_2`,
    `name_3` and so on. Both are noted.

    Args:
        cells: The first row that is not blank.
        origin: Names the sheet in errors.
        limits: How many columns there may be, and how long a heading.
        notes: Where renamed columns are noted.
        line: Number of the row, from 1.

    Raises:
        InvalidSheetError: The first column is no file name, there is no second one, or a limit is exceeded.
    """
    headings = [as_text(cell).strip() for cell in cells]
    if len(headings) > limits.columns:
        raise excess(origin, "columns", limits.columns, len(headings), line)
    longest = max(headings, key=len)
    if len(longest) > limits.column_name_characters:
        raise excess(origin, "column_name", limits.column_name_characters, len(longest), line)
    if headings[0].lower() not in FIRST_COLUMN:
        first = f"its first column is {headings[0]:.{MOST_SHOWN}}" if headings[0] else "its first column has no heading"
        raise refusal(origin, first, FIX, line=line, found=headings[:5])
    if len(headings) < FEWEST_COLUMNS:
        raise refusal(origin, f"it has one column, {headings[0]!r}", FIX, line=line, found=headings)
    return _unique(headings, notes, line)[1:]


def _unique(headings: Sequence[str], notes: Notes, line: int) -> tuple[str, ...]:
    """Name every column differently; a heading that occurs once keeps its name, whatever stands before it."""
    taken = {_key(heading) for heading in headings}
    seen: set[str] = set()
    names: list[str] = []
    for number, heading in enumerate(headings, start=1):
        name = heading
        if not heading:
            name = _free(f"column_{number}", taken)
            notes.add("blank_heading", f"Column {number} has no heading and is called {name!r}", row=line, column=name)
        elif _key(heading) in seen:
            name = _free(heading, taken, start=2)
            notes.add("renamed_column", f"A second {heading!r} is called {name!r}", row=line, column=name)
        seen.add(_key(heading))
        taken.add(_key(name))
        names.append(name)
    return tuple(names)


def _free(name: str, taken: set[str], *, start: int = 1) -> str:
    number = start
    candidate = name if start == 1 else f"{name}_{number}"
    while _key(candidate) in taken:
        number += 1
        candidate = f"{name}_{number}"
    return candidate


def _key(name: str) -> str:
    return normalize("NFC", name)


def is_blank(cell: JsonValue) -> bool:
    """Whether a cell holds nothing that can be seen."""
    return cell is None or (isinstance(cell, str) and (not cell or cell.isspace()))


def as_text(cell: JsonValue) -> str:
    """Return a cell as a person would write it."""
    match cell:
        case None:
            return ""
        case bool():
            return str(cell).lower()
        case _:
            return str(cell)

"""What no metadata sheet may exceed, and the errors that say so."""

from dataclasses import dataclass, fields

from synapse_sdk.errors import InvalidSheetError

__all__ = ["SheetLimits", "excess", "refusal"]

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetLimits:
    """How much a sheet may hold, and how much reading it may cost.

    What is beyond a limit is refused with an error whose `where` has `violation_type`, `limit` and `actual`.
    """

    file_bytes: int = 10 * MIB
    """Size of a workbook (`file_size`)."""
    text_bytes: int = 64 * MIB
    """Size of a CSV file, which is not compressed, and not held in memory (`file_size`)."""
    decompressed_bytes: int = 512 * MIB
    """Real size of all parts of a workbook once they are unpacked, whatever its headers say (`decompressed`)."""
    parts: int = 2_000
    """Files within a workbook (`parts`)."""
    memory_bytes: int = 1024 * MIB
    """Address space of the process that reads a workbook (`memory`); only Linux enforces it."""
    seconds: float = 60.0
    """Time to read a workbook, of the processor and of waiting for it (`time`)."""
    rows: int = 100_000
    """Rows below the header that hold something (`rows`)."""
    columns: int = 300
    """Columns (`columns`)."""
    cells: int = 50_000_000
    """Last row times last column (`cells`)."""
    file_name_characters: int = 255
    """Length of a file name (`file_name`)."""
    column_name_characters: int = 100
    """Length of a heading (`column_name`)."""
    value_characters: int = 1_000
    """Length of a text in a cell (`value`)."""

    def __post_init__(self) -> None:
        """Refuse a limit that nothing could keep.

        Raises:
            ValueError: A limit is not greater than zero.
        """
        for field in fields(self):
            limit = getattr(self, field.name)
            if not limit > 0:
                msg = f"{field.name} is {limit}, and must be greater than 0"
                raise ValueError(msg)


def refusal(origin: str, why: str, fix: str, *, line: int | None = None, **where: object) -> InvalidSheetError:
    """Return the error that says what is wrong with a sheet.

    Args:
        origin: Names the sheet, such as its path.
        why: What was found.
        fix: The way out.
        line: Row at which it was found, from 1.
        where: Further particulars.
    """
    why = why[:1].upper() + why[1:]
    if line is None:
        return InvalidSheetError(f"Cannot read {origin!r}", why=why, fix=fix, document=origin, **where)
    message = f"Cannot read {origin!r} (row {line:,})"
    return InvalidSheetError(message, why=why, fix=fix, document=origin, line=line, **where)


FIXES = {
    "file_size": ("it has {actual} bytes, and a sheet may have {limit}", "Split the sheet"),
    "decompressed": ("unpacked it has {actual} bytes or more, and {limit} are allowed", "Save it anew, or split it"),
    "parts": ("it consists of {actual} parts, and a workbook may have {limit}", "Save it anew as .xlsx or .csv"),
    "memory": ("reading it needs more than {limit} bytes of memory", "Save it as .csv, or split it"),
    "time": ("reading it takes more than {limit} seconds", "Save it as .csv, or split it"),
    "rows": ("it has {actual} rows or more below its header, and {limit} are allowed", "Split the sheet"),
    "columns": ("it has {actual} columns or more, and {limit} are allowed", "Remove the columns that nobody needs"),
    "cells": (
        "its last row and last column span {actual} cells, and {limit} are allowed",
        "Remove stray cells far below or beside the table",
    ),
    "file_name": ("a file name has {actual} characters, and may have {limit}", "Shorten it"),
    "column_name": ("a heading has {actual} characters, and may have {limit}", "Shorten it"),
    "value": ("a text has {actual} characters, and may have {limit}", "Shorten it"),
}
"""What each kind of violation is called in an error, and the way out."""


def excess(  # noqa: PLR0917  # who, what, how much of how much
    origin: str, violation: str, limit: float, actual: float | None, line: int | None = None, column: str | None = None
) -> InvalidSheetError:
    """Return the error for a limit that is exceeded.

    Args:
        origin: Names the sheet.
        violation: Which limit, a key of `FIXES`.
        limit: How much is allowed.
        actual: How much there is; None where that cannot be known. The least it can be, where reading stopped there.
        line: Row at which it was found, from 1.
        column: Column in which it was found.
    """
    why, fix = FIXES[violation]
    shown = {"limit": f"{limit:,}", "actual": "" if actual is None else f"{actual:,}"}
    why = (f"in column {column!r} " if column else "") + why.format(**shown)
    where: dict[str, object] = {"violation_type": violation, "limit": limit, "actual": actual}
    if column is not None:
        where["column"] = column
    return refusal(origin, why, fix, line=line, **where)

"""From a file to its sheet: looks at the content, and hands it to whoever can read that."""

import os
from functools import partial
from pathlib import Path
from typing import BinaryIO

from synapse_sdk.documents.regular import open_regular
from synapse_sdk.documents.sheets.limits import SheetLimits, excess, refusal
from synapse_sdk.documents.sheets.sheet import Notes, Sheet, SheetKind

__all__ = ["read_sheet"]

ZIP = b"PK\x03\x04"
EMPTY_ZIP = b"PK\x05\x06"
COMPOUND = bytes.fromhex("d0cf11e0a1b11ae1")
"""The file format in which .xls comes, and also anything that Office encrypts."""
LOOK = 4096
UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")
FIX = "Save it as .xlsx or .csv"


def read_sheet(path: str | os.PathLike[str], limits: SheetLimits | None = None) -> Sheet:
    """Open a metadata sheet: .xlsx, .xls or .csv, by its content, whatever its name is.

    The header and the first row are read at once, the rest while the sheet is iterated over; memory does not grow with
    the number of rows. Of a workbook the first worksheet is read, in a child process that has bounds on its memory and
    its time.

    Numbers, booleans and text come as they are, a whole number as int; dates, times and durations as ISO 8601 text.
    In CSV everything is text. Blank cells are left out.

    Args:
        path: The file.
        limits: What it may hold and cost; by default `SheetLimits()`.

    Raises:
        InvalidSheetError: It cannot be read, is no sheet, lacks a header or rows, or exceeds a limit. Also raised while
            rows are read.
    """
    limits = limits or SheetLimits()
    origin = os.fspath(path)
    file = open_regular(Path(path), partial(refusal, origin))
    try:
        kind = _kind(file, origin, limits)
    except BaseException:
        file.close()
        raise
    if kind is SheetKind.CSV:
        from synapse_sdk.documents.sheets.delimited import decoding, read_delimited  # noqa: PLC0415  # one kind is enough
        from synapse_sdk.documents.sheets.rows import build_sheet  # noqa: PLC0415  # as above

        text = decoding(file)
        rows = read_delimited(text, origin, limits)
        return build_sheet(rows, origin=origin, kind=kind, name=None, limits=limits, notes=Notes(), close=text.close)
    from synapse_sdk.documents.sheets.workbook import open_workbook  # noqa: PLC0415  # starts processes

    return open_workbook(file, kind, origin, limits)


def _kind(file: BinaryIO, origin: str, limits: SheetLimits) -> SheetKind:
    head = file.read(LOOK)
    file.seek(0)
    size = os.fstat(file.fileno()).st_size
    most = limits.file_bytes if head.startswith((ZIP, COMPOUND)) else limits.text_bytes
    if size > most:
        raise excess(origin, "file_size", most, size)
    if head.startswith(ZIP):
        return SheetKind.XLSX
    if head.startswith(COMPOUND):
        return SheetKind.XLS
    if not head:
        raise refusal(origin, "it is empty", "Fill it in, with a header and a row for each file")
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if start == b"<":
        raise refusal(origin, "it is a web page or XML, whatever its name says", f"Open it in Excel. {FIX}")
    if head.startswith(EMPTY_ZIP) or (b"\0" in head and not head.startswith(UTF_16_MARKS)):
        raise refusal(origin, "it is no .xlsx, .xls or .csv: it holds bytes that no text has", FIX)
    return SheetKind.CSV

"""From a .csv file to rows of cells, which are all text."""

import codecs
import csv
import io
import re
from collections.abc import Iterator
from itertools import chain
from typing import BinaryIO, cast

from synapse_sdk.documents.sheets.limits import SheetLimits, excess, refusal
from synapse_sdk.documents.sheets.rows import Cells

__all__ = ["decoding", "read_delimited"]

UTF_16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
SEPARATORS = (",", ";", "\t")
QUOTED = re.compile(r'"[^"]*"')
SEPARATOR_LINE = re.compile(r"sep=(.)\s*", re.IGNORECASE)
"""What Excel writes and reads as a first line."""
SAVE_AS = "Save it as CSV in UTF-8 ('CSV UTF-8' in Excel)"


def decoding(file: BinaryIO) -> io.TextIOWrapper:
    """Return the text of a file, which is UTF-8, or UTF-16 with a byte order mark; closing it closes the file."""
    mark = file.read(2)
    file.seek(0)
    return io.TextIOWrapper(file, encoding="utf-16" if mark in UTF_16_MARKS else "utf-8-sig", newline="")


def read_delimited(text: io.TextIOWrapper, origin: str, limits: SheetLimits) -> Iterator[tuple[int, Cells]]:
    """Yield number, from 1, and cells of every row.

    Cells are separated by commas; where the header has none, by the semicolons or tabs that it has.

    Args:
        text: At its beginning.
        origin: Names the sheet in errors.
        limits: What it may hold.

    Raises:
        InvalidSheetError: It is not text, or not CSV.
    """
    number = 0
    try:
        separator, lines = _separator(_without_nul(text, origin))
        for number, cells in enumerate(csv.reader(lines, delimiter=separator, strict=True), start=1):
            if len(cells) > limits.columns:
                raise excess(origin, "columns", limits.columns, len(cells), number)
            yield number, cells
    except UnicodeError as error:
        raise _undecodable(text, origin, error) from error
    except csv.Error as error:
        if "field limit" in str(error):
            raise excess(origin, "value", limits.value_characters, csv.field_size_limit() + 1, number + 1) from error
        fix = 'Check the quotes: text that holds quotes is written "like ""this"""'
        raise refusal(origin, str(error), fix, line=number + 1) from error


def _without_nul(text: io.TextIOWrapper, origin: str) -> Iterator[str]:
    for number, line in enumerate(text, start=1):
        if "\0" in line:
            raise refusal(origin, "it holds a NUL byte, which no text does", SAVE_AS, line=number)
        yield line


def _separator(lines: Iterator[str]) -> tuple[str, Iterator[str]]:
    """Return what separates cells, and all lines; of a line that only says so nothing but its end is left."""
    before: list[str] = []
    for line in lines:
        before.append(line)
        if not line.strip():
            continue
        told = SEPARATOR_LINE.fullmatch(line)
        if told and told[1] in SEPARATORS:
            before[-1] = "\n"
            return told[1], chain(before, lines)
        bare = QUOTED.sub("", line)
        return next((each for each in SEPARATORS if each in bare), ","), chain(before, lines)
    return ",", iter(before)


def _undecodable(text: io.TextIOWrapper, origin: str, error: UnicodeError) -> Exception:
    """Return the error for bytes that are not in the encoding, with the line: decoding works ahead in blocks."""
    if text.encoding == "utf-16" or not isinstance(error, UnicodeDecodeError):
        return refusal(origin, "it begins like UTF-16, and is not", SAVE_AS)
    file = cast("BinaryIO", text.buffer)
    file.seek(0)
    for number, line in enumerate(file, start=1):
        try:
            line.decode("utf-8-sig")
        except UnicodeDecodeError as found:
            return refusal(origin, f"byte 0x{line[found.start]:02X} is not UTF-8", SAVE_AS, line=number)
    return refusal(origin, "its end is not UTF-8", SAVE_AS)

"""The process that reads a workbook for another one: first it binds itself, then it reads, and it may die of it.

Its standard input is the file. On its standard output it writes lines of JSON: an object about the worksheet, arrays of
rows, and at the end an object that says so. Instead, or in between, an object may say why it cannot go on.
"""

import io
import json
import math
import os
import resource
import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from synapse_sdk.documents.sheets.inspection import Findings, inspect_parts
from synapse_sdk.documents.sheets.legacy import inspect_legacy
from synapse_sdk.documents.sheets.limits import SheetLimits, excess, refusal
from synapse_sdk.documents.sheets.parts import Parts
from synapse_sdk.errors import InvalidSheetError

if TYPE_CHECKING:
    import python_calamine

__all__ = ["main"]

ROWS_OF_A_BLOCK = 500
NEAR_COLUMNS, NEAR_CELLS = 26, 26 * 99_999
"""What an inspection does not count is at most this."""
ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
"""What an .xlsx with a password consists of, in the container of an .xls."""
EXACT = 2**53
"""Up to here every whole number is exact where numbers are kept as float."""


def main(spec: str) -> None:
    """Read the workbook on standard input.

    Args:
        spec: JSON: `origin`, `kind` and `limits`.
    """
    told = json.loads(spec)
    limits = SheetLimits(**told["limits"])
    _bind(limits)
    try:
        for message in _read(told["origin"], told["kind"], limits):
            _say(message)
    except InvalidSheetError as error:
        _say(_refused(error))
    except MemoryError:  # whatever was held to get here is gone by now
        _say(_refused(excess(told["origin"], "memory", limits.memory_bytes, None)))
    except BrokenPipeError:  # nobody listens any more
        os._exit(1)


def _bind(limits: SheetLimits) -> None:
    """Bound this process's memory and time, and leave no core file behind."""
    seconds = math.ceil(limits.seconds)
    for what, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_AS, limits.memory_bytes),
    ):
        hard = resource.getrlimit(what)[1]
        bounded = most if hard == resource.RLIM_INFINITY else min(most, hard)
        try:
            resource.setrlimit(what, (bounded, hard))
        except (ValueError, OSError):  # macOS has no bound on memory
            continue
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)


def _say(message: object) -> None:
    try:
        text = _encoded(message)
    except ValueError:  # the file has <v>NaN</v> or the like where a number should be
        text = _encoded(_finite(message))
    sys.stdout.buffer.write(text.encode("utf-8", "replace") + b"\n")
    sys.stdout.buffer.flush()


def _encoded(message: object) -> str:
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=_plain)


def _finite(message: object) -> object:
    """Replace what is no finite number by its name."""
    match message:
        case list():
            return [_finite(item) for item in message]
        case float() if not math.isfinite(message):
            return str(message)
        case _:
            return message


def _refused(error: InvalidSheetError) -> dict[str, object]:
    return {"refused": {"message": error.message, "why": error.why, "fix": error.fix, "where": error.where}}


def _read(origin: str, kind: str, limits: SheetLimits) -> Iterator[object]:
    file = io.BytesIO(sys.stdin.buffer.read(limits.file_bytes))
    if kind == "xlsx":
        inspection = inspect_parts(Parts.of(file, origin, limits))
    else:
        data = file.getvalue()
        if ENCRYPTED in data:
            raise refusal(origin, "it is encrypted", "Save it without a password")
        inspection = inspect_legacy(data)
    file.seek(0)
    sheet, about = _open(file, inspection, origin, limits)
    yield about
    block: list[list[Any]] = []
    for row in sheet.iter_rows():
        block.append(
            [
                int(cell) if cell.__class__ is float and cell.is_integer() and -EXACT <= cell <= EXACT else cell
                for cell in row
            ]
        )
        if len(block) == ROWS_OF_A_BLOCK:
            yield block
            block = []
    yield block
    yield {"end": True}


def _open(
    file: io.BytesIO, inspection: Sequence[Findings | None], origin: str, limits: SheetLimits
) -> "tuple[python_calamine.CalamineSheet, object]":
    """Load the first worksheet that can be seen; return it, and what there is to say about it."""
    import python_calamine  # noqa: PLC0415  # only now: what was refused before never reaches it

    try:
        workbook = python_calamine.CalamineWorkbook.from_filelike(file)
        position, others = _choose(workbook)
        findings = inspection[position] if position < len(inspection) else None
        if findings is not None:
            _check_span(findings, origin, limits)
        sheet = workbook.get_sheet_by_index(position)
    except (InvalidSheetError, MemoryError):
        raise
    except python_calamine.PasswordError as error:
        raise refusal(origin, "it is encrypted", "Save it without a password") from error
    except BaseException as error:  # a panic of the library is no Exception
        why = "it holds no worksheet" if isinstance(error, LookupError) else f"it is damaged ({error})"
        raise refusal(origin, why, "Open it in a spreadsheet program and save it anew") from error
    return sheet, {"worksheet": sheet.name, "others": others, "findings": findings and asdict(findings)}


def _choose(workbook: "python_calamine.CalamineWorkbook") -> tuple[int, list[str]]:
    """Return the position of the worksheet to read, and the names of the others."""
    from python_calamine import SheetTypeEnum, SheetVisibleEnum  # noqa: PLC0415  # as in _open

    tables = [(i, m) for i, m in enumerate(workbook.sheets_metadata) if m.typ == SheetTypeEnum.WorkSheet]
    seen = [(i, m) for i, m in tables if m.visible == SheetVisibleEnum.Visible]
    position, chosen = (seen or tables)[0]
    return position, [m.name for _, m in tables if m is not chosen]


def _check_span(findings: Findings, origin: str, limits: SheetLimits) -> None:
    """Refuse a table that is large for the sake of a stray cell, before memory is asked for it."""
    if findings.last_column > max(limits.columns, NEAR_COLUMNS):
        raise excess(origin, "columns", limits.columns, findings.last_column)
    cells = findings.last_row * findings.last_column
    if cells > max(limits.cells, NEAR_CELLS):
        raise excess(origin, "cells", limits.cells, cells)


def _plain(value: object) -> str:
    """Return dates, times and durations as ISO 8601 text."""
    match value:
        case date() | datetime() | time():
            return value.isoformat()
        case timedelta():
            return iso_duration(value)
        case _:
            return str(value)


def iso_duration(duration: timedelta) -> str:
    """Return a duration as ISO 8601 has it, in hours, minutes and seconds.

    Example:
        >>> iso_duration(timedelta(hours=30, seconds=1.5))
        'PT30H1.5S'
    """
    sign, left = ("-", -duration) if duration < timedelta() else ("", duration)
    minutes, rest = divmod(left, timedelta(minutes=1))
    seconds = f"{rest.total_seconds():.6f}".rstrip("0").rstrip(".")
    parts = ((minutes // 60, "H"), (minutes % 60, "M"), (seconds if rest else 0, "S"))
    shown = "".join(f"{number}{unit}" for number, unit in parts if number)
    return f"{sign}PT{shown or '0S'}"

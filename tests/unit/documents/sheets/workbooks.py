"""Makes workbooks, honest and hostile ones."""

import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import openpyxl

from synapse_sdk.documents.sheets import Sheet, SheetLimits, SheetRow, read_sheet

SHEET = "xl/worksheets/sheet1.xml"
NAMESPACE = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'


def write_workbook(path: Path, rows: Iterable[Sequence[object]]) -> Path:
    """Write a workbook with one worksheet."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("meta")
    for row in rows:
        sheet.append(row)
    book.save(path)
    return path


def with_parts(path: Path, parts: Mapping[str, bytes | str]) -> Path:
    """Write a workbook of which some parts are replaced or added."""
    frame = write_workbook(path.with_name("frame.xlsx"), [["filename", "label"], ["1.jpg", "cat"]])
    with zipfile.ZipFile(frame) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            if name not in parts:
                target.writestr(name, source.read(name))
        for name, content in parts.items():
            target.writestr(name, content)
    return path


def with_cells(path: Path, cells: str, dimension: str = "") -> Path:
    """Write a workbook whose rows below the header are this XML."""
    header = (
        '<row r="1"><c r="A1" t="inlineStr"><is><t>filename</t></is></c>'
        '<c r="B1" t="inlineStr"><is><t>label</t></is></c></row>'
    )
    sheet = f"<worksheet {NAMESPACE}>{dimension}<sheetData>{header}{cells}</sheetData></worksheet>"
    return with_parts(path, {SHEET: sheet})


def read(path: Path, limits: SheetLimits | None = None) -> tuple[Sheet, list[SheetRow]]:
    """Read a sheet to its end."""
    with read_sheet(path, limits) as sheet:
        return sheet, list(sheet)


def values(path: Path) -> list[object]:
    """Return the values of a sheet with the columns `filename` and `value`."""
    return [row.values.get("value") for row in read(path)[1]]

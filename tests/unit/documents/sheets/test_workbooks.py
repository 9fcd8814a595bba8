import contextlib
import datetime as dt
import os
import shutil
import signal
import sys
import zipfile
from pathlib import Path

import openpyxl
import pytest

from synapse_sdk.documents.sheets import SheetKind, SheetLimits, read_sheet
from synapse_sdk.documents.sheets.child import iso_duration
from synapse_sdk.errors import InvalidSheetError
from tests.unit.documents.sheets.test_csv import refused
from tests.unit.documents.sheets.workbooks import read, values, with_cells, with_parts, write_workbook

needs_proc = pytest.mark.skipif(sys.platform != "linux", reason="counts processes in /proc")
XLS = Path(__file__).with_name("meta.xls")
DAY = dt.date(2026, 2, 3)
NOON = dt.datetime.combine(DAY, dt.time(12))


def test_values_keep_their_types(tmp_path: Path) -> None:
    """Whole numbers are int, times are ISO text, text is as it is."""
    cells: list[object] = [
        42,
        0.5,
        True,
        "007",
        "cafe\u0301",
        "  a ",
        DAY,
        NOON,
        dt.time(6, 7),
    ]
    path = write_workbook(tmp_path / "m.xlsx", [["filename", "value"], *([str(i), v] for i, v in enumerate(cells))])

    found = values(path)

    assert found == [42, 0.5, True, "007", "cafe\u0301", "  a ", "2026-02-03", "2026-02-03T12:00:00", "06:07:00"]
    assert type(found[0]) is int


def test_durations_are_iso_text(tmp_path: Path) -> None:
    """More than a day stays hours, as the cell shows it."""
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.append(["filename", "value"])
    sheet.append(["1", dt.timedelta(hours=30)])
    sheet["B2"].number_format = "[h]:mm:ss"
    book.save(tmp_path / "m.xlsx")

    assert values(tmp_path / "m.xlsx") == ["PT30H"]
    assert iso_duration(-dt.timedelta(minutes=1, milliseconds=5)) == "-PT1M0.005S"
    assert iso_duration(dt.timedelta()) == "PT0S"


def test_a_number_is_a_file_name_as_it_is_written(tmp_path: Path) -> None:
    """Not 1001.0."""
    path = write_workbook(tmp_path / "m.xlsx", [[], ["FileName", "a"], [1001, 1], [1.5, 1], [True, 1]])

    assert [row.file_name for row in read(path)[1]] == ["1001", "1.5", "true"]


def test_numbers_that_are_large_or_none_are_kept(tmp_path: Path) -> None:
    """A number that is not exact stays a float; what is no number is named."""
    cells = "".join(
        f'<row r="{n}"><c r="A{n}"><v>{n}</v></c><c r="B{n}"><v>{v}</v></c></row>'
        for n, v in ((2, "9007199254740992"), (3, "1e300"), (4, "NaN"))
    )

    rows = read(with_cells(tmp_path / "m.xlsx", cells))[1]

    assert [row.values["label"] for row in rows] == [2**53, 1e300, "nan"]


def test_errors_and_lost_formulas_are_noted(tmp_path: Path) -> None:
    """The reader gives them back as blank; whoever filled the sheet in has to know."""
    cells = (
        '<row r="2"><c r="A2"><v>1</v></c><c r="B2" t="e"><f>1/0</f><v>#DIV/0!</v></c></row>'
        '<row r="3"><c r="A3"><v>2</v></c><c r="B3"><f>A1+1</f></c></row>'
        '<row r="4"><c r="A4"><v>3</v></c><c r="B4"><f>A1+1</f><v>4</v></c></row>'
        '<row r="5"><c r="A5"><v>4</v></c><c r="B5" t="str"><f>IF(A1,"")</f><v></v></c></row>'
    )

    sheet, rows = read(with_cells(tmp_path / "m.xlsx", cells))

    assert [row.values.get("label") for row in rows] == [None, None, 4, None]
    assert [(note.kind, note.row, note.column) for note in sheet.notes] == [
        ("error_cell", 2, "B"),
        ("formula_without_value", 3, "B"),
    ]
    assert "#DIV/0!" in sheet.notes[0].text


def test_of_several_worksheets_the_first_one_that_can_be_seen_is_read(tmp_path: Path) -> None:
    """The others are noted."""
    book = openpyxl.Workbook()
    book.worksheets[0].title = "old"
    book.worksheets[0].sheet_state = "hidden"
    for name in ("이미지", "more"):
        sheet = book.create_sheet(name)
        sheet.append(["filename", "value"])
        sheet.append(["1.jpg", name])
    book.save(tmp_path / "m.xlsx")

    sheet, rows = read(tmp_path / "m.xlsx")

    assert sheet.name == "이미지"
    assert [row.values["value"] for row in rows] == ["이미지"]
    assert [note.kind for note in sheet.notes] == ["other_worksheets"]


def test_an_old_workbook_is_read_with_its_errors() -> None:
    """An .xls as Excel 97 and its successors write it."""
    sheet, rows = read(XLS)

    assert sheet.kind is SheetKind.XLS
    assert (sheet.name, [row.file_name for row in rows]) == ("메타", ["고양이.jpg", "1001"])
    assert dict(rows[0].values) == {
        "label": "cat", "count": 42, "score": 0.5, "ok": True, "day": "2026-02-03", "at": "12:30:00", "code": "007"
    }  # fmt: skip
    assert [(note.kind, note.row, note.column) for note in sheet.notes] == [("error_cell", 3, "I")]


def test_a_workbook_is_known_by_its_content(tmp_path: Path) -> None:
    """Whatever its name is."""
    shutil.copy(XLS, tmp_path / "meta.csv")

    assert len(read(tmp_path / "meta.csv")[1]) == 2


def test_a_damaged_workbook_is_refused(tmp_path: Path) -> None:
    """Cut off, not a workbook, without a worksheet, with other bytes in the middle."""
    whole = write_workbook(tmp_path / "m.xlsx", [["filename", "a"], *([f"{i}", i] for i in range(1000))]).read_bytes()
    path = tmp_path / "x.xlsx"
    path.write_bytes(whole[:-100])
    assert "damaged or cut off" in str(refused(path))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("word/document.xml", "<document/>")
    assert "Word" in str(refused(path))
    with_parts(path, {"xl/workbook.xml": "<workbook"})
    refused(path)
    path.write_bytes(XLS.read_bytes()[:3000])
    assert "damaged" in str(refused(path))


def test_an_encrypted_workbook_is_refused(tmp_path: Path) -> None:
    """The way out is to save it without a password."""
    path = tmp_path / "m.xlsx"
    path.write_bytes(bytes.fromhex("d0cf11e0a1b11ae1") + bytes(500) + "EncryptedPackage".encode("utf-16-le"))

    assert "encrypted" in str(refused(path))


def large_workbook(tmp_path: Path) -> Path:
    """Write a workbook of more than fits between two processes."""
    return write_workbook(tmp_path / "m.xlsx", [["filename", "a"], *([i, f"{i:0900}"] for i in range(4_000))])


@needs_proc
def test_rows_are_streamed(tmp_path: Path) -> None:
    """Closing a sheet in the middle ends the process that reads it."""
    path = large_workbook(tmp_path)

    with read_sheet(path) as sheet:
        next(iter(sheet))
        children = child_processes()
        assert len(children) == 1

    assert child_processes() == []


@needs_proc
def test_a_reader_that_is_killed_is_an_error_and_no_wait(tmp_path: Path) -> None:
    """No zombie stays behind."""
    path = large_workbook(tmp_path)
    sheet = read_sheet(path)
    reading = iter(sheet)
    next(reading)
    os.kill(child_processes()[0], signal.SIGKILL)

    with pytest.raises(InvalidSheetError, match="killed by SIGKILL"):
        list(reading)

    assert child_processes() == []


@needs_proc
def test_a_forgotten_sheet_ends_its_reader(tmp_path: Path) -> None:
    """As does the end of the program."""
    path = large_workbook(tmp_path)

    sheet = read_sheet(path)
    assert len(child_processes()) == 1
    del sheet

    assert child_processes() == []


OTHERS: set[int] = set()
"""Processes that this one had started before a test, such as servers that all tests share."""


@pytest.fixture(autouse=True)
def others() -> None:
    """See which processes there are that read no sheets."""
    OTHERS.clear()
    OTHERS.update(child_processes())


def child_processes() -> list[int]:
    """Return the processes that this one has started in a test, to read sheets, zombies included."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            name, _, rest = path.read_text().rpartition(")")
            if int(rest.split()[1]) == os.getpid():
                found.append(int(name.split()[0]))
    return [each for each in found if each not in OTHERS]


def test_a_reader_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    """Nobody waits for ever."""
    path = write_workbook(tmp_path / "m.xlsx", [["filename", "a"], ["1.jpg", "x"]])

    assert refused(path, SheetLimits(seconds=0.001)).where["violation_type"] == "time"

"""Small files that are large to read."""

import sys
import zipfile
from pathlib import Path

import pytest

from synapse_sdk.documents.sheets import SheetLimits
from tests.unit.documents.sheets.test_csv import refused
from tests.unit.documents.sheets.workbooks import NAMESPACE, SHEET, read, with_cells, with_parts, write_workbook

MIB = 1024 * 1024


def far_cell(reference: str) -> str:
    """Return a row with one cell that holds something."""
    row = reference.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    return f'<row r="{row}"><c r="{reference}"><v>1</v></c></row>'


@pytest.mark.parametrize(
    ("reference", "violation"), [("XFD1048576", "columns"), ("KO2", "columns"), ("KN1048576", "cells")]
)
def test_a_stray_cell_is_found_before_memory_is_asked_for(tmp_path: Path, reference: str, violation: str) -> None:
    """F25: 5 KB, for which other readers need gigabytes or die."""
    assert refused(with_cells(tmp_path / "m.xlsx", far_cell(reference))).where["violation_type"] == violation


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds the memory of a process")
def test_a_reader_that_runs_out_of_memory_dies_alone(tmp_path: Path) -> None:
    """Cells without references are not found before; the bound on memory holds all the same."""
    path = with_cells(tmp_path / "m.xlsx", far_cell("Z1048576").replace("c r=", "c  r ="))

    assert refused(path, SheetLimits(memory_bytes=256 * MIB)).where["violation_type"] == "memory"


def test_formats_far_below_the_table_are_harmless(tmp_path: Path) -> None:
    """Whoever colours a whole column gets such cells."""
    path = with_cells(tmp_path / "m.xlsx", far_cell("A2") + '<row r="1048576"><c r="XFD1048576" s="1"/></row>')

    assert len(read(path)[1]) == 1


def test_a_wrong_dimension_is_not_believed(tmp_path: Path) -> None:
    """F25: neither too small nor too large a one."""
    cells = "".join(far_cell(f"A{row}") for row in range(2, 1002))
    for told in ("A1:B2", "A1:XFD1048576"):
        path = with_cells(tmp_path / "m.xlsx", cells, f'<dimension ref="{told}"/>')

        assert len(read(path)[1]) == 1000


def test_a_zip_bomb_is_stopped_by_what_comes_out(tmp_path: Path) -> None:
    """F24: 200 MiB of zeros in 200 KB; whichever part it is in."""
    path = with_parts(tmp_path / "m.xlsx", {"xl/media/image1.bin": bytes(200 * MIB)})

    error = refused(path, SheetLimits(decompressed_bytes=64 * MIB))

    assert error.where["violation_type"] == "decompressed"
    assert path.stat().st_size < MIB


def test_sizes_in_headers_are_not_believed(tmp_path: Path) -> None:
    """The parser would not stop where the header says that the part ends."""
    path = with_parts(tmp_path / "m.xlsx", {"xl/media/image1.bin": bytes(8 * MIB)})
    size = (8 * MIB).to_bytes(4, "little")
    lying = path.read_bytes().replace(size, (10).to_bytes(4, "little"))
    path.write_bytes(lying)

    assert refused(path, SheetLimits(decompressed_bytes=MIB)).where["violation_type"] == "decompressed"
    assert "does not hold what its header says" in str(refused(path))


def test_a_long_text_is_refused_before_it_is_sent(tmp_path: Path) -> None:
    """One string that all rows share."""
    long = "x" * (8 * MIB)
    strings = f'<sst {NAMESPACE} count="1" uniqueCount="1"><si><t>{long}</t></si></sst>'
    cell = '<row r="2"><c r="A2"><v>1</v></c><c r="B2" t="inlineStr"><is><t>' + long + "</t></is></c></row>"

    error = refused(with_cells(tmp_path / "m.xlsx", cell))

    assert error.where["violation_type"] == "value"
    assert error.where["actual"] == len(long)
    assert with_parts(tmp_path / "s.xlsx", {"xl/sharedStrings.xml": strings}).stat().st_size < MIB


@pytest.mark.full
def test_a_shared_text_of_300_mb_is_refused(tmp_path: Path) -> None:
    """Whether memory ends first or the length is seen, this process stays as it is."""
    head, tail = '<row r="2"><c r="A2"><v>1</v></c><c r="B2" t="inlineStr"><is><t>', "</t></is></c></row>"
    path = with_cells(tmp_path / "m.xlsx", head + "x" * 300_000_000 + tail)

    assert refused(path).where["violation_type"] in {"memory", "value"}


def test_entities_are_not_expanded(tmp_path: Path) -> None:
    """F25: a billion laughs stay a few bytes."""
    levels = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    doctype = f'<!DOCTYPE worksheet [<!ENTITY l0 "ha">{levels}]>'
    cells = '<row r="2"><c r="A2" t="inlineStr"><is><t>&l9;</t></is></c></row>'
    header = '<row r="1"><c r="A1" t="str"><v>filename</v></c><c r="B1" t="str"><v>a</v></c></row>'
    sheet = f"{doctype}<worksheet {NAMESPACE}><sheetData>{header}{cells}</sheetData></worksheet>"
    path = with_parts(tmp_path / "m.xlsx", {SHEET: sheet})

    assert "filename" not in str(refused(path))


def test_parts_that_are_many_encrypted_or_double_are_refused(tmp_path: Path) -> None:
    """None of them reaches the parser."""
    path = write_workbook(tmp_path / "m.xlsx", [["filename", "a"], ["1", 2]])
    assert refused(path, SheetLimits(file_bytes=100)).where["violation_type"] == "file_size"
    assert refused(path, SheetLimits(parts=3)).where["violation_type"] == "parts"
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(path, "a") as archive:
        archive.writestr(SHEET, "<worksheet/>")
    assert "two parts" in str(refused(path))
    data = bytearray(write_workbook(path, [["filename", "a"], ["1", 2]]).read_bytes())
    data[data.rfind(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    assert "encrypted" in str(refused(path))


def test_rows_beyond_the_limit_are_refused(tmp_path: Path) -> None:
    """With those before it already given out."""
    path = write_workbook(tmp_path / "m.xlsx", [["filename", "a"], *([i, i] for i in range(2_000))])

    assert refused(path, SheetLimits(rows=1_999)).where["actual"] == 2_000
    assert len(read(path, SheetLimits(rows=2_000))[1]) == 2_000

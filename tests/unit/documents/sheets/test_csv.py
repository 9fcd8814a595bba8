import codecs
from pathlib import Path

import pytest

from synapse_sdk.documents.sheets import SheetKind, SheetLimits, read_sheet
from synapse_sdk.errors import InvalidSheetError
from tests.unit.documents.sheets.workbooks import read


def csv_file(tmp_path: Path, text: str, encoding: str = "utf-8") -> Path:
    """Write a file called `meta.csv`."""
    path = tmp_path / "meta.csv"
    path.write_bytes(text.encode(encoding))
    return path


def refused(path: Path, limits: SheetLimits | None = None) -> InvalidSheetError:
    """Read what must be refused, and return the refusal."""
    with pytest.raises(InvalidSheetError) as caught:
        read(path, limits)
    assert caught.value.fix
    assert str(path) in str(caught.value)
    return caught.value


def test_rows_come_with_their_names_and_values(tmp_path: Path) -> None:
    """Blank cells and blank rows are left out; numbers in CSV stay text, with their zeros."""
    path = csv_file(tmp_path, "\n , \nFile_Name ,label,code\n 1.jpg ,cat,007\n,,\n2.jpg,,  \n")

    sheet, rows = read(path)

    assert sheet.kind is SheetKind.CSV
    assert sheet.name is None
    assert sheet.columns == ("label", "code")
    assert [(row.number, row.file_name, dict(row.values)) for row in rows] == [
        (4, "1.jpg", {"label": "cat", "code": "007"}),
        (6, "2.jpg", {}),
    ]
    assert sheet.notes == ()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_unicode_text_is_read_as_it_is(tmp_path: Path, encoding: str) -> None:
    """With or without a byte order mark; composed and decomposed forms stay what they are."""
    path = csv_file(tmp_path, "filename,label\n고양이.jpg,cafe\u0301\n", encoding)

    row = read(path)[1][0]

    assert (row.file_name, row.values["label"]) == ("고양이.jpg", "cafe\u0301")


@pytest.mark.parametrize("text", ['filename;"a,b"\n1.jpg;"x;y"\n', "filename\ta\n1.jpg\tx;y\n"])
def test_a_header_without_commas_says_what_separates_cells(tmp_path: Path, text: str) -> None:
    """A comma within quotes is none."""
    assert list(read(csv_file(tmp_path, text))[1][0].values.values()) == ["x;y"]


def test_a_comma_in_the_header_separates(tmp_path: Path) -> None:
    """Nothing is guessed where there is one."""
    assert "filename;a" in str(refused(csv_file(tmp_path, "filename;a,b\n1.jpg;x,y\n")))


def test_the_line_in_which_excel_says_the_separator_is_understood(tmp_path: Path) -> None:
    """It is no header, and counts as a row."""
    row = read(csv_file(tmp_path, "sep=;\r\nfilename;a\r\n1.jpg;x,y\r\n"))[1][0]

    assert (row.number, dict(row.values)) == (3, {"a": "x,y"})


def test_quoted_text_may_hold_lines(tmp_path: Path) -> None:
    """Rows are counted, not lines."""
    rows = read(csv_file(tmp_path, 'filename,a\n1.jpg,"x\ny"\n2.jpg,z\n'))[1]

    assert [(row.number, row.values["a"]) for row in rows] == [(2, "x\ny"), (3, "z")]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "empty"),
        ("\n , \n", "empty"),
        ("filename,label\n", "no rows"),
        ("filename,label\n,cat\n", "no rows"),
        ("name,label\n1.jpg,cat\n", "first column is name"),
        (",filename\n", "no heading"),
        ("filename\n1.jpg\n", "one column"),
        ("filename,label\n1\0.jpg,cat\n", "bytes that no text has"),
        ("filename,label\n" + "1,2\n" * 2000 + "\0", "NUL"),
        ('filename,label\n1.jpg,"cat\n', "Unexpected end"),
        ("<html><table>", "web page"),
    ],
)
def test_what_is_no_metadata_sheet_is_refused(tmp_path: Path, text: str, found: str) -> None:
    """The error says what was found, and what is needed."""
    assert found in str(refused(csv_file(tmp_path, text)))


def test_other_encodings_are_refused_with_their_line(tmp_path: Path) -> None:
    """The way out is named."""
    error = refused(csv_file(tmp_path, "filename,label\n1.jpg,고양이\n", "cp949"))

    assert error.where["line"] == 2
    assert "UTF-8" in str(error)


def test_half_of_a_utf_16_file_is_refused(tmp_path: Path) -> None:
    """Its byte order mark promises more than there is."""
    path = tmp_path / "meta.csv"
    path.write_bytes(codecs.BOM_UTF16_LE + "filename,label\n1.jpg,cat".encode("utf-16-le") + b"x")

    assert "UTF-16" in str(refused(path))


def test_columns_get_names_that_are_there_once(tmp_path: Path) -> None:
    """A blank heading is numbered, a repeated one too, and both are noted."""
    path = csv_file(tmp_path, "filename,label,,label,label_2,LABEL,column_3\n1,a,b,c,d,e,f\n")

    sheet, rows = read(path)

    assert sheet.columns == ("label", "column_3_2", "label_3", "label_2", "LABEL", "column_3")
    assert list(rows[0].values.values()) == ["a", "b", "c", "d", "e", "f"]
    assert [note.kind for note in sheet.notes] == ["blank_heading", "renamed_column"]


def test_what_is_left_out_or_added_is_noted(tmp_path: Path) -> None:
    """A row without a file name, and one that is wider than the header."""
    sheet, rows = read(csv_file(tmp_path, "filename,a\n,x\n1.jpg,y,z\n2.jpg,u,v\n"))

    assert [dict(row.values) for row in rows] == [{"a": "y", "column_3": "z"}, {"a": "u", "column_3": "v"}]
    assert [(note.kind, note.row) for note in sheet.notes] == [("no_file_name", 2), ("beyond_header", 3)]


def test_notes_of_one_kind_are_counted_once_there_are_many(tmp_path: Path) -> None:
    """Nobody reads a hundred thousand of them."""
    sheet, _ = read(csv_file(tmp_path, "filename,a\n1.jpg,x\n" + ",x\n" * 150))

    assert len(sheet.notes) == 101
    assert "150 in all, of which 100" in sheet.notes[-1].text


@pytest.mark.parametrize(
    ("violation", "limits", "actual"),
    [
        ("file_size", SheetLimits(text_bytes=29), 30),
        ("rows", SheetLimits(rows=1), 2),
        ("columns", SheetLimits(columns=2), 3),
        ("file_name", SheetLimits(file_name_characters=4), 5),
        ("column_name", SheetLimits(column_name_characters=7), 8),
        ("value", SheetLimits(value_characters=2), 3),
    ],
)
def test_limits_are_kept(tmp_path: Path, violation: str, limits: SheetLimits, actual: int) -> None:
    """The error says which one, and by how much it is exceeded."""
    error = refused(csv_file(tmp_path, "filename,a,b\n1.jpg,cat\n2.jpg,x"), limits)

    assert error.where["violation_type"] == violation
    assert error.where["actual"] == actual
    assert error.where["limit"] == actual - 1


def test_a_field_without_end_is_refused(tmp_path: Path) -> None:
    """A quote that is never closed does not swallow the file."""
    error = refused(csv_file(tmp_path, 'filename,a\n1.jpg,"' + "x" * 200_000))

    assert error.where["violation_type"] == "value"


def test_a_limit_of_nothing_is_refused() -> None:
    """It could not be kept."""
    with pytest.raises(ValueError, match="rows is 0"):
        SheetLimits(rows=0)


def test_a_sheet_lets_go_of_its_file(tmp_path: Path) -> None:
    """When it is closed, read to its end, or given up; the test run complains about open files."""
    path = csv_file(tmp_path, "filename,a\n1.jpg,x\n2.jpg,x\n")

    sheet = read_sheet(path)
    next(iter(sheet))
    sheet.close()
    sheet.close()
    assert len(list(read_sheet(path))) == 2
    del sheet
    read_sheet(path)

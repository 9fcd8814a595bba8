import os
from pathlib import Path

import pytest

from synapse_sdk.documents.sheets import read_sheet
from synapse_sdk.errors import InvalidDocumentError, InvalidSheetError


def refused(path: Path) -> str:
    """Read what must be refused, and return the refusal."""
    with pytest.raises(InvalidSheetError) as caught:
        read_sheet(path)
    assert isinstance(caught.value, InvalidDocumentError)
    assert caught.value.fix
    return str(caught.value)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    """Missing, a folder, a name no file can have, and a pipe, into which nobody may ever write."""
    os.mkfifo(tmp_path / "pipe.csv")

    assert "No such file" in refused(tmp_path / "missing.xlsx")
    assert refused(tmp_path).endswith("'. It is a folder. Name a file")
    assert "a pipe" in refused(tmp_path / "pipe.csv")
    refused(tmp_path / "nul\0.csv")


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf\n <!DOCTYPE html><html>", "web page"),
        (b"<?xml version='1.0'?><Workbook>", "web page or XML"),
        (b"PK\x05\x06" + bytes(18), "no .xlsx"),
        (b"\x89PNG\r\n\x1a\n\0\0", "no .xlsx"),
        (b"%PDF-1.7\nfilename", "first column"),
    ],
)
def test_the_content_says_what_a_file_is(tmp_path: Path, content: bytes, found: str) -> None:
    """A name ending in .xls makes no sheet."""
    (tmp_path / "meta.xls").write_bytes(content)

    assert found in refused(tmp_path / "meta.xls")


def test_text_is_read_whatever_its_name_is(tmp_path: Path) -> None:
    """Some programs call a .csv file .xls."""
    (tmp_path / "meta.xls").write_text("filename,label\n1.jpg,cat\n")

    assert [row.values["label"] for row in read_sheet(tmp_path / "meta.xls")] == ["cat"]

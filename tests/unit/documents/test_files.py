import os
from pathlib import Path

import pytest

from synapse_sdk.documents import read_document
from synapse_sdk.documents.limits import MAX_BYTES
from synapse_sdk.errors import InvalidDocumentError


def refused(path: Path) -> str:
    """Read what must be refused, and return the refusal."""
    with pytest.raises(InvalidDocumentError) as caught:
        read_document(path)
    assert str(path)[:100] in str(caught.value).replace("\\x00", "\0")
    assert caught.value.fix
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "text"), [("a.yaml", "x: 1"), ("a.yml", "\ufeffx: 1"), ("a.JSON", '{"x": 1}'), ("a.toml", "x = 1\r\n")]
)
def test_the_suffix_says_what_a_document_is(tmp_path: Path, name: str, text: str) -> None:
    """In any case, with or without a byte order mark."""
    (tmp_path / name).write_text(text, encoding="utf-8")

    assert read_document(tmp_path / name) == {"x": 1}


def test_another_suffix_is_refused(tmp_path: Path) -> None:
    """The error lists those that work."""
    assert ".toml" in refused(tmp_path / "params.ini")
    assert "no ending" in refused(tmp_path / "params")


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    """Missing, a folder, and a name no file can have."""
    (tmp_path / "folder.json").mkdir()

    assert "No such file" in refused(tmp_path / "missing.json")
    assert refused(tmp_path / "folder.json").endswith("folder.json'. It is a folder. Name a file")
    refused(tmp_path / "nul\0.json")


def test_a_pipe_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    """F23: nobody may ever write into it."""
    os.mkfifo(tmp_path / "pipe.yaml")

    assert "a pipe" in refused(tmp_path / "pipe.yaml")


def test_a_large_file_is_not_read_to_its_end(tmp_path: Path) -> None:
    """F26: a gigabyte of nothing is refused at once."""
    with (tmp_path / "large.json").open("wb") as file:
        file.truncate(2**30)

    assert f"more than {MAX_BYTES:,} bytes" in refused(tmp_path / "large.json")


def test_other_encodings_are_refused_with_their_place(tmp_path: Path) -> None:
    """The byte that gave it away is named."""
    (tmp_path / "a.yaml").write_bytes("a: 1\nname: café".encode("latin-1"))

    assert "(line 2, column 10). Byte 0xE9 is not UTF-8" in refused(tmp_path / "a.yaml")

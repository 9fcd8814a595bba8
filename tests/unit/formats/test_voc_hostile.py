"""XML files that are broken, or made to do harm."""

import os
from pathlib import Path

import pytest

from synapse_sdk.errors import InvalidDatasetError
from synapse_sdk.formats.voc import PascalFormat
from synapse_sdk.formats.voc.document import MAX_BYTES
from tests.unit.formats.voc_datasets import OBJECT, SIZE, Content, Result, document, make, read

GOOD = document("good.png", OBJECT)
BOMB = (
    '<?xml version="1.0"?>\n<!DOCTYPE lolz [<!ENTITY a0 "ha">'
    + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    + "]>\n<annotation><filename>&a9;</filename></annotation>"
)
OUTSIDE = '<!DOCTYPE x [<!ENTITY x SYSTEM "file:///etc/passwd">]><annotation><filename>&x;</filename></annotation>'


def read_with(root: Path, content: Content) -> Result:
    """Read a dataset with one good file and one with this content; the good one must come through."""
    result = read(make(root, {"Annotations/bad.xml": content, "Annotations/good.xml": GOOD}))
    assert [item.name for item in result.items] == ["good.png"]
    assert len(result.annotations) == 1
    assert result.codes == {("failed", "INVALID_RECORD"): 1}
    assert result.loss.item == "bad"
    return result


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("content", [BOMB, OUTSIDE], ids=["bomb", "outside"])
def test_document_types_are_refused(tmp_path: Path, content: str, encoding: str) -> None:
    """Entity bombs and external entities, in any encoding; the file and the position are named."""
    result = read_with(tmp_path, content.encode(encoding))

    assert "document type" in result.loss.words
    assert result.loss.where.startswith("Annotations/bad.xml:")


def test_the_place_of_a_document_type_is_named(tmp_path: Path) -> None:
    """Line and column from 1."""
    assert read_with(tmp_path, BOMB).loss.where == "Annotations/bad.xml:2:1"


@pytest.mark.parametrize(
    ("content", "position", "words"),
    [
        (GOOD[:-10], ":1:", "unclosed token"),
        ("", ":1:1", "no element found"),
        ("<annotation>\n  <object>\n</annotation>", ":3:3", "mismatched tag"),
        ("<annotation>\n&nbsp;</annotation>", ":2:1", "undefined entity"),
        ("not XML at all", ":1:1", "syntax error"),
        ("<annotations></annotations>", ":1", "its root is 'annotations'"),
        (b"<annotation>\xff</annotation>", ":1:13", "not well-formed"),
        ('<?xml version="1.0" encoding="big5"?><annotation/>', "", "encoding"),
        ('<?xml version="1.0" encoding="klingon"?><annotation/>', "", "encoding"),
        (b"\0" * 100, ":1:1", "not well-formed"),
    ],
)
def test_a_broken_file_is_one_lost_item(tmp_path: Path, content: Content, position: str, words: str) -> None:
    """Defect 11: with file, line and column; the others are read."""
    loss = read_with(tmp_path, content).loss

    assert loss.where.startswith(f"Annotations/bad.xml{position}")
    assert words in loss.words


def test_an_image_whose_file_is_broken_is_not_taken_for_one_without_objects(tmp_path: Path) -> None:
    """To a trainer it would be an example of nothing."""
    make(tmp_path, {"Images/bad.png": SIZE, "Images/good.png": SIZE})

    read_with(tmp_path, "<annotation>")


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    """It is not read to its end."""
    with (make(tmp_path, {"Annotations/bad.xml": ""}) / "Annotations/large.xml").open("wb") as file:
        file.truncate(2**30)

    result = read(tmp_path)

    assert f"more than {MAX_BYTES:,} bytes" in result.examples[1].words


def test_a_file_larger_than_most_is_read(tmp_path: Path) -> None:
    """Piece by piece."""
    result = read(make(tmp_path, {"Annotations/a.xml": document("a.png", *[OBJECT] * 2000)}))

    assert len(result.annotations) == 2000


def test_elements_within_elements_without_end_do_no_harm(tmp_path: Path) -> None:
    """No recursion is as deep as they are."""
    depth = 200_000
    content = f"<annotation>{'<a>' * depth}{'</a>' * depth}</annotation>"

    result = read(make(tmp_path, {"Annotations/deep.xml": content}))

    assert len(result.items) == 1
    assert result.codes == {("noted", "NOT_READ"): 1}


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    """Nobody may ever write into it."""
    make(tmp_path, {"Annotations/good.xml": GOOD})
    os.mkfifo(tmp_path / "Annotations" / "pipe.xml")

    assert len(read(tmp_path).items) == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_one_lost_item(tmp_path: Path) -> None:
    """The reason is named."""
    root = make(tmp_path, {"Annotations/bad.xml": GOOD, "Annotations/good.xml": GOOD})
    (root / "Annotations/bad.xml").chmod(0)

    result = read(root)

    assert [item.name for item in result.items] == ["good.png"]
    assert "denied" in result.loss.words


@pytest.mark.parametrize(
    ("content", "words"), [(b"ant\n\xff\n", "Line 2 is not UTF-8"), (b"x" * (16 * 2**20 + 1), "more than")]
)
def test_a_list_of_classes_that_is_none_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    """By name, with the line."""
    make(tmp_path, {"Annotations/good.xml": GOOD, "classes.txt": content})

    with pytest.raises(InvalidDatasetError, match=words) as caught:
        read(tmp_path)

    assert "classes.txt" in str(caught.value)


def test_links_that_lead_in_circles_are_not_followed(tmp_path: Path) -> None:
    """To folders, and to themselves."""
    make(tmp_path, {"Annotations/good.xml": GOOD, "Images/good.png": SIZE})
    (tmp_path / "Annotations" / "again").symlink_to(tmp_path / "Annotations")
    for name in ("Annotations/loop.xml", "Images/loop.png", "loop"):
        (tmp_path / name).symlink_to(tmp_path / name)

    result = read(tmp_path)

    assert len(result.items) == 1
    assert {loss.where for loss in result.examples} == {"Annotations/again", "Annotations/loop.xml", "Images/loop.png"}
    assert result.codes == {("failed", "SYMLINK"): 3}
    assert PascalFormat().find(tmp_path) == "Annotations/good.xml"

"""What is said about objects besides class and box goes into the files, and comes back."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synapse_sdk.formats.model import Annotation, Box
from synapse_sdk.formats.voc.extras import read_attributes, written_attributes
from synapse_sdk.types import JsonValue
from tests.unit.formats.voc_datasets import boxed, item_of, read, root_of, write

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


def there_and_back(folder: Path, *annotations: Annotation) -> list[Annotation]:
    """Write annotations, and read them; nothing may be lost."""
    assert not write(folder, [item_of(*annotations)]).examples
    result = read(folder)
    assert not result.examples
    return result.annotations


@pytest.mark.parametrize(
    "attributes",
    [
        {"difficult": True, "truncated": True, "occluded": True, "pose": "Left"},
        {"difficult": False, "truncated": False, "occluded": False},
        {"difficult": "rather", "truncated": 0.4, "occluded": None, "pose": 3},
        {"pose": "Unspecified"},
        {"pose": " Left "},
        {"pose": "\x01"},
        {"colour": "red", "age": 7, "weight": 0.5, "is_old": True, "nothing": None, "list": ["a", 1]},
        {"text": "7", "more": "true", "quoted": '"x"', "spaced": "  a  ", "lines": "a\r\nb\rc", "empty": ""},
        {"R&D <x>": "</value>", "control": "\x00\x1f", "half": "\ud800", "한국어": "값", "\x02": "name"},
        {"part_of": "nobody"},
    ],
)
def test_attributes_come_back_as_they_were(tmp_path: Path, attributes: dict[str, JsonValue]) -> None:
    """L5, A2: with their types."""
    annotation = boxed(attributes=attributes)

    assert there_and_back(tmp_path, annotation) == [annotation]


@given(attributes=st.dictionaries(st.text(min_size=1), JSON, max_size=4))
def test_any_attributes_come_back_as_they_were(attributes: dict[str, JsonValue]) -> None:
    """Whatever JSON can hold."""
    from xml.etree import ElementTree as ET  # noqa: PLC0415  # read what was written just now

    element = ET.XML(written_attributes(attributes, "").encode())  # as above

    assert read_attributes(element) == attributes


def test_texts_are_as_cvat_writes_them(tmp_path: Path) -> None:
    """Other tools read them so."""
    write(tmp_path, [item_of(boxed(attributes={"colour": "red", "age": 7}))])

    root = root_of(tmp_path / "Annotations" / "a.xml")
    pairs = [(each.findtext("name"), each.findtext("value")) for each in root.iterfind("object/attributes/attribute")]
    assert pairs == [("colour", "red"), ("age", "7")]


def test_parts_are_written_into_their_objects(tmp_path: Path) -> None:
    """V4: and come back as parts of them, whatever the ids were."""
    annotations = [
        boxed(5, attributes={"difficult": True}),
        boxed(6, "bee", Box(1, 1, 5, 5)),
        boxed(7, "head", Box(2, 2, 3, 3), attributes={"part_of": "5", "colour": "red", "difficult": True}),
        boxed(8, "foot", Box(3, 3, 3, 3), attributes={"part_of": "5"}),
    ]

    again = there_and_back(tmp_path, *annotations)

    assert [(each.id, each.label, each.attributes) for each in again] == [
        ("1", "ant", {"difficult": True}),
        ("2", "head", {"part_of": "1", "colour": "red", "difficult": True}),
        ("3", "foot", {"part_of": "1"}),
        ("4", "bee", {}),
    ]
    assert [each.box for each in again] == [annotations[at].box for at in (0, 2, 3, 1)]


def test_parts_of_what_is_not_there_are_objects(tmp_path: Path) -> None:
    """Nor can parts have parts: what they belong to stays an attribute."""
    annotations = [
        boxed(1),
        boxed(2, attributes={"part_of": "1"}),
        boxed(3, attributes={"part_of": "2"}),
        boxed(4, attributes={"part_of": "9"}),
    ]

    again = there_and_back(tmp_path, *annotations)

    assert [each.attributes.get("part_of") for each in again] == [None, "1", "2", "9"]

"""COCO files that are damaged, or built to do harm."""

import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from synapse_sdk.errors import InvalidDatasetError
from synapse_sdk.formats import masks
from synapse_sdk.formats.coco.rle import is_valid_counts
from tests.unit.formats.coco_datasets import BBOX, Json, Result, coco, make, picture, read, read_things, thing

DEEP = 200_000
FEW_SECONDS = 20
"""More than any of these takes on a slow machine, and far less than one that is not linear."""


def read_text(folder: Path, text: str | bytes) -> Result:
    """Read a dataset whose file has this text."""
    content = text.encode() if isinstance(text, str) else text
    return read(make(folder, {"annotations.json": content}))


def text_of(document: Json) -> str:
    """Return a document as text, a line for each list."""
    return json.dumps(document).replace('"annotations"', '\n"annotations"')


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity"])
def test_numbers_that_are_none_are_refused_with_their_place(tmp_path: Path, value: str) -> None:
    """Python writes them, and no other reader of JSON takes them: the error says which and where."""
    text = text_of(coco(thing(area="HERE"))).replace('"HERE"', value)
    line = text.splitlines()[1]

    with pytest.raises(InvalidDatasetError) as caught:
        read_text(tmp_path, text)

    error = caught.value
    assert str(tmp_path / "annotations.json") in error.message
    assert (error.where["line"], error.where["column"]) == (2, line.index(value) + 1 + value.startswith("-"))
    assert value.lstrip("-") in str(error)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"images": [],\n "annotations": [}]}', "line 2, column 18"),
        ('{"images": [\n{"id": 1,', "line 2, column 10"),
        ('{"images": [], "annotations": []} x', "line 1, column 36"),
        ("{'images': []}", "line 1, column 2"),
        ('{"images": [],\n\n"annotations": [], // none\n}', "line 3, column 20"),
        ('{"images": [{"id": 01}], "annotations": []}', "line 1, column 21"),
    ],
)
def test_text_that_is_not_json_is_refused_with_its_place(tmp_path: Path, text: str, place: str) -> None:
    """The error names the file, line and column."""
    with pytest.raises(InvalidDatasetError, match=rf"annotations\.json'.*{place}"):
        read_text(tmp_path, text)


@pytest.mark.parametrize("text", ["", " ", "\x00", "\xff\xfe", "x", '"', "[", "{", '{"images": ["', "\ufeff"])
def test_what_is_no_json_at_all_is_refused(tmp_path: Path, text: str) -> None:
    """Whatever it is."""
    with pytest.raises(InvalidDatasetError, match=r"annotations\.json"):
        read_text(tmp_path, text)


@pytest.mark.parametrize(
    "document",
    [
        [],
        7,
        "coco",
        None,
        {},
        {"images": []},
        {"annotations": [], "categories": []},
        {"images": {}, "annotations": []},
        {"images": [], "annotations": {"image_1": []}},
        {"images": None, "annotations": None, "categories": None},
    ],
)
def test_json_that_is_not_coco_is_refused(tmp_path: Path, document: Json) -> None:
    """A file needs a list of images, and one of annotations or categories."""
    with pytest.raises(InvalidDatasetError, match=r"annotations\.json' is not COCO"):
        read_text(tmp_path, json.dumps(document))


@pytest.mark.parametrize("key", ["info", "images", "annotations", "more"])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_depth_without_end_is_refused(tmp_path: Path, key: str, opening: str, closing: str) -> None:
    """The process does not run out of stack."""
    text = f'{{"images": [], "annotations": [], "{key}": {opening * DEEP}1{closing * DEEP}}}'

    with pytest.raises(InvalidDatasetError, match=r"too deep|not COCO"):
        read_text(tmp_path, text)


def test_a_record_of_some_depth_fails_alone_at_most(tmp_path: Path) -> None:
    """Annotations that are not so deep that the file is refused."""
    deep: Json = 1
    for _ in range(300):
        deep = [deep]

    result = read_things(tmp_path, thing(1, more=deep), thing(2, segmentation=deep))

    assert result.annotations[-1].id == "2"


def test_a_file_that_is_one_long_text_is_refused(tmp_path: Path) -> None:
    """In no more time than it takes to read it."""
    with pytest.raises(InvalidDatasetError, match="not COCO"):
        read_text(tmp_path, b'"' + b"a" * 30_000_000 + b'"')


@pytest.mark.parametrize("key", ["id", "image_id", "category_id", "iscrowd", "area", "num_keypoints", "more"])
@pytest.mark.parametrize("digits", [30, 5000, 1_000_000])
def test_numbers_without_end_are_no_matter(tmp_path: Path, key: str, digits: int) -> None:
    """They fail with their annotation, or are left out, or are what they are."""
    text = text_of(coco(thing(1, **{key: "HERE"}), thing(2))).replace('"HERE"', "7" * digits)

    result = read_text(tmp_path, text)

    assert result.annotations[-1].id == "2"


@pytest.mark.parametrize("number", ["1e999", "-1e999", "9" * 400])
def test_coordinates_that_no_computer_can_hold_fail(tmp_path: Path, number: str) -> None:
    """They are no numbers for us."""
    text = text_of(coco(thing(1, bbox=[1, 2, 3, "HERE"]), thing(2))).replace('"HERE"', number)

    result = read_text(tmp_path, text)

    assert [annotation.id for annotation in result.annotations] == ["2"]
    assert result.codes == {("failed", "INVALID_RECORD"): 1}


@pytest.mark.parametrize("bad", [b"\xff\xfe", b"\xed\xa0\x80", b"\xc3"])
@pytest.mark.parametrize("key", ["file_name", "more"])
def test_text_that_is_not_utf_8_fails_with_its_record(tmp_path: Path, bad: bytes, key: str) -> None:
    """Others are read."""
    text = json.dumps(coco(images=[picture(2, "b.jpg"), picture(1, **{key: "HERE"})])).encode().replace(b"HERE", bad)

    result = read_text(tmp_path, text)

    assert result.names == ["b.jpg"]
    assert result.codes == {("failed", "INVALID_RECORD"): 1}


def test_an_id_that_thousands_have_takes_time_in_proportion(tmp_path: Path) -> None:
    """Each gets its own."""
    result = read_things(tmp_path, *(thing(1) for _ in range(20_000)))

    assert len({annotation.id for annotation in result.annotations}) == 20_000
    assert result.codes == {("noted", "DUPLICATE_ID"): 19_999}


def test_many_folders_in_names_are_no_matter(tmp_path: Path) -> None:
    """Names as deep as nobody has them; one longer than any file system takes is refused."""
    images = [picture(1, "a/" * 3000 + "a.jpg"), picture(2, "a" * 5000), picture(3, "a.jpg/b.jpg")]

    result = read(make(tmp_path, {"annotations.json": coco(images=images), "a.jpg": (1, 1)}))

    assert [item.path for item in result.items] == ["", ""]
    assert result.codes[("failed", "UNSAFE_NAME")] == 1


def test_a_folder_in_place_of_the_file_is_none(tmp_path: Path) -> None:
    """Nor is a link that leads nowhere."""
    (tmp_path / "annotations.json").mkdir()
    (tmp_path / "_annotations.coco.json").symlink_to("nowhere")

    with pytest.raises(InvalidDatasetError, match="no COCO file"):
        read(tmp_path)


@settings(deadline=None)
@given(counts=st.binary(max_size=40), width=st.integers(0, 9), height=st.integers(0, 9))
def test_any_run_lengths_are_believed_only_if_they_add_up(counts: bytes, width: int, height: int) -> None:
    """And looking at them never fails; what is believed, others believe, too."""
    assert not is_valid_counts(counts, width, height) or masks.is_valid_counts(counts, width, height)


TEXTS = st.text(alphabet="a1é/[", max_size=5)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=8,
)
KEYS = (
    "id",
    "image_id",
    "category_id",
    "bbox",
    "segmentation",
    "iscrowd",
    "keypoints",
    "attributes",
    "synapse",
    "file_name",
)


@given(record=st.fixed_dictionaries({}, optional=dict.fromkeys(KEYS, VALUES)))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
def test_any_record_is_read_or_reported(tmp_path: Path, record: dict[str, Json]) -> None:
    """It never ends the dataset, and never goes without a word."""
    whole = {"id": 5, "image_id": 1, "category_id": 1, "bbox": BBOX, **record}

    result = read_things(tmp_path, whole, thing(6))

    assert result.annotations[-1].id in {"6", "6_2"}
    assert len(result.annotations) == 2 or sum(result.codes.values()) >= 1


@given(cut=st.integers(0, 400), byte=st.integers(0, 255), at=st.integers(0, 400))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
def test_any_damage_is_read_or_refused(tmp_path: Path, cut: int, byte: int, at: int) -> None:
    """A file that was cut or has a wrong byte is no other error."""
    content = bytearray(json.dumps(coco(thing(segmentation=[[1, 2, 3, 4, 5, 6]]))).encode())
    if at < len(content):
        content[at] = byte

    with suppress(InvalidDatasetError):
        read_text(tmp_path, bytes(content[: len(content) - cut]))


def test_memory_is_bounded_by_the_number_of_annotations(tmp_path: Path) -> None:
    """Outlines stay in the file: 60 MB and 150 bytes for each of 100,000 annotations, beside 100 MB of file."""
    ring = ",".join(["123.25"] * 150)
    head = '{"categories": [{"id": 1, "name": "ant"}], "images": [%s], "annotations": [%s]}'
    images = ",".join(json.dumps(picture(number, f"{number:06}.jpg")) for number in range(1, 10_001))
    record = '{"id": %d, "image_id": %d, "category_id": 1, "bbox": [1.5, 2.5, 3.5, 4.5], "segmentation": [[%s]]}'
    things = ",".join(record % (at, at * 7919 % 10_000 + 1, ring) for at in range(100_000))
    make(tmp_path, {"annotations.json": head % (images, things)})
    script = Path(__file__).with_name("coco_memory.py")

    shown = subprocess.run([sys.executable, script, tmp_path], capture_output=True, text=True, check=True).stdout

    items, annotations, most_private = map(int, shown.split())
    assert (items, annotations) == (10_000, 100_000)
    assert most_private <= 60_000_000 + 150 * annotations

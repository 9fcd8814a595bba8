"""What is written into DM datasets."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from msgspec.json import encode
from msgspec.structs import replace

from synapse_sdk.errors import ConfigurationError, InvalidDatasetError
from synapse_sdk.formats.base import BoundsPolicy, ImageTransfer
from synapse_sdk.formats.bridging import bridged
from synapse_sdk.formats.masks import mask_of_runs
from synapse_sdk.formats.model import (
    Annotation,
    Box,
    ClassSpec,
    Item,
    Keypoints,
    Polygon,
    Polyline,
    Relation,
    RotatedBox,
    Verbatim,
)
from tests.unit.formats.dm_datasets import FORMATS, SIZE, box_of, image, info_of, item_of, make, read, write
from tests.unit.formats.dm_documents import SAMPLE_V1, SAMPLE_V2, annotation, fresh, to_v1, v1_of, v2_of

BOX = box_of(10, 10, 20, 5.5)
RING, OTHER_RING = (1.0, 1.0, 5.0, 1.0, 5.0, 5.0), (7.0, 7.0, 9.0, 7.0, 9.0, 9.0)
EMPTY: dict[str, list[Any]] = {
    tool: [] for tool in ("bounding_box", "polygon", "polyline", "keypoint", "relation", "group")
}
EVERYTHING = [
    replace(BOX, attributes={"truncated": True, "colour": "r\u00f6t", "rotation": 5}),
    Annotation(
        id="2",
        label="person",
        box=Box(1.0, 2.0, 30.0, 4.0),
        shape=Polygon([RING, OTHER_RING]),
        keypoints=Keypoints((1.0, 2.0, 2, 3.0, 4.0, 1)),
        attributes={"nose.sure": 0.5, "list": [1]},
    ),
    Annotation(
        id="3",
        label="fish",
        keypoints=Keypoints((1.0, 2.0, 2, 3.0, 4.0, 1)),
        attributes={"old": True, "tip.sure": 1},
    ),
    Annotation(id="4", label="road", shape=RotatedBox(10.0, 10.0, 4.0, 6.0, 0.3), attributes={"rotation": "left"}),
    Annotation(id="5", label="line", shape=Polyline(RING)),
    Annotation(id="6", label="sky", shape=mask_of_runs([[5, 3], [69, 2]], *SIZE), is_crowd=True),
    Annotation(id="7", label="indoor", attributes={"light": None}),
    Annotation(id="8", label="on", shape=Relation("2", "4")),
    replace(BOX, id="9", group="g"),
    replace(BOX, id="10", shape=Polygon([RING]), group="g"),
    Annotation(id="11", label="", shape=Verbatim("segmentation", "video_1", {"startFrame": 3, "endFrame": 40})),
    Annotation(id="12", label="tip", keypoints=Keypoints((1.0, 2.0, 2)), attributes={"sure": 1}),
    Annotation(id="13", label="pair", shape=Verbatim("group", "image_1", ["b1", "4"]), attributes={"why": "near"}),
]

POSED = info_of(
    [
        *("bee", "road", "line", "sky", "indoor"),
        ClassSpec(name="person", joints=("nose", "left eye")),
        ClassSpec(name="fish", joints=("tip", "tail")),
        ClassSpec(name="tip", joints=("tip",)),
    ]
)


def plain(annotations: Iterable[Annotation]) -> Any:  # noqa: ANN401  # JSON
    """Return annotations for comparison, by id."""
    return json.loads(encode(sorted(annotations, key=lambda each: each.id)))


@pytest.mark.parametrize("to", [*FORMATS])
def test_everything_that_a_dataset_says_is_read_again(tmp_path: Path, to: str) -> None:
    """Round trip of each version: all shapes, ids, attributes, groups, joints and flags; nothing is lost."""
    written = write(tmp_path, [item_of(*EVERYTHING)], POSED, to=to)
    image(tmp_path / "original_files/a.png")

    found = read(tmp_path)

    expected = [each if each.id not in {"b1", "4"} else replace(each, group="13") for each in EVERYTHING]
    assert plain(found.annotations) == plain(expected)
    assert written.codes == found.codes == {}
    assert written.results == [True]
    assert FORMATS[to].find(tmp_path) == "json/a.json"


def test_a_document_of_version_2_is_as_programs_expect_it(tmp_path: Path) -> None:
    """With the lists that are always there, indented by two; the classes are those of its annotations."""
    written = write(tmp_path, [item_of(replace(BOX, label="b\u00efene"))])

    text = (tmp_path / "json/a.json").read_text(encoding="utf-8")
    assert text == json.dumps(written.document(), indent=2, ensure_ascii=False) + "\n"
    assert '"b\u00efene"' in text
    assert written.document() == {
        "classification": {"bounding_box": ["b\u00efene"]},
        "images": [{**EMPTY, "bounding_box": [annotation("b1", "b\u00efene", [10, 10, 20, 5.5])]}],
    }
    assert written.counts == {("b\u00efene", "bounding_box"): 1}


def test_an_object_becomes_annotations_of_one_group(tmp_path: Path) -> None:
    """The first has its id and attributes; joints that are not labelled are left out."""
    whole = Annotation(
        id="7",
        label="dog",
        box=Box(1.0, 2.0, 30.0, 4.0),
        shape=Polygon([RING, OTHER_RING]),
        keypoints=Keypoints((1.0, 2.0, 2, 0.0, 0.0, 0, 3.0, 4.0, 1)),
        attributes={"a": 1},
        is_crowd=True,
    )
    info = info_of([ClassSpec(name="dog", joints=("left eye", "nose"))])

    (found,) = write(tmp_path, [item_of(whole)], info).document()["images"]

    more = {"group_id": "7"}
    assert found == {
        **EMPTY,
        "bounding_box": [annotation("7", "dog", [1, 2, 30, 4], ("a", 1), ("iscrowd", True), **more)],
        "polygon": [
            annotation("7_polygon", "dog", [[1, 1], [5, 1], [5, 5]], ("iscrowd", True), **more),
            annotation("7_polygon_2", "dog", [[7, 7], [9, 7], [9, 9]], ("iscrowd", True), **more),
        ],
        "keypoint": [
            annotation("7_left_eye", "left eye", [1, 2], visibility=2, **more),
            annotation("7_keypoint_3", "keypoint_3", [3, 4], visibility=1, **more),
        ],
    }


def test_ids_of_parts_are_none_that_something_has(tmp_path: Path) -> None:
    """A number behind it tells it apart."""
    items = [item_of(Annotation(id="1", label="x", shape=Polygon([RING, OTHER_RING])), replace(BOX, id="1_polygon"))]

    (found,) = write(tmp_path, items).document()["images"]

    assert [each["id"] for each in found["polygon"]] == ["1", "1_polygon_2"]


def test_joints_without_anything_else_say_of_which_class_they_are(tmp_path: Path) -> None:
    """In the bucket of groups, which has the attributes of the object."""
    fish = Annotation(
        id="3", label="fish", keypoints=Keypoints((1.0, 2.0, 2, 3.0, 4.0, 1), ("tip", "tail")), attributes={"old": True}
    )

    (found,) = write(tmp_path, [item_of(fish)]).document()["images"]

    assert found["keypoint"] == [
        annotation("3", "tip", [1, 2], visibility=2, group_id="3"),
        annotation("3_tail", "tail", [3, 4], visibility=1, group_id="3"),
    ]
    assert found["group"] == [annotation("3", "fish", ["3", "3_tail"], ("old", True))]


def test_an_object_whose_joints_are_not_labelled_is_not_there(tmp_path: Path) -> None:
    """It must not become something that the image as a whole is; with a box it has that."""
    hidden = Keypoints((0.0, 0.0, 0), ("nose",))
    items = [item_of(Annotation(id="1", label="x", keypoints=hidden), replace(BOX, keypoints=hidden))]

    written = write(tmp_path, items)

    assert written.document()["images"] == [{**EMPTY, "bounding_box": [annotation("b1", "bee", [10, 10, 20, 5.5])]}]
    assert written.codes == {("dropped", "EMPTY"): 1}


def test_masks_are_runs_of_pixels_row_by_row(tmp_path: Path) -> None:
    """With what newer documents say about them."""
    (found,) = write(tmp_path, [item_of(EVERYTHING[5])]).document()["images"]

    more = {"encoding": "dm_rle", "isCompressed": True, "compressionFormat": "rle"}
    assert found["segmentation"] == [annotation("6", "sky", [[5, 3], [69, 2]], ("iscrowd", True), **more)]


def test_a_polygon_with_holes_is_cut_open(tmp_path: Path) -> None:
    """M1: no hole is filled; the ring goes around them."""
    square, hole = (0.0, 0.0, 9.0, 0.0, 9.0, 9.0, 0.0, 9.0), (3.0, 3.0, 3.0, 6.0, 6.0, 6.0)
    polygon = Polygon([square], [hole])

    written = write(tmp_path, [item_of(Annotation(id="1", label="x", shape=polygon))])

    (found,) = written.document()["images"][0]["polygon"]
    assert [number for point in found["data"] for number in point] == bridged(polygon)
    assert written.codes == {("noted", "HOLES"): 1}


def test_a_rotated_box_stands_for_an_upright_one_beside_it(tmp_path: Path) -> None:
    """L3: rotation is the first attribute; an upright box that is not the one around it is said to be lost."""
    rotated = RotatedBox(20.0, 20.0, 10.0, 6.0, 0.0)
    items = [
        item_of(
            Annotation(id="1", label="x", shape=rotated, box=Box(15.0, 17.0, 10.0, 6.0), attributes={"a": 1}),
            Annotation(id="2", label="x", shape=rotated, box=Box(15.0, 17.0, 12.0, 6.0)),
        )
    ]

    written = write(tmp_path, items)

    assert written.document()["images"][0]["bounding_box"] == [
        annotation("1", "x", [15, 17, 10, 6], ("rotation", 0), ("a", 1)),
        annotation("2", "x", [15, 17, 10, 6], ("rotation", 0)),
    ]
    assert written.codes == {("changed", "DERIVED_BOX"): 1}


def test_what_is_on_no_medium_of_dm_is_lost(tmp_path: Path) -> None:
    """And what is on another medium goes to that."""
    items = [
        item_of(
            Annotation(id="1", label="x", shape=Verbatim("cloud", "lidars_1", 5)),
            Annotation(id="2", label="y", shape=Verbatim("bounding_box", "image_2", [1, 2, 3, 4]), group="g"),
        )
    ]

    written = write(tmp_path, items)

    assert written.document() == {
        "classification": {"bounding_box": ["y"]},
        "images": [EMPTY, {"bounding_box": [annotation("2", "y", [1, 2, 3, 4], group_id="g")]}],
    }
    assert written.codes == {("dropped", "SHAPE"): 1}
    assert written.counts == {("y", "bounding_box"): 1}


def test_version_1_says_how_large_the_image_is(tmp_path: Path) -> None:
    """Where that is known; what is written is what the converter makes of version 2."""
    one = write(tmp_path / "1", [item_of(BOX)], to="dm_v1").document()
    other = write(tmp_path / "2", [item_of(BOX)]).document()

    assert one == {**to_v1(other)[0], "extra": {"image_1": {"width": 64, "height": 48}}}
    assert write(tmp_path / "3", [item_of(BOX, size=(0, 0))], to="dm_v1").document()["extra"] == {}


@pytest.mark.parametrize(
    ("to", "document"),
    [
        ("dm_v1", SAMPLE_V1.replace(" ", "\t").encode()),
        ("dm_v2", SAMPLE_V2.encode()),
        ("dm_v2", b"\xef\xbb\xbf" + SAMPLE_V2.encode()),
        ("dm_v2", json.dumps({"annotation_data": fresh(SAMPLE_V2), "annotation_meta": fresh(SAMPLE_V1)}).encode()),
        ("dm_v2", b'{"note": 1, "images": [{"lasso": [{"id": "l", "odd": 1.0e0}]}]}'),
    ],
)
def test_a_document_of_the_same_version_stays_byte_for_byte(tmp_path: Path, to: str, document: bytes) -> None:
    """Whatever it has, and however it is written."""
    make(tmp_path / "source", {"json/a.json": document, "original_files/a.png": SIZE})

    written = write(tmp_path / "out", read(tmp_path / "source").items, to=to)

    assert (tmp_path / "out/json/a.json").read_bytes() == document
    assert written.codes == {}
    assert sum(written.counts.values()) > 0


def test_a_document_of_version_1_becomes_bare_version_2(tmp_path: Path) -> None:
    """By the converter; what only version 1 has is noted, but for the size of the image."""
    v1 = fresh(SAMPLE_V1)
    v1["annotations"]["image_1"][0] |= {"isLocked": True, "shape": "circle"}
    v1["extra"]["image_1"]["angle"] = 90
    v1["relations"]["image_1"] = [1]
    make(tmp_path / "1", {"json/a.json": SAMPLE_V1, "original_files/a.png": SIZE})
    make(tmp_path / "2", {"json/a.json": v1, "original_files/a.png": SIZE})

    one = write(tmp_path / "one", read(tmp_path / "1").items)
    other = write(tmp_path / "other", read(tmp_path / "2").items)

    assert json.dumps(one.document()) == json.dumps(other.document()) == json.dumps(fresh(SAMPLE_V2))
    assert one.words("ONLY_IN_V1") == ["a.png assignmentId, annotationsData.coordinate.id"]
    words = "assignmentId, relations, extra, annotations.isLocked, annotations.shape, annotationsData.coordinate.id"
    assert other.words("ONLY_IN_V1") == [f"a.png {words}"]
    assert other.counts == {
        ("car", "rotated_box"): 1,
        ("road", "polygon"): 1,
        ("part_of", "relation"): 1,
        ("indoor", "classification"): 1,
    }


def test_a_document_of_version_2_becomes_version_1(tmp_path: Path) -> None:
    """With everything from before, if it has that beside it."""
    wrapped = {"annotation_data": fresh(SAMPLE_V2), "annotation_meta": fresh(SAMPLE_V1)}
    make(tmp_path / "1", {"json/a.json": SAMPLE_V2, "original_files/a.png": SIZE})
    make(tmp_path / "2", {"json/a.json": wrapped, "original_files/a.png": SIZE})

    one = write(tmp_path / "one", read(tmp_path / "1").items, to="dm_v1")
    other = write(tmp_path / "other", read(tmp_path / "2").items, to="dm_v1")

    assert one.document() == to_v1(fresh(SAMPLE_V2))[0]
    assert other.document() == fresh(SAMPLE_V1)
    assert one.codes == other.codes == {}


def test_what_version_1_cannot_have_is_dropped_once(tmp_path: Path) -> None:
    """Tools that nobody knows; what was not read was said when it was not."""
    tools = {
        "lasso": [annotation("l1", "rope", [1])],
        "bounding_box": [annotation("b1", "car", [1, 2, 3]), annotation("b2", "car", [1, 2, 3, 4])],
    }
    make(tmp_path / "source", {"json/a.json": v2_of(tools), "original_files/a.png": SIZE})
    source = read(tmp_path / "source")

    written = write(tmp_path / "out", source.items, to="dm_v1")

    assert [each["id"] for each in written.document()["annotations"]["image_1"]] == ["b2"]
    assert source.codes == {("failed", "INVALID_RECORD"): 1}
    assert written.codes == {("dropped", "UNKNOWN_TOOL"): 1}
    assert written.counts == {("car", "bounding_box"): 1}


def test_an_item_that_was_changed_is_written_anew(tmp_path: Path) -> None:
    """L10: with what only DM understands; without a tool that version 1 does not have."""
    make(
        tmp_path / "source",
        {"json/a.json": v2_of({"lasso": [annotation("l1", "rope", [1])]}, videos=[{}]), "original_files/a.png": SIZE},
    )
    (item,) = read(tmp_path / "source").items
    item.document = None

    one = write(tmp_path / "one", [item])
    other = write(tmp_path / "other", [item], to="dm_v1")

    assert one.document()["images"] == [{**EMPTY, "lasso": [annotation("l1", "rope", [1])]}]
    assert one.counts == {("rope", "lasso"): 1}
    assert other.codes == {("dropped", "UNKNOWN_TOOL"): 1}
    assert not +other.counts


def test_annotations_stay_as_they_are_over_the_edge(tmp_path: Path) -> None:
    """C4: unless that was chosen otherwise; then the document is written anew."""
    box = annotation("b1", "bee", [60, 40, 10, 4])
    make(tmp_path / "source", {"json/a.json": v2_of({"bounding_box": [box]}, note=1), "original_files/a.png": SIZE})

    kept = write(tmp_path / "kept", read(tmp_path / "source").items, bounds=BoundsPolicy.KEEP)
    cut = write(tmp_path / "cut", read(tmp_path / "source").items, bounds=BoundsPolicy.CLIP)
    dropped = write(tmp_path / "dropped", read(tmp_path / "source").items, bounds=BoundsPolicy.DROP)
    inside = write(tmp_path / "inside", [item_of(BOX)], bounds=BoundsPolicy.CLIP)

    assert kept.document()["note"] == 1
    assert cut.document()["images"][0]["bounding_box"][0]["data"] == [60, 40, 4, 4]
    assert cut.codes == {("changed", "CLIPPED"): 1}
    assert dropped.document()["images"] == [EMPTY]
    assert inside.codes == {}


def test_an_item_that_must_be_measured_and_cannot_be_is_dropped(tmp_path: Path) -> None:
    """Where annotations have to be inside of their image."""
    written = write(tmp_path, [item_of(BOX, size=(0, 0))], bounds=BoundsPolicy.CLIP)

    assert written.results == [False]
    assert written.codes == {("dropped", "MISSING_IMAGE"): 1}


def test_originals_are_brought_and_sub_folders_mirrored(tmp_path: Path) -> None:
    """C6, D3: with names byte for byte (C8); only the last suffix of documents is another."""
    names = ["camA/x.png", "camB/x.png", "scan.v1.final.png", "\uc0ac\uc9c4 (1).png"]
    items = [Item(name=name, path=str(image(tmp_path / f"source/{name}"))) for name in names]

    written = write(tmp_path / "out", items, images=ImageTransfer.COPY)

    assert written.files == sorted(
        ["classes.txt", *(f"json/{name[:-4]}.json" for name in names), *(f"original_files/{name}" for name in names)]
    )
    assert read(tmp_path / "out").names == [("", name) for name in sorted(names)]


def test_splits_are_folders(tmp_path: Path) -> None:
    """N2: one without items has its folders; images that are not brought leave an empty one."""
    items = [item_of(BOX, split=split) for split in ("valid", "train")]

    written = write(tmp_path, items, info_of(splits=("train", "valid", "test")))

    assert written.files == ["classes.txt", "train/json/a.json", "valid/json/a.json"]
    assert (tmp_path / "test/original_files").is_dir()
    assert read(tmp_path).info.splits == ("train", "valid", "test")


@pytest.mark.parametrize("split", ["json", "original_files", "origin_files", "a/b", "..", ".hidden"])
def test_a_split_cannot_have_the_name_of_something_else(tmp_path: Path, split: str) -> None:
    """Nor lead out of the dataset."""
    with pytest.raises(ConfigurationError, match="cannot be called"):
        write(tmp_path, [], info_of(splits=(split,)))


def test_items_are_in_splits_or_none_is(tmp_path: Path) -> None:
    """Otherwise nobody could read it again."""
    with pytest.raises(InvalidDatasetError, match="Some items"):
        write(tmp_path, [item_of(split="train"), item_of()], info_of(splits=("train",)))


def test_two_items_of_one_document_are_one(tmp_path: Path) -> None:
    """C7: the second is dropped, with its annotations, never written over the first."""
    items = [item_of(name="x.jpg"), item_of(BOX, BOX, name="x.png"), item_of(name="x"), item_of(name="x.jpg/y.png")]

    written = write(tmp_path, items)

    assert written.results == [True, False, False, True]
    assert written.codes == {("dropped", "NAME_TAKEN"): 2}
    assert written.losses.annotations["dropped"] == 2  # type: ignore[index]  # an outcome is text
    assert not written.counts


@pytest.mark.parametrize("name", ["../a.png", "/a.png", "a/../../b.png", "x" * 300 + ".png"])
def test_names_that_lead_out_of_the_dataset_are_refused(tmp_path: Path, name: str) -> None:
    """C14: nothing is written for them."""
    written = write(tmp_path / "out", [item_of(name=name)])

    assert written.codes == {("dropped", "UNSAFE_NAME"): 1}
    assert written.files == ["classes.txt"]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_an_item_without_original_keeps_its_whole_name(tmp_path: Path) -> None:
    """What it has behind a dot may be no suffix."""
    written = write(tmp_path, [item_of(name="scan.v1"), item_of(name="b.JPG")])

    assert written.files == ["classes.txt", "json/b.json", "json/scan.v1.json"]


def test_text_that_no_file_can_have_drops_its_item(tmp_path: Path) -> None:
    """Half of a character; nothing of it is left."""
    written = write(tmp_path, [item_of(replace(BOX, label="\ud800")), item_of(BOX, name="b.png")])

    assert written.results == [False, True]
    assert written.codes == {("dropped", "INVALID_RECORD"): 1}
    assert written.files == ["classes.txt", "json/b.json"]


def test_classes_keep_their_order_and_what_else_is_known_of_them(tmp_path: Path) -> None:
    """Y8, L6: unused ones, too; supercategories, joints, lines and mirror images are in a list of their own."""
    plain = info_of(("zebra", "ant"))
    specs = (
        ClassSpec(name="zebra", supercategory="animal"),
        ClassSpec(name="two\nlines"),
        ClassSpec(name="fish", joints=("l", "r"), skeleton=((0, 1),), flip=(1, 0)),
    )

    one = write(tmp_path / "1", [item_of()], plain)
    other = write(tmp_path / "2", [item_of()], info_of(specs))

    assert one.files == ["classes.txt", "json/a.json"]
    assert (tmp_path / "1/classes.txt").read_text() == "zebra\nant\n"
    assert read(tmp_path / "1").info.classes == plain.classes
    assert other.files == ["classes.json", "classes.txt", "json/a.json"]
    assert read(tmp_path / "2").info.classes == specs


def test_the_same_items_are_written_as_the_same_bytes(tmp_path: Path) -> None:
    """L8: in both versions."""
    for to in FORMATS:
        one, other = (write(tmp_path / f"{to}{number}", [item_of(*EVERYTHING)], to=to) for number in range(2))
        assert [(one.folder / name).read_bytes() for name in one.files] == [
            (other.folder / name).read_bytes() for name in other.files
        ]


def test_a_document_that_is_none_any_more_drops_its_item(tmp_path: Path) -> None:
    """Whoever has made it."""
    item = item_of(BOX)
    item.document = b'{"annotations": {}}'

    written = write(tmp_path, [item])

    assert written.codes == {("dropped", "INVALID_RECORD"): 1}
    assert written.files == ["classes.txt"]


def test_version_1_of_another_program_is_read_as_its_twin(tmp_path: Path) -> None:
    """Defect 2: what comes of both versions is the same."""
    entry = {"id": "b1", "tool": "bounding_box", "classification": {"class": "car", "color": "red"}}
    payload = {"id": "b1", "coordinate": {"x": 10, "y": 20, "width": 30, "height": 15}}
    v1: Any = v1_of({"image_1": [(entry, payload)]})
    v2: Any = v2_of({"bounding_box": [annotation("b1", "car", [10, 20, 30, 15], ("color", "red"))]})
    results = []
    for name, document in (("1", v1), ("2", v2)):
        make(tmp_path / name, {"json/a.json": document, "original_files/a.png": SIZE})
        results.append(read(tmp_path / name))

    assert results[0].annotations == results[1].annotations
    assert results[0].labels == results[1].labels == ["car"]

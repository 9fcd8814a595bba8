"""Pascal VOC as it is written: the files, and what they cannot hold."""

from pathlib import Path

import pytest

from synapse_sdk.errors import InvalidDatasetError
from synapse_sdk.formats.base import BoundsPolicy, FormatOptions, ImageTransfer
from synapse_sdk.formats.model import (
    Annotation,
    Box,
    Item,
    Keypoints,
    Polygon,
    Polyline,
    Relation,
    RotatedBox,
    Tool,
    Verbatim,
)
from tests.unit.formats.voc_datasets import (
    BOX,
    SIZE,
    boxed,
    corners_in,
    image,
    item_of,
    make,
    read,
    root_of,
    write,
)

RING = [10.0, 10.0, 30.0, 10.0, 30.0, 40.0]
EXACT = """<?xml version="1.0" encoding="utf-8"?>
<annotation>
  <folder>Images</folder>
  <filename>a.png</filename>
  <path>Images/a.png</path>
  <source><database>Unknown</database></source>
  <size><width>100</width><height>50</height><depth>3</depth></size>
  <segmented>0</segmented>
  <object>
    <name>bee</name><pose>Unspecified</pose><truncated>0</truncated><difficult>0</difficult>
    <bndbox><xmin>11</xmin><ymin>11</ymin><xmax>30</xmax><ymax>30</ymax></bndbox>
  </object>
</annotation>
"""


def test_a_file_is_as_the_devkit_has_it(tmp_path: Path) -> None:
    """Elements, their order, and corners from 1."""
    write(tmp_path, [item_of(boxed(label="bee", box=Box(10, 10, 20, 20)))])

    assert (tmp_path / "Annotations" / "a.xml").read_text() == EXACT
    assert (tmp_path / "classes.txt").read_text() == "ant\nbee\n"
    assert {path.name for path in tmp_path.iterdir()} == {"Annotations", "classes.txt"}


def test_a_file_has_all_children_that_the_devkit_requires_in_their_order(tmp_path: Path) -> None:
    """With everything that an object may have."""
    said = {"occluded": True, "truncated": True, "difficult": True, "pose": "Left", "colour": "red"}
    write(tmp_path, [item_of(boxed(1, attributes=said), boxed(2, "bee", attributes={"part_of": "1"}))])

    root = root_of(tmp_path / "Annotations" / "a.xml")

    assert [each.tag for each in root] == ["folder", "filename", "path", "source", "size", "segmented", "object"]
    assert [each.tag for each in root.iterfind("size/*")] == ["width", "height", "depth"]
    assert [each.tag for each in root.iterfind("object/*")] == [
        *("name", "pose", "truncated", "difficult", "occluded", "bndbox", "part", "attributes")
    ]
    assert [each.tag for each in root.iterfind("object/bndbox/*")] == ["xmin", "ymin", "xmax", "ymax"]
    assert [each.tag for each in root.iterfind("object/part/*")] == ["name", "bndbox"]
    assert [root.findtext(f"object/{tag}") for tag in ("pose", "truncated", "occluded")] == ["Left", "1", "1"]


def test_corners_count_from_one(tmp_path: Path) -> None:
    """V1: the devkit's way, or from 0, without a shift."""
    items = [item_of(boxed(box=Box(0, 0, 10, 10)))]

    write(tmp_path / "one", items)
    write(tmp_path / "zero", items, options=FormatOptions(images=ImageTransfer.NONE, voc_origin=0))

    assert corners_in(tmp_path / "one" / "Annotations" / "a.xml") == ["1", "1", "10", "10"]
    assert corners_in(tmp_path / "zero" / "Annotations" / "a.xml") == ["0", "0", "10", "10"]


def test_corners_are_not_rounded(tmp_path: Path) -> None:
    """Whole numbers where they are whole, else the shortest decimals that mean the same."""
    write(tmp_path, [item_of(boxed(box=Box(10.3, 5, 20.1, 0.00001)))])

    assert corners_in(tmp_path / "Annotations" / "a.xml") == ["11.3", "6", "30.4", "5.00001"]


@pytest.mark.parametrize("origin", [0, 1])
def test_what_is_read_and_written_again_is_the_same(tmp_path: Path, origin: int) -> None:
    """To the last byte, wherever corners count from."""
    boxes = [Box(number / 7, number / 3, 1 / (number + 1), number / 11) for number in range(1, 80)]
    options = FormatOptions(images=ImageTransfer.NONE, voc_origin=origin)
    items = [item_of(*(boxed(number, box=box) for number, box in enumerate(boxes)))]

    write(tmp_path / "one", items, options=options)
    again = read(tmp_path / "one", options)
    write(tmp_path / "two", again.items, options=options)

    one, two = (tmp_path / each / "Annotations" / "a.xml" for each in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()
    for read_box, box in zip((each.box for each in again.annotations), boxes, strict=True):
        assert read_box is not None
        assert (read_box.x, read_box.y, read_box.width, read_box.height) == pytest.approx(
            (box.x, box.y, box.width, box.height), abs=1e-8
        )


def test_an_image_without_annotations_has_a_file(tmp_path: Path) -> None:
    """C3, V2: without any object."""
    write(tmp_path, [item_of()])

    assert root_of(tmp_path / "Annotations" / "a.xml").find("object") is None
    assert [item.annotations for item in read(tmp_path).items] == [[]]


def test_names_are_escaped(tmp_path: Path) -> None:
    """V3: of classes and files."""
    write(tmp_path, [item_of(boxed(label="R&D <x>"), name="a & <b>.jpg")], classes=["R&D <x>"])

    root = root_of(tmp_path / "Annotations" / "a & <b>.xml")
    assert root.findtext("object/name") == "R&D <x>"
    assert root.findtext("filename") == "a & <b>.jpg"
    assert root.findtext("path") == "Images/a & <b>.jpg"
    assert read(tmp_path).names == [("", "a & <b>.jpg")]


@pytest.mark.parametrize(
    "name",
    ["사진 é (1).jpg", "e\u0301.jpg", "scan.v1.final.jpg", "A.JPG", "cam/사진/x.png", " a.png", "-a.png", "scan.v1"],
)
def test_names_are_kept(tmp_path: Path, name: str) -> None:
    """C6, C8: only the last suffix is replaced, and sub-folders are mirrored."""
    write(tmp_path, [item_of(boxed(), name=name)])

    result = read(tmp_path)

    assert result.names == [("", name)]
    assert result.annotations == [boxed()]
    assert not result.examples


def test_two_images_of_one_base_name_have_a_file_each(tmp_path: Path) -> None:
    """Defect 15."""
    write(tmp_path, [item_of(boxed(), name="camA/x.jpg"), item_of(name="camB/x.jpg")])

    assert [(item.name, len(item.annotations)) for item in read(tmp_path).items] == [
        ("camA/x.jpg", 1),
        ("camB/x.jpg", 0),
    ]
    assert root_of(tmp_path / "Annotations" / "camA" / "x.xml").findtext("folder") == "Images/camA"


def test_an_image_whose_file_is_taken_is_reported(tmp_path: Path) -> None:
    """C7: `x.jpg` and `x.png` would both be `x.xml`; nothing is overwritten, and its image is not placed."""
    first, second = (
        Item(
            name=f"x.{suffix}", path=str(image(tmp_path / f"x.{suffix}")), annotations=[boxed(n) for n in range(count)]
        )
        for suffix, count in (("jpg", 1), ("png", 2))
    )

    result = write(tmp_path / "out", [first, second], options=FormatOptions())

    assert result.items == [first]
    assert (result.loss.reason.code, result.loss.item) == ("NAME_TAKEN", "x.png")
    assert sum(result.losses.annotations.values()) == 2
    assert [path.name for path in (tmp_path / "out" / "Images").iterdir()] == ["x.jpg"]
    assert len(read(tmp_path / "out").annotations) == 1


@pytest.mark.parametrize("name", ["../a.png", "/a.png", "a//b.png", "a/../../b.png", "a\0.png"])
def test_a_name_that_leads_out_of_the_target_is_refused(tmp_path: Path, name: str) -> None:
    """C14: nothing is written."""
    result = write(tmp_path / "out", [item_of(boxed(), name=name)])

    assert result.items == []
    assert result.codes == {("dropped", "UNSAFE_NAME"): 1}
    assert [path.name for path in tmp_path.rglob("*")] == ["out", "classes.txt"]


@pytest.mark.parametrize(
    ("name", "code"), [("a\x01.png", "NOT_XML"), ("a\udcff.png", "UNSAFE_NAME"), ("a\uffff.png", "NOT_XML")]
)
def test_a_file_name_that_xml_cannot_hold_is_refused(tmp_path: Path, name: str, code: str) -> None:
    """However it is escaped."""
    result = write(tmp_path, [item_of(boxed(), name=name)])

    assert result.codes == {("dropped", code): 1}
    assert result.losses.annotations.total() == 1


@pytest.mark.parametrize(
    ("label", "code"), [("a\x02", "NOT_XML"), ("a\nb", "NOT_XML"), ("", "LABEL_MISSING"), (" ", "LABEL_MISSING")]
)
def test_a_class_that_cannot_be_written_is_reported(tmp_path: Path, label: str, code: str) -> None:
    """The list of classes has a line for each."""
    result = write(tmp_path, [item_of(boxed(1, label), boxed(2))], classes=[label, "ant"])

    assert result.codes == {("dropped", code): 1}
    assert (tmp_path / "classes.txt").read_text() == "ant\n"
    assert len(read(tmp_path).annotations) == 1


def test_a_class_that_nobody_listed_is_added_to_the_list(tmp_path: Path) -> None:
    """Behind the others, as it comes."""
    write(tmp_path, [item_of(boxed(1, "zebra"), boxed(2, "cow"))])

    assert (tmp_path / "classes.txt").read_text() == "ant\nbee\nzebra\ncow\n"


def test_splits_have_folders(tmp_path: Path) -> None:
    """Defect 9, N2: and one list of classes."""
    items = [item_of(boxed(), split=split) for split in ("train", "valid", "test")]

    result = write(tmp_path, items)

    assert len(result.items) == 3
    assert {path.name for path in tmp_path.iterdir()} == {"train", "valid", "test", "classes.txt"}
    again = read(tmp_path)
    assert again.names == [("train", "a.png"), ("valid", "a.png"), ("test", "a.png")]
    assert [spec.name for spec in again.info.classes] == ["ant", "bee"]


def test_crowds_are_no_objects(tmp_path: Path) -> None:
    """C2: they are counted."""
    result = write(tmp_path, [item_of(boxed(1, is_crowd=True), boxed(2))])

    assert result.codes == {("dropped", "CROWD"): 1}
    assert len(read(tmp_path).annotations) == 1


def test_what_reaches_over_the_edge_is_cut(tmp_path: Path) -> None:
    """C4, D7, L11: and reported, but for what rounding may have done."""
    items = [item_of(boxed(1, box=Box(-10, 20, 40, 40)), boxed(2, box=Box(70.1, 10, 29.9000001, 20)))]

    result = write(tmp_path, items)

    assert result.codes == {("changed", "CLIPPED"): 1}
    first, second = (each.box for each in read(tmp_path).annotations)
    assert first == Box(0, 20, 30, 30)
    assert second is not None
    assert second.x + second.width == 100


def test_edges_are_a_choice(tmp_path: Path) -> None:
    """Keep, drop, or fail."""
    items = [item_of(boxed(1, box=Box(-10, 20, 40, 40)))]

    def under(policy: BoundsPolicy) -> FormatOptions:
        return FormatOptions(images=ImageTransfer.NONE, bounds=policy)

    write(tmp_path / "keep", items, options=under(BoundsPolicy.KEEP))
    dropped = write(tmp_path / "drop", items, options=under(BoundsPolicy.DROP))

    assert read(tmp_path / "keep").annotations[0].box == Box(-10, 20, 40, 40)
    assert dropped.codes == {("dropped", "OUTSIDE"): 1}
    with pytest.raises(InvalidDatasetError, match="over the edge"):
        write(tmp_path / "error", items, options=under(BoundsPolicy.ERROR))


@pytest.mark.parametrize("box", [Box(10, 10, 0, 10), Box(10, 10, 10, -1), Box(200, 10, 10, 10)])
def test_boxes_without_extent_are_dropped(tmp_path: Path, box: Box) -> None:
    """C5: and reported; the others are written."""
    result = write(tmp_path, [item_of(boxed(1, box=box), boxed(2))])

    assert result.losses.annotations["dropped"] == 1  # type: ignore[index]  # as text
    assert [each.box for each in read(tmp_path).annotations] == [BOX]


@pytest.mark.parametrize(
    ("shape", "words", "box"),
    [
        (Polygon([RING]), "polygon", Box(10, 10, 20, 30)),
        (Polygon([RING, [50.0, 5.0, 60.0, 5.0, 60.0, 9.0]]), "polygon", Box(10, 5, 50, 35)),
        (Polyline(RING), "polyline", Box(10, 10, 20, 30)),
        (RotatedBox(50, 25, 20, 10, 0), "rotated_box", Box(40, 20, 20, 10)),
    ],
)
def test_of_other_shapes_the_enclosing_box_is_written(
    tmp_path: Path, shape: Polygon | Polyline | RotatedBox, words: str, box: Box
) -> None:
    """L1, L3, L4: one object each, however many parts it has, and the rest is reported."""
    result = write(tmp_path, [item_of(Annotation(id="1", label="ant", shape=shape))])

    assert result.codes == {("changed", "SHAPE"): 1}
    assert result.loss.words == f"{words} in Pascal VOC"
    assert [each.box for each in read(tmp_path).annotations] == [box]
    assert result.written == {("ant", Tool.BOX): 1}


def test_the_own_box_of_an_object_is_written_not_the_one_around_its_outline(tmp_path: Path) -> None:
    """What else it has is reported once."""
    joints = Keypoints([5.0, 5.0, 2])
    everything = boxed(shape=Polygon([RING]), keypoints=joints)

    result = write(
        tmp_path, [item_of(everything, Annotation(id="2", label="ant", keypoints=Keypoints([1, 2, 2, 5, 6, 1])))]
    )

    assert [each.box for each in read(tmp_path).annotations] == [BOX, Box(1, 2, 4, 4)]
    assert [loss.words for loss in result.examples] == ["polygon and keypoint in Pascal VOC", "keypoint in Pascal VOC"]
    assert result.losses.annotations.total() == 2


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({}, "classification in Pascal VOC"),
        ({"shape": Relation("1", "2")}, "relation in Pascal VOC"),
        ({"shape": Verbatim("named_entity", "text_1", {})}, "named_entity in Pascal VOC"),
        ({"keypoints": Keypoints([0, 0, 0])}, "keypoint in Pascal VOC"),
    ],
)
def test_what_has_no_place_in_the_image_is_dropped(tmp_path: Path, more: dict[str, object], words: str) -> None:
    """Labels of whole images, relations, and what only DM understands: never silently."""
    result = write(tmp_path, [item_of(Annotation(id="1", label="ant", **more), boxed(2))])  # type: ignore[arg-type]

    assert result.codes == {("dropped", "SHAPE"): 1}
    assert result.loss.words == words
    assert len(read(tmp_path).annotations) == 1


def test_a_relation_adds_no_class(tmp_path: Path) -> None:
    """Its label is none of an object, and nothing of it is written."""
    write(tmp_path, [item_of(Annotation(id="1", label="part_of", shape=Relation("1", "2")))])

    assert (tmp_path / "classes.txt").read_text() == "ant\nbee\n"


def test_a_group_is_reported(tmp_path: Path) -> None:
    """There is no place for it."""
    assert write(tmp_path, [item_of(boxed(group="g1"))]).codes == {("changed", "GROUP"): 1}


def test_every_annotation_is_accounted_for(tmp_path: Path) -> None:
    """L12: seen = written as they are + changed + dropped."""
    annotations = [
        boxed(1),
        boxed(2, box=Box(-10, 0, 20, 20), shape=Polygon([RING]), group="g"),
        boxed(3, box=Box(0, 0, 0, 0), group="g"),
        boxed(4, is_crowd=True),
        Annotation(id="5", label="ant"),
        Annotation(id="6", label="ant", shape=Polyline([0, 0, 10, 0])),
    ]

    result = write(tmp_path, [item_of(*annotations)])

    assert dict(result.losses.annotations) == {"changed": 1, "dropped": 4}
    assert result.written == {("ant", Tool.BOX): 2}
    assert len(read(tmp_path).annotations) == 2


@pytest.mark.parametrize(("mode", "depth"), [("L", "1"), ("RGB", "3"), ("RGBA", "4")])
def test_size_and_depth_come_from_the_image(tmp_path: Path, mode: str, depth: str) -> None:
    """Where nobody says them."""
    path = image(tmp_path / "a.png", (30, 20), mode=mode)

    write(tmp_path / "out", [Item(name="a.png", path=str(path))])

    size = root_of(tmp_path / "out" / "Annotations" / "a.xml").find("size")
    assert size is not None
    assert [each.text for each in size] == ["30", "20", depth]


def test_photos_on_their_side_have_the_size_they_are_shown_in(tmp_path: Path) -> None:
    """Y6, D6: noted."""
    path = image(tmp_path / "a.jpg", (30, 20), orientation=6)

    result = write(tmp_path / "out", [Item(name="a.jpg", path=str(path))])

    assert read(tmp_path / "out").items[0].width == 20
    assert result.codes == {("noted", "TURNED"): 1}


def test_an_item_whose_size_nobody_knows_is_dropped(tmp_path: Path) -> None:
    """Boxes cannot be fitted into it."""
    result = write(tmp_path, [Item(name="a.png", annotations=[boxed()])])

    assert result.codes == {("dropped", "MISSING_IMAGE"): 1}
    assert not (tmp_path / "Annotations").exists()


def test_an_image_that_cannot_be_read_is_noted(tmp_path: Path) -> None:
    """Its size is known, its depth is not."""
    path = make(tmp_path, {"a.png": "no image"}) / "a.png"
    item = item_of(boxed())
    item.path = str(path)

    result = write(tmp_path / "out", [item])

    assert result.codes == {("noted", "UNREADABLE_IMAGE"): 1}
    assert root_of(tmp_path / "out" / "Annotations" / "a.xml").findtext("size/depth") == "3"


@pytest.mark.parametrize("images", [ImageTransfer.COPY, ImageTransfer.HARDLINK, ImageTransfer.SYMLINK])
def test_images_come_along(tmp_path: Path, images: ImageTransfer) -> None:
    """Defect 9: once each, byte for byte, below `Images`."""
    path = image(tmp_path / "A.JPG")
    item = Item(name="cam/A.JPG", path=str(path), split="train", annotations=[boxed()])

    write(tmp_path / "out", [item], options=FormatOptions(images=images))

    placed = tmp_path / "out" / "train" / "Images" / "cam" / "A.JPG"
    assert placed.read_bytes() == path.read_bytes()
    assert read(tmp_path / "out").items[0].path == str(placed)


def test_a_missing_image_leaves_its_annotations(tmp_path: Path) -> None:
    """It is reported."""
    result = write(tmp_path, [item_of(boxed())], options=FormatOptions())

    assert result.codes == {("changed", "MISSING_IMAGE"): 1}
    assert len(read(tmp_path).annotations) == 1


def test_the_same_items_give_the_same_bytes(tmp_path: Path) -> None:
    """A2: no two outputs differ."""
    items = [item_of(boxed(1, attributes={"b": 1, "a": [1, {"c": None}]}), name=f"{name}.png") for name in "abc"]
    for target in ("one", "two"):
        write(tmp_path / target, items)

    one, two = (
        {path.relative_to(tmp_path / each): path.read_bytes() for path in (tmp_path / each).rglob("*.*")}
        for each in ("one", "two")
    )
    assert one == two
    assert len(one) == 4


def test_where_an_image_is_from_is_written(tmp_path: Path) -> None:
    """As it was read."""
    item = item_of()
    item.notes = {"database": "The VOC2007 Database"}

    write(tmp_path, [item])

    assert read(tmp_path).items[0].notes == {"database": "The VOC2007 Database"}


def test_the_same_size_is_read_again(tmp_path: Path) -> None:
    """From the file, without the image."""
    write(tmp_path, [item_of()])

    assert [(item.width, item.height) for item in read(tmp_path).items] == [SIZE]

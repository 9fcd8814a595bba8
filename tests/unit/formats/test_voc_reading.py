"""Objects in XML files of Pascal VOC, and what becomes of them."""

from pathlib import Path

import pytest

from synapse_sdk.errors import ConfigurationError
from synapse_sdk.formats.base import FormatOptions
from synapse_sdk.formats.model import Box, Polygon
from tests.unit.formats.voc_datasets import BOX, CORNERS, OBJECT, document, image, make, read, read_objects

PERSON = (
    f"<object><name>ant</name>{CORNERS}"
    "<part><name>head</name><bndbox><xmin>12</xmin><ymin>7</ymin><xmax>13</xmax><ymax>8</ymax></bndbox></part>"
    "<part><name>foot</name><bndbox><xmin>20</xmin><ymin>20</ymin><xmax>21</xmax><ymax>21</ymax></bndbox></part>"
    "</object>"
)


def corners(*values: object) -> str:
    """Return an object with these corners."""
    names = ("xmin", "ymin", "xmax", "ymax")
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in zip(names, values, strict=False))
    return f"<object><name>ant</name><bndbox>{inner}</bndbox></object>"


def test_corners_count_from_one_and_are_inclusive(tmp_path: Path) -> None:
    """V1: the first ten columns and rows are 1 to 10."""
    result = read_objects(tmp_path, corners(1, 1, 10, 10))

    assert result.annotations[0].box == Box(0, 0, 10, 10)
    assert not result.examples


def test_corners_that_count_from_zero_are_edges(tmp_path: Path) -> None:
    """V1: an option for files of tools that do not shift."""
    result = read_objects(tmp_path, corners(0, 0, 10, 10), options=FormatOptions(voc_origin=0))

    assert result.annotations[0].box == Box(0, 0, 10, 10)


def test_another_origin_is_refused(tmp_path: Path) -> None:
    """The error says which there are."""
    with pytest.raises(ConfigurationError, match="1 or 0, not 2"):
        read_objects(tmp_path, OBJECT, options=FormatOptions(voc_origin=2))


def test_corners_may_be_decimals(tmp_path: Path) -> None:
    """V4: nothing is rounded."""
    result = read_objects(tmp_path, corners(" 11.25 ", "6.5", "3.05e1", "25.75"))

    assert result.annotations[0].box == Box(10.25, 5.5, 20.25, 20.25)


def test_flags_and_pose_are_attributes(tmp_path: Path) -> None:
    """V4: `difficult`, `truncated`, `occluded` and `pose`."""
    said = "<pose>Left</pose><truncated>1</truncated><difficult>1</difficult><occluded>0</occluded>"

    result = read_objects(tmp_path, f"<object><name>ant</name>{said}{CORNERS}</object>")

    assert result.annotations[0].attributes == {"pose": "Left", "truncated": True, "difficult": True, "occluded": False}


def test_what_is_so_by_default_is_no_attribute(tmp_path: Path) -> None:
    """0 and `Unspecified` are what tools write when nothing is known; more so with white space."""
    one = "<pose>Unspecified</pose><truncated>0</truncated><difficult>0</difficult>"
    other = "<pose>unspecified</pose><truncated> 0 </truncated><difficult></difficult>"

    result = read_objects(tmp_path, *(f"<object><name>ant</name>{each}{CORNERS}</object>" for each in (one, other)))

    assert [each.attributes for each in result.annotations] == [{}, {}]


def test_a_flag_that_is_neither_set_nor_unset_stays_text(tmp_path: Path) -> None:
    """KITTI, for one, has fractions there."""
    result = read_objects(tmp_path, f"<object><name>ant</name><truncated>0.4</truncated>{CORNERS}</object>")

    assert result.annotations[0].attributes == {"truncated": "0.4"}


def test_parts_are_annotations_that_name_their_object(tmp_path: Path) -> None:
    """V4: the box of a part is not that of the object."""
    result = read_objects(tmp_path, PERSON, OBJECT)

    assert [(each.id, each.label, each.box) for each in result.annotations] == [
        ("1", "ant", BOX),
        ("2", "head", Box(11, 6, 2, 2)),
        ("3", "foot", Box(19, 19, 2, 2)),
        ("4", "ant", BOX),
    ]
    assert [each.attributes.get("part_of") for each in result.annotations] == [None, "1", "1", None]
    assert [spec.name for spec in result.info.classes] == ["ant", "foot", "head"]


def test_a_box_is_never_that_of_a_part(tmp_path: Path) -> None:
    """V4: an object without a box of its own is reported, although its parts have some."""
    result = read_objects(tmp_path, PERSON.replace(CORNERS, ""))

    assert [(each.label, "part_of" in each.attributes) for each in result.annotations] == [
        ("head", False),
        ("foot", False),
    ]
    assert (result.loss.reason.code, result.loss.where) == ("INVALID_RECORD", "Annotations/a.xml:object[1]")


def test_attributes_as_cvat_writes_them_are_read(tmp_path: Path) -> None:
    """L5: texts stay texts, whatever they look like; only what is marked is JSON."""
    said = (
        "<attributes><attribute><name>colour</name><value>red</value></attribute>"
        "<attribute><name>age</name><value>007</value></attribute>"
        '<attribute><name>speed</name><value type="json">1.5</value></attribute>'
        '<attribute><name>broken</name><value type="json">{1</value></attribute>'
        "<attribute><name>none</name></attribute><attribute><value>no name</value></attribute></attributes>"
    )

    result = read_objects(tmp_path, f"<object><name>ant</name>{CORNERS}{said}</object>")

    assert result.annotations[0].attributes == {
        "colour": "red",
        "age": "007",
        "speed": 1.5,
        "broken": "{1",
        "none": "",
    }


@pytest.mark.parametrize(
    "polygon",
    [
        "<polygon><x1>11</x1><y1>6</y1><x2>21</x2><y2>6</y2><x3>21</x3><y3>16.5</y3></polygon>",
        "<polygon><pt><x>11</x><y>6</y></pt><pt><x>21</x><y>6</y></pt><pt><x>21</x><y>16.5</y></pt></polygon>",
    ],
    ids=["roboflow", "labelme"],
)
def test_outlines_are_read_as_tools_write_them(tmp_path: Path, polygon: str) -> None:
    """Points count as corners do; an object may have an outline only."""
    result = read_objects(tmp_path, f"<object><name>ant</name>{polygon}</object>")

    assert result.annotations[0].shape == Polygon([[10, 5, 20, 5, 20, 15.5]])
    assert result.annotations[0].box is None
    assert not result.examples


@pytest.mark.parametrize("inner", ["", "<x1>1</x1><y1>2</y1>", "<x1>a</x1><y1>2</y1>", "<x1>nan</x1><y1>2</y1>" * 3])
def test_an_outline_that_cannot_be_read_leaves_the_box(tmp_path: Path, inner: str) -> None:
    """That it is gone is reported."""
    result = read_objects(tmp_path, f"<object><name>ant</name>{CORNERS}<polygon>{inner}</polygon></object>")

    assert (result.annotations[0].box, result.annotations[0].shape) == (BOX, None)
    assert result.codes == {("changed", "INVALID_RECORD"): 1}


@pytest.mark.parametrize(
    ("broken", "code", "words"),
    [
        ("<object><name>ant</name></object>", "INVALID_RECORD", "no bndbox"),
        (f"<object>{CORNERS}</object>", "LABEL_MISSING", "no name"),
        (f"<object><name> </name>{CORNERS}</object>", "LABEL_MISSING", "no name"),
        (corners(1, 2, 3), "INVALID_RECORD", "no number for ymax"),
        (corners(1, 2, 3, "ten"), "INVALID_RECORD", "ten"),
        (corners(1, 2, "nan", 10), "NOT_A_NUMBER", "nan"),
        (corners(1, 2, "inf", 10), "NOT_A_NUMBER", "inf"),
        (corners(10, 10, 5, 20), "INVALID_RECORD", "ends before it begins: 10, 10, 5, 20"),
    ],
)
def test_an_object_that_cannot_be_read_is_reported_and_left_out(
    tmp_path: Path, broken: str, code: str, words: str
) -> None:
    """By file and number; the others are read."""
    result = read_objects(tmp_path, OBJECT, broken, OBJECT)

    assert [each.id for each in result.annotations] == ["1", "3"]
    assert result.codes == {("failed", code): 1}
    assert result.loss.where == "Annotations/a.xml:object[2]"
    assert words in result.loss.words
    assert result.losses.annotations["failed"] == 1  # type: ignore[index]  # as text


def test_a_class_that_is_not_listed_is_reported(tmp_path: Path) -> None:
    """`classes.txt` says which there are."""
    make(tmp_path, {"classes.txt": "bee\n"})

    result = read_objects(tmp_path, OBJECT)

    assert result.annotations == []
    assert result.codes == {("failed", "UNKNOWN_CLASS"): 1}
    assert "'ant'" in result.loss.words


def test_classes_keep_the_order_of_their_list(tmp_path: Path) -> None:
    """A byte order mark, Windows ends of lines, blank and repeated lines do no harm."""
    make(tmp_path, {"classes.txt": "\ufeffzebra\r\n\r\nant\r\nzebra\r\n"})

    result = read_objects(tmp_path, OBJECT)

    assert [spec.name for spec in result.info.classes] == ["zebra", "ant"]


def test_without_a_list_classes_are_those_of_all_files_by_name(tmp_path: Path) -> None:
    """N1: the same for all splits."""
    files = {
        f"{split}/Annotations/a.xml": document("a.png", OBJECT.replace("ant", name))
        for split, name in (("train", "zebra"), ("valid", "ant"), ("test", "émeu"))
    }

    result = read(make(tmp_path, files))

    assert [spec.name for spec in result.info.classes] == ["ant", "zebra", "émeu"]


def test_white_space_around_a_name_is_layout(tmp_path: Path) -> None:
    """Unless a class is listed that has it."""
    make(tmp_path, {"classes.txt": "ant\n bee\n"})
    spaced = OBJECT.replace("ant", "\n  ant\n")

    result = read_objects(tmp_path, spaced, OBJECT.replace("ant", " bee"), OBJECT.replace("ant", "bee"))

    assert [each.label for each in result.annotations] == ["ant", " bee", " bee"]


def test_elements_that_are_not_read_are_noted_once_for_each_kind(tmp_path: Path) -> None:
    """`actions`, for one, of the challenge of 2012."""
    acting = f"<object><name>ant</name>{CORNERS}<actions><jumping>1</jumping></actions></object>"

    result = read_objects(tmp_path, acting, acting)

    assert result.codes == {("noted", "NOT_READ"): 1}
    assert "actions" in result.loss.words
    assert result.losses.count == 0


def test_the_size_is_the_one_that_the_file_says(tmp_path: Path) -> None:
    """If it says one at all; else the image will tell."""
    root = make(
        tmp_path,
        {
            "Annotations/a.xml": document("a.png", size=(640, 480)),
            "Annotations/b.xml": document("b.png", size=None),
            "Annotations/c.xml": document("c.png", size=(0, 0)),
            "Annotations/d.xml": document("d.png").replace("100", "1e300"),
            "Annotations/e.xml": document("e.png").replace("100", "640.0"),
        },
    )

    sizes = [(item.width, item.height) for item in read(root).items]

    assert sizes == [(640, 480), (0, 0), (0, 0), (0, 0), (640, 50)]


def test_an_image_without_objects_is_an_item(tmp_path: Path) -> None:
    """V2."""
    result = read_objects(tmp_path)

    assert result.annotations == []
    assert not result.examples


def test_where_an_image_is_from_is_kept(tmp_path: Path) -> None:
    """As a note, for formats that have a place for it."""
    more = "<source><database>The VOC2007 Database</database></source>"
    make(tmp_path, {"Annotations/a.xml": document("a.png", more=more)})

    assert read(tmp_path).items[0].notes == {"database": "The VOC2007 Database"}


def test_reading_twice_gives_the_same(tmp_path: Path) -> None:
    """Ids are numbers in the order of the file, and items come in the order of names."""
    for name in ("b", "a", "c/x"):
        make(tmp_path, {f"Annotations/{name}.xml": document(f"{name}.png".rpartition("/")[2], PERSON)})
        image(tmp_path / "Images" / f"{name}.png")

    once, again = read(tmp_path), read(tmp_path)

    assert once.items == again.items
    assert [item.name for item in once.items] == ["a.png", "b.png", "c/x.png"]


def test_corners_that_are_no_numbers_are_named(tmp_path: Path) -> None:
    """With what is there in their place."""
    box = "<bndbox><xmin>left</xmin><ymin/><xmax>3</xmax></bndbox>"

    result = read_objects(tmp_path, f"<object><name>ant</name>{box}</object>")

    assert result.loss.words == "its bndbox has no number for xmin: 'left', ymin: '', ymax"


def test_a_corner_at_0_is_noted_once(tmp_path: Path) -> None:
    """V1: where pixels count from 1 there is none, and then all boxes may be off by one."""
    objects = [f"<object><name>ant</name>{box}</object>" for box in (CORNERS, *2 * [CORNERS.replace("11", "0")])]

    result = read_objects(tmp_path, *objects)

    assert result.codes == {("noted", "ORIGIN"): 1}
    assert result.loss.where == "Annotations/a.xml:object[2]"
    assert not read(tmp_path, FormatOptions(voc_origin=0)).codes

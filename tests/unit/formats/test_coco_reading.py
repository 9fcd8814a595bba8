"""Images, annotations and categories of COCO files, and what becomes of them."""

from pathlib import Path

import pytest

from synapse_sdk.formats.check import check_dataset
from synapse_sdk.formats.geometry import bounds
from synapse_sdk.formats.losses import LossLog, Outcome
from synapse_sdk.formats.model import Box, ClassSpec, Polygon
from tests.unit.formats.coco_datasets import (
    BBOX,
    BOX,
    CATEGORIES,
    SIZE,
    Json,
    coco,
    make,
    picture,
    read,
    read_things,
    thing,
)

RING = [10, 10, 30, 10, 30, 30]


def test_an_annotation_is_one_object(tmp_path: Path) -> None:
    """Box and outline of an object stay together, under its id and the name of its class."""
    result = read_things(tmp_path, thing(7, segmentation=[RING], area=200.0, iscrowd=0))

    annotation = result.annotation
    assert (annotation.id, annotation.label, annotation.is_crowd) == ("7", "bee", False)
    assert (annotation.box, annotation.shape) == (BOX, Polygon([RING]))
    assert not annotation.attributes
    assert not result.codes


def test_classes_are_in_the_order_of_their_ids(tmp_path: Path) -> None:
    """C1, C9: ids have gaps, stand in any order, and 0 is one of them."""
    categories = [{"id": 90, "name": "tie"}, {"id": 0, "name": "cup"}, {"id": 3, "name": "car"}]
    things = [thing(number, category=category) for number, category in ((1, 0), (2, 90), (3, 3))]

    result = read_things(tmp_path, *things, categories=categories)

    assert [spec.name for spec in result.info.classes] == ["cup", "car", "tie"]
    assert [annotation.label for annotation in result.annotations] == ["cup", "tie", "car"]
    assert not result.codes


def test_crowds_are_kept_and_marked(tmp_path: Path) -> None:
    """C2: what to do about them is for whoever writes."""
    result = read_things(tmp_path, thing(1, iscrowd=1), thing(2, iscrowd=True), thing(3, iscrowd=0))

    assert [annotation.is_crowd for annotation in result.annotations] == [True, True, False]


@pytest.mark.parametrize("nothing", ["absent", "null"])
def test_optional_fields_may_be_missing(tmp_path: Path, nothing: str) -> None:
    """C12: they are as if they said the usual, and so is null."""
    keys = ("segmentation", "area", "iscrowd", "keypoints", "num_keypoints", "score", "attributes")
    more = {} if nothing == "absent" else dict.fromkeys(keys)

    result = read_things(tmp_path, thing(**more))

    annotation = result.annotation
    assert (annotation.box, annotation.shape, annotation.keypoints) == (BOX, None, None)
    assert (annotation.is_crowd, annotation.attributes) == (False, {})
    assert not result.codes


@pytest.mark.parametrize("bbox", [..., None, []])
def test_without_a_box_the_outline_says_where_it_is(tmp_path: Path, bbox: Json) -> None:
    """C12: the annotation has no box of its own, and its bounds are those of the outline."""
    result = read_things(tmp_path, thing(bbox=bbox, segmentation=[RING]))

    assert result.annotation.box is None
    assert bounds(result.annotation) == Box(10, 10, 20, 20)
    assert not result.codes


def test_what_says_nothing_about_a_place_fails(tmp_path: Path) -> None:
    """There is no object without box, outline and joints."""
    result = read_things(tmp_path, thing(5, bbox=..., segmentation=[]), thing(6))

    assert [annotation.id for annotation in result.annotations] == ["6"]
    assert result.codes == {("failed", "INVALID_RECORD"): 1}
    assert (result.loss.annotation, result.loss.where) == ("5", "annotations.json:annotations[0]")


def test_images_without_annotations_are_items(tmp_path: Path) -> None:
    """C3: negatives are as good as others."""
    result = read_things(tmp_path, thing(image=2), images=[picture(1, "a.jpg"), picture(2, "b.jpg")])

    assert [(item.name, len(item.annotations)) for item in result.items] == [("a.jpg", 0), ("b.jpg", 1)]
    assert result.info.count == 2


def test_annotations_come_in_any_order(tmp_path: Path) -> None:
    """Images come in the order of their list, and the annotations of each in that of theirs."""
    images = [picture(30, "c.jpg"), picture(10, "a.jpg"), picture(20, "b.jpg")]
    owners = [10, 30, 20, 10, 30, 10]

    result = read_things(tmp_path, *(thing(at, image=image) for at, image in enumerate(owners)), images=images)

    found = {item.name: [annotation.id for annotation in item.annotations] for item in result.items}
    assert found == {"c.jpg": ["1", "4"], "a.jpg": ["0", "3", "5"], "b.jpg": ["2"]}
    assert result.names == ["c.jpg", "a.jpg", "b.jpg"]


def test_ids_of_images_may_be_text(tmp_path: Path) -> None:
    """Some tools write names there."""
    result = read_things(tmp_path, thing("x-1", image="one"), images=[picture(1), {**picture(0, "b.jpg"), "id": "one"}])

    assert [len(item.annotations) for item in result.items] == [0, 1]
    assert result.annotation.id == "x-1"


def test_unknown_classes_fail_by_name(tmp_path: Path) -> None:
    """C13: the loss names the annotation, its place in the file, and the id that means nothing."""
    result = read_things(tmp_path, thing(1), thing(2, category=99))

    assert [annotation.id for annotation in result.annotations] == ["1"]
    assert result.codes == {("failed", "UNKNOWN_CLASS"): 1}
    assert (result.loss.item, result.loss.annotation, result.loss.where) == (
        "a.jpg",
        "2",
        "annotations.json:annotations[1]",
    )
    assert "99" in result.loss.words


def test_annotations_of_unknown_images_fail_by_name(tmp_path: Path) -> None:
    """C13: likewise."""
    result = read_things(tmp_path, thing(1, image=77), thing(2))

    assert [annotation.id for annotation in result.annotations] == ["2"]
    assert result.codes == {("failed", "UNKNOWN_IMAGE"): 1}
    assert (result.loss.annotation, result.loss.where) == ("1", "annotations.json:annotations[0]")
    assert "77" in result.loss.words


@pytest.mark.parametrize(
    "name", ["../a.jpg", "/etc/a.jpg", "a/../../b.jpg", "", "a\\\\b.jpg", "..\\a.jpg", "a//b.jpg", "a\0.jpg"]
)
def test_names_that_lead_elsewhere_are_refused(tmp_path: Path, name: str) -> None:
    """C14: the item is lost with its annotations, and the others are not."""
    result = read_things(tmp_path, thing(1), thing(2), images=[picture(1, name), picture(2, "b.jpg")])

    assert result.names == ["b.jpg"]
    assert result.codes == {("failed", "UNSAFE_NAME"): 1}
    assert result.losses.annotations[Outcome.FAILED] == 2


def test_names_that_windows_has_written_are_read(tmp_path: Path) -> None:
    """With the slashes that everybody else writes, and that is said."""
    images = [picture(1, "park\\a.jpg"), picture(2, "b.jpg")]
    make(tmp_path, {"park/a.jpg": SIZE, "annotations.json": coco(thing(), images=images)})

    result = read(tmp_path)

    assert [(item.name, bool(item.path), len(item.annotations)) for item in result.items] == [
        ("park/a.jpg", True, 1),
        ("b.jpg", False, 0),
    ]
    assert result.codes == {("noted", "BACKSLASHES"): 1}


def test_whole_numbers_may_be_written_otherwise(tmp_path: Path) -> None:
    """As tables do that have gaps: with a fraction of 0, or as text."""
    categories = [{"id": 1.0, "name": "ant"}, {"id": "2", "name": "bee"}]
    things = [thing(4.0, 1.0, 1.0, iscrowd=0.0), thing(5, 1, "2", iscrowd="1")]
    image = {**picture(), "id": 1.0, "width": 100.0, "height": 50.0}

    result = read_things(tmp_path, *things, images=[image], categories=categories)

    assert [(each.id, each.label, each.is_crowd) for each in result.annotations] == [
        ("4", "ant", False),
        ("5", "bee", True),
    ]
    assert (result.items[0].width, result.items[0].height) == SIZE
    assert not result.codes


def test_a_check_names_ids_that_several_annotations_have(tmp_path: Path) -> None:
    """Of different images, too: readers that look them up lose one."""
    things = [thing(1), thing(2), thing(1, 2), thing("x"), thing("x", 2), thing(0), thing(0, 2), thing(3, 2)]
    make(tmp_path, {"annotations.json": coco(*things, images=[picture(), picture(2, "b.jpg")])})
    losses = LossLog()

    check_dataset(tmp_path, losses)

    ((_, found),) = [each for each in losses.examples.items() if each[0][1].code == "DUPLICATE_ID"]
    assert [loss.where for loss in found] == [f"annotations.json:annotations[{number}]" for number in (2, 4, 6)]


def test_equal_names_in_different_folders_are_two_items(tmp_path: Path) -> None:
    """C6: the path below the dataset is what tells them apart."""
    images = [picture(1, "north/a.jpg"), picture(2, "south/a.jpg"), picture(3, "south/deep/a.jpg")]
    files = {
        "annotations.json": coco(images=images),
        "north/a.jpg": SIZE,
        "south/a.jpg": SIZE,
        "south/deep/a.jpg": SIZE,
    }

    result = read(make(tmp_path, files))

    assert result.names == ["north/a.jpg", "south/a.jpg", "south/deep/a.jpg"]
    assert [item.path for item in result.items] == [str(tmp_path / name) for name in result.names]


@pytest.mark.parametrize(
    "name", ["ö ä/日本 語.jpg", "a.b.c.jpg", "A.JPG", " a.jpg", "e\u0301.png", "x.tiff", "no suffix"]
)
def test_names_are_kept_byte_for_byte(tmp_path: Path, name: str) -> None:
    """C8, D8: nothing is normalised, and any suffix will do."""
    result = read(make(tmp_path, {"annotations.json": coco(images=[picture(1, name)]), name: SIZE}))

    assert result.names == [name]
    assert result.items[0].path == str(tmp_path / name)


def test_images_that_are_not_there_are_items_without_a_path(tmp_path: Path) -> None:
    """They may be elsewhere; a folder of the name is no image."""
    (tmp_path / "b.jpg").mkdir()

    result = read_things(tmp_path, images=[picture(1, "a.jpg"), picture(2, "b.jpg"), picture(3, "gone/c.jpg")])

    assert [item.path for item in result.items] == ["", "", ""]


@pytest.mark.parametrize(
    ("width", "height", "codes"),
    [
        (..., ..., {}),
        (None, None, {}),
        (0, 0, {}),
        ("100", "50", {("noted", "INVALID_RECORD"): 1}),
        (-1, 50, {("noted", "INVALID_RECORD"): 1}),
        (10**30, 50, {("noted", "INVALID_RECORD"): 1}),
        (True, True, {("noted", "INVALID_RECORD"): 1}),
    ],
)
def test_sizes_that_make_no_sense_are_unknown(
    tmp_path: Path, width: Json, height: Json, codes: dict[tuple[str, str], int]
) -> None:
    """They are asked of the image when somebody needs them."""
    image = {key: value for key, value in picture(width=width, height=height).items() if value is not ...}

    result = read_things(tmp_path, thing(), images=[image])

    assert (result.items[0].width, result.items[0].height) == (0, 0)
    assert result.codes == codes


def test_sizes_of_the_file_win(tmp_path: Path) -> None:
    """D6: they are those of the image as it is shown, whatever the image file says."""
    result = read(make(tmp_path, {"annotations.json": coco(), "a.jpg": (50, 100)}))

    assert (result.items[0].width, result.items[0].height) == SIZE


def test_an_id_that_two_images_have_is_that_of_the_first(tmp_path: Path) -> None:
    """The second one is lost, as nobody can say which annotations are its own."""
    result = read_things(tmp_path, thing(image=1), images=[picture(1, "a.jpg"), picture(1, "b.jpg")])

    assert result.names == ["a.jpg"]
    assert result.codes == {("failed", "DUPLICATE_ID"): 1}
    assert (result.loss.item, result.loss.where) == ("b.jpg", "annotations.json:images[1]")


def test_an_image_that_is_listed_twice_is_one_with_all_its_annotations(tmp_path: Path) -> None:
    """Merged files have that; nothing is lost."""
    images = [picture(1, "a.jpg"), picture(2, "b.jpg"), picture(3, "a.jpg")]

    result = read_things(tmp_path, thing(1, image=3), thing(2, image=2), thing(3, image=1), images=images)

    assert [(item.name, [each.id for each in item.annotations]) for item in result.items] == [
        ("a.jpg", ["1", "3"]),
        ("b.jpg", ["2"]),
    ]
    assert result.codes == {("noted", "REPEATED_NAME"): 1}


def test_annotations_with_one_id_stay_apart(tmp_path: Path) -> None:
    """A1: both are there, the second with an id of its own; in different images nothing need be done."""
    images = [picture(1, "a.jpg"), picture(2, "b.jpg")]
    things = [thing(1, 1), thing(1, 1, bbox=[1, 2, 3, 4]), thing(1, 2), thing(2, 2)]

    result = read_things(tmp_path, *things, images=images)

    assert [annotation.id for annotation in result.annotations] == ["1", "1_2", "1", "2"]
    assert result.codes == {("noted", "DUPLICATE_ID"): 1}


def test_annotations_without_ids_are_numbered(tmp_path: Path) -> None:
    """From 1, in each image."""
    images = [picture(1, "a.jpg"), picture(2, "b.jpg")]

    result = read_things(tmp_path, thing(..., 1), thing(None, 1), thing(..., 2), images=images)

    assert [annotation.id for annotation in result.annotations] == ["1", "2", "1"]
    assert not result.codes


@pytest.mark.parametrize(
    "bbox", [[1, 2, 3], [1, 2, 3, 4, 5], [1, 2, 3, None], ["1", "2", "3", "4"], {"x": 1}, "1 2 3 4", 7, [[1, 2, 3, 4]]]
)
def test_boxes_are_four_numbers(tmp_path: Path, bbox: Json) -> None:
    """Whatever else is there fails; the next annotation does not."""
    result = read_things(tmp_path, thing(1, bbox=bbox), thing(2))

    assert [annotation.id for annotation in result.annotations] == ["2"]
    assert result.codes == {("failed", "INVALID_RECORD"): 1}
    assert "bbox" in result.loss.words
    assert result.loss.where == "annotations.json:annotations[0]"


@pytest.mark.parametrize("bbox", [[10, 10, 0, 20], [10, 10, -5, 5], [-10.5, -1e-7, 200, 90]])
def test_boxes_without_extent_or_over_the_edge_are_read_as_they_are(tmp_path: Path, bbox: list[float]) -> None:
    """C4, C5: what becomes of them is for whoever writes."""
    result = read_things(tmp_path, thing(bbox=bbox))

    assert result.annotation.box == Box(*bbox)
    assert not result.codes


@pytest.mark.parametrize(
    "record",
    [
        None,
        7,
        "annotation",
        [],
        {},
        {"id": 1, "bbox": BBOX},
        {"image_id": 1, "bbox": BBOX},
        {"image_id": None, "category_id": 1, "bbox": BBOX},
        {"image_id": 1, "category_id": "one", "bbox": BBOX},
        {"image_id": 1, "category_id": 1.5, "bbox": BBOX},
        {"image_id": [1], "category_id": 1, "bbox": BBOX},
    ],
)
def test_one_bad_record_does_not_end_the_dataset(tmp_path: Path, record: Json) -> None:
    """It fails, with its place in the file."""
    result = read_things(tmp_path, thing(1), record, thing(2))

    assert [annotation.id for annotation in result.annotations] == ["1", "2"]
    assert result.codes == {("failed", "INVALID_RECORD"): 1}
    assert result.loss.where == "annotations.json:annotations[1]"


@pytest.mark.parametrize("record", [None, 7, {}, {"id": 5}, {"file_name": "x.jpg"}, {"id": 5, "file_name": 7}])
def test_one_bad_image_does_not_end_the_dataset(tmp_path: Path, record: Json) -> None:
    """It fails, with its place in the file."""
    result = read_things(tmp_path, thing(), images=[record, picture()])

    assert result.names == ["a.jpg"]
    assert result.codes == {("failed", "INVALID_RECORD"): 1}
    assert result.loss.where == "annotations.json:images[0]"


def test_what_can_be_used_of_a_record_is(tmp_path: Path) -> None:
    """Optional fields that make no sense are left out, and reported with the annotation."""
    result = read_things(tmp_path, thing(4, iscrowd="yes", attributes=[1], keypoints="none", segmentation=7))

    assert (result.annotation.id, result.annotation.box, result.annotation.shape) == ("4", BOX, None)
    assert result.codes == {("changed", "INVALID_RECORD"): 4}
    assert result.losses.annotations == {Outcome.CHANGED: 1}


def test_other_keys_are_attributes(tmp_path: Path) -> None:
    """L5: on the annotation itself, and under `attributes` as CVAT has them."""
    more = {"score": 0.5, "my key": [1, {"deep": None}], "nothing": None}

    result = read_things(tmp_path, thing(1, **more, attributes={"occluded": False, "rotation": 1.5}), thing(2, track=3))

    first, second = (annotation.attributes for annotation in result.annotations)
    assert first == {"score": 0.5, "my key": [1, {"deep": None}], "occluded": False, "rotation": 1.5}
    assert second == {"track": 3}
    assert not result.codes


def test_any_number_of_other_keys_is_read(tmp_path: Path) -> None:
    """Even if every annotation has keys that no other has."""
    result = read_things(tmp_path, *(thing(number, **{f"key {number}": number}) for number in range(200)))

    assert [annotation.attributes for annotation in result.annotations] == [{f"key {at}": at} for at in range(200)]


def test_a_key_that_is_an_attribute_twice_is_reported(tmp_path: Path) -> None:
    """That under `attributes` is taken."""
    result = read_things(tmp_path, thing(score=1, attributes={"score": 2}))

    assert result.annotation.attributes == {"score": 2}
    assert result.codes == {("changed", "INVALID_RECORD"): 1}


def test_what_is_said_about_images_is_kept(tmp_path: Path) -> None:
    """Licenses and links of images are notes; null says nothing."""
    result = read_things(tmp_path, images=[picture(license=3, coco_url="http://x/a.jpg", date_captured=None)])

    assert result.items[0].notes == {"license": 3, "coco_url": "http://x/a.jpg"}


def test_what_a_file_says_about_itself_is_kept(tmp_path: Path) -> None:
    """Its `info` and `licenses`."""
    info, licenses = {"description": "birds", "year": 2026}, [{"id": 3, "name": "CC0"}]

    assert read_things(tmp_path, info=info, licenses=licenses).info.notes == {"info": info, "licenses": licenses}


def test_a_byte_order_mark_is_no_matter(tmp_path: Path) -> None:
    """Y9: some editors leave one."""
    make(tmp_path, {"annotations.json": coco(thing())})
    path = tmp_path / "annotations.json"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())

    assert len(read(tmp_path).annotations) == 1


def test_categories_of_one_name_are_one_class(tmp_path: Path) -> None:
    """It is reported, and annotations of both ids have it."""
    categories = [{"id": 1, "name": "ant"}, {"id": 2, "name": "bee"}, {"id": 3, "name": "ant"}]

    result = read_things(tmp_path, thing(1, category=1), thing(2, category=3), categories=categories)

    assert [spec.name for spec in result.info.classes] == ["ant", "bee"]
    assert [annotation.label for annotation in result.annotations] == ["ant", "ant"]
    assert result.codes == {("noted", "CATEGORIES"): 1}
    assert result.loss.where == "annotations.json:categories[2]"


@pytest.mark.parametrize(
    "record", [None, {"id": 1, "name": "cat"}, {"id": "x", "name": "cat"}, {"id": 9}, {"name": "cat"}]
)
def test_one_bad_category_does_not_end_the_dataset(tmp_path: Path, record: Json) -> None:
    """It is left out: a second name for an id, and whatever has no id or no name."""
    result = read_things(tmp_path, thing(category=1), categories=[*CATEGORIES, record])

    assert [spec.name for spec in result.info.classes] == ["ant", "bee"]
    assert result.annotation.label == "ant"
    assert result.codes == {("noted", "CATEGORIES"): 1}


@pytest.mark.parametrize("name", ["no", "1", "null", "a: b", "日本", "", " x ", "R&D <x>"])
def test_names_of_classes_are_taken_as_they_are(tmp_path: Path, name: str) -> None:
    """C10: whatever they look like."""
    result = read_things(tmp_path, thing(category=5), categories=[{"id": 5, "name": name}])

    assert result.annotation.label == name


def test_supercategories_are_kept(tmp_path: Path) -> None:
    """One that is called as its category says nothing."""
    categories = [
        {"id": 1, "name": "ant", "supercategory": "insect"},
        {"id": 2, "name": "bee", "supercategory": "bee"},
        {"id": 3, "name": "cow", "supercategory": None},
    ]

    assert read_things(tmp_path, categories=categories).info.classes == (
        ClassSpec(name="ant", supercategory="insect"),
        ClassSpec(name="bee"),
        ClassSpec(name="cow"),
    )


def test_one_list_of_classes_for_all_splits(tmp_path: Path) -> None:
    """N1: by the lowest id that a name has anywhere, even if splits number differently."""
    train = [{"id": 1, "name": "ant"}, {"id": 7, "name": "fox"}]
    valid = [{"id": 4, "name": "dog"}, {"id": 2, "name": "fox"}, {"id": 1, "name": "bee"}]
    files = {
        "train/annotations.json": coco(thing(category=7), categories=train),
        "valid/annotations.json": coco(thing(category=2), categories=valid),
    }

    result = read(make(tmp_path, files))

    assert [spec.name for spec in result.info.classes] == ["ant", "bee", "fox", "dog"]
    assert [annotation.label for annotation in result.annotations] == ["fox", "fox"]

"""What is written for annotations and images, and what COCO has no place for."""

from math import inf, nan, pi
from pathlib import Path
from typing import Any

import pytest
from pycocotools.coco import COCO

from synapse_sdk.errors import ConfigurationError, InvalidDatasetError
from synapse_sdk.formats.base import BoundsPolicy, ImageTransfer
from synapse_sdk.formats.coco.rle import compressed
from synapse_sdk.formats.losses import Outcome
from synapse_sdk.formats.masks import mask_area, mask_of_polygon
from synapse_sdk.formats.model import (
    Annotation,
    Box,
    ClassSpec,
    Item,
    Keypoints,
    Mask,
    Polygon,
    Polyline,
    Relation,
    RotatedBox,
    Tool,
    Verbatim,
)
from tests.unit.formats.coco_datasets import BOX, SIZE, Json, document, item, make, write, write_things

RING, HOLE = [10.0, 10.0, 30.0, 10.0, 30.0, 30.0, 10.0, 30.0], [15.0, 15.0, 20.0, 15.0, 20.0, 20.0]
PERSON = ClassSpec(name="person", joints=("nose", "tail"), skeleton=((0, 1),), flip=(0, 1))


def bee(id_: str = "1", **more: Any) -> Annotation:  # noqa: ANN401  # fields of an annotation
    """Return a bee in a box, unless `box` says something else."""
    return Annotation(**{"id": id_, "label": "bee", "box": BOX, **more})


def test_an_object_is_one_record(tmp_path: Path) -> None:
    """Every field that readers expect is there, and nothing is null."""
    write(tmp_path, [item(bee(shape=Polygon([RING])))])

    assert document(tmp_path) == {
        "info": {"description": ""},
        "licenses": [],
        "categories": [
            {"id": 1, "name": "ant", "supercategory": "ant"},
            {"id": 2, "name": "bee", "supercategory": "bee"},
        ],
        "images": [{"id": 1, "file_name": "a.jpg", "width": 100, "height": 50}],
        "annotations": [
            {
                "id": 1,
                "image_id": 1,
                "category_id": 2,
                "bbox": [10, 10, 20, 20],
                "area": 400,
                "segmentation": [RING],
                "iscrowd": 0,
            }
        ],
    }


def test_pycocotools_loads_what_is_written(tmp_path: Path) -> None:
    """And finds everything in it, with masks that it can decode."""
    person = Annotation(id="4", label="person", box=BOX, keypoints=Keypoints([1.0, 2.0, 2, 0.0, 0.0, 0]))
    mask = mask_of_polygon(Polygon([RING], [HOLE]), *SIZE)
    items = [item(bee("1", shape=Polygon([RING, HOLE])), bee("2", shape=mask), person), item(name="b.jpg")]

    result = write(tmp_path, items, ["ant", "bee", PERSON])
    loaded = COCO(str(tmp_path / "annotations.json"))

    assert len(loaded.imgs) == 2
    assert sorted(loaded.anns) == [1, 2, 4]
    assert [loaded.cats[number]["name"] for number in sorted(loaded.cats)] == ["ant", "bee", "person"]
    assert loaded.anns[2]["segmentation"] == {"size": [50, 100], "counts": mask.counts.decode()}
    assert loaded.anns[2]["area"] == mask_area(mask)
    assert loaded.getAnnIds(catIds=[2]) == [1, 2]
    assert not result.codes


def test_all_classes_are_written_from_one(tmp_path: Path) -> None:
    """Y8: those without any object, too, in their order."""
    write(tmp_path, [item(bee())], ["cow", "ant", "bee", "dog"])

    categories = document(tmp_path)["categories"]
    assert [(each["id"], each["name"]) for each in categories] == [(1, "cow"), (2, "ant"), (3, "bee"), (4, "dog")]


def test_images_without_annotations_are_written(tmp_path: Path) -> None:
    """C3: every image is listed."""
    write(tmp_path, [item(name="a.jpg"), item(bee(), name="b.jpg"), item(name="c.jpg")])

    assert [each["file_name"] for each in document(tmp_path)["images"]] == ["a.jpg", "b.jpg", "c.jpg"]
    assert [each["image_id"] for each in document(tmp_path)["annotations"]] == [2]


def test_ids_are_unique_whatever_the_source_has(tmp_path: Path) -> None:
    """Y8, A2: numbers stay if they are free; ids that only count the annotations of an image are nothing to keep."""
    ids = (("1", "2"), ("1", "2", "3"), ("900100581904", "7", "b1", "007", "0", "-4", "900100581904"))

    write(tmp_path, [item(*map(bee, each), name=f"{at}.jpg") for at, each in enumerate(ids)])

    records = document(tmp_path)["annotations"]
    assert [each["id"] for each in records] == [1, 2, 3, 4, 5, 900100581904, 7, 6, 8, 9, 10, 11]
    assert [each.get("synapse") for each in records[5:]] == [
        None,
        None,
        {"id": "b1"},
        {"id": "007"},
        {"id": "0"},
        {"id": "-4"},
        {"id": "900100581904"},
    ]
    assert not any("synapse" in each for each in records[:5])


def test_every_split_has_a_file_beside_its_images(tmp_path: Path) -> None:
    """N2: with the same categories, ids of its own, and the names that we give to splits."""
    make(tmp_path, {"a.jpg": SIZE})
    image = str(tmp_path / "a.jpg")
    items = [item(bee(), split=split, path=image) for split in ("train", "validation", "holdout")]

    target = tmp_path / "out"
    write(target, items, splits=["train", "validation", "test"], images=ImageTransfer.COPY)

    assert sorted(path.relative_to(target).as_posix() for path in target.rglob("*.*")) == [
        "holdout/a.jpg",
        "holdout/annotations.json",
        "test/annotations.json",
        "train/a.jpg",
        "train/annotations.json",
        "valid/a.jpg",
        "valid/annotations.json",
    ]
    documents = [document(target / split) for split in ("train", "valid", "holdout", "test")]
    assert [len(each["images"]) for each in documents] == [1, 1, 1, 0]
    assert [[annotation["id"] for annotation in each["annotations"]] for each in documents] == [[1], [1], [1], []]
    assert all(each["categories"] == documents[0]["categories"] for each in documents)


def test_sub_folders_are_mirrored(tmp_path: Path) -> None:
    """C6: equal names in different folders stay apart."""
    names = ["north/a.jpg", "south/a.jpg", "south/ö ä.JPG"]
    make(tmp_path, dict.fromkeys(names, SIZE))

    target = tmp_path / "out"
    write(target, [item(name=name, path=str(tmp_path / name)) for name in names], images=ImageTransfer.COPY)

    assert [each["file_name"] for each in document(target)["images"]] == names
    assert all((target / name).read_bytes() == (tmp_path / name).read_bytes() for name in names)


@pytest.mark.parametrize(("name", "code"), [("annotations.json", "NAME_TAKEN"), ("../a.jpg", "UNSAFE_NAME")])
def test_names_that_cannot_be_are_dropped(tmp_path: Path, name: str, code: str) -> None:
    """The item is, with its annotations, and nothing is written over."""
    result = write(tmp_path, [item(bee(), name=name), item(bee())])

    assert [each.name for each in result.items] == ["a.jpg"]
    assert result.codes == {("dropped", code): 1}
    assert result.losses.annotations == {Outcome.DROPPED: 1}
    assert len(document(tmp_path)["annotations"]) == 1


@pytest.mark.parametrize("name", ["a/b", "..", ""])
def test_splits_that_cannot_be_are_refused(tmp_path: Path, name: str) -> None:
    """A split is a folder; and all items have one, or none has."""
    with pytest.raises((ConfigurationError, InvalidDatasetError)):
        write(tmp_path, [item(split=name)], splits=["train"])


def test_an_unknown_size_is_read_from_the_image(tmp_path: Path) -> None:
    """As it is shown; without an image the item is dropped, as COCO needs a size."""
    make(tmp_path, {"b.jpg": (64, 32)})
    known = Item(name="b.jpg", path=str(tmp_path / "b.jpg"), annotations=[bee()])
    unknown = Item(name="c.jpg", annotations=[bee()])

    result = write(tmp_path, [known, unknown])

    assert document(tmp_path)["images"] == [{"id": 1, "file_name": "b.jpg", "width": 64, "height": 32}]
    assert result.codes == {("dropped", "MISSING_IMAGE"): 1}


def test_boxes_and_polygons_are_exact(tmp_path: Path) -> None:
    """C11: shortest numbers that give the same again, and no -0."""
    ring = [0.1, 1 / 3, 99.99999999999, -0.0, 5e-7, 49.123456789]
    box = Box(-0.0, 0.1, 1 / 3, 1e-7)

    (record,), _ = write_things(tmp_path, bee(box=box, shape=Polygon([ring])))

    assert record["bbox"] == [0.0, 0.1, 1 / 3, 1e-7]
    assert record["segmentation"] == [ring]
    assert "-0.0" not in (tmp_path / "annotations.json").read_text()


def test_what_is_outside_of_the_image_stays_unless_somebody_says_otherwise(tmp_path: Path) -> None:
    """C4: COCO can have it."""
    over = bee(box=Box(-10.5, 40, 30, 30))

    (kept,), result = write_things(tmp_path / "kept", over)
    assert (kept["bbox"], result.codes) == ([-10.5, 40, 30, 30], {})

    (cut,), result = write_things(tmp_path / "cut", over, bounds=BoundsPolicy.CLIP)
    assert (cut["bbox"], cut["area"]) == ([0, 40, 19.5, 10], 195)
    assert result.codes == {("changed", "CLIPPED"): 1}

    nothing, result = write_things(tmp_path / "dropped", over, bounds=BoundsPolicy.DROP)
    assert (nothing, result.codes) == ([], {("dropped", "OUTSIDE"): 1})


@pytest.mark.parametrize("size", [(0, 20), (20, 0), (-5, 5), (0, 0)])
@pytest.mark.parametrize("policy", [None, BoundsPolicy.KEEP, BoundsPolicy.CLIP])
def test_boxes_without_extent_are_dropped(
    tmp_path: Path, size: tuple[float, float], policy: BoundsPolicy | None
) -> None:
    """C5: whatever is said about the edges of images."""
    records, result = write_things(tmp_path, bee(box=Box(10, 10, *size)), bee("2"), bounds=policy)

    assert [each["id"] for each in records] == [2]
    assert result.codes == {("dropped", "EMPTY"): 1}


def test_a_box_without_extent_beside_an_outline_is_mended(tmp_path: Path) -> None:
    """The outline says where the object is."""
    (record,), result = write_things(tmp_path, bee(box=Box(10, 10, 0, 0), shape=Polygon([RING])))

    assert record["bbox"] == [10, 10, 20, 20]
    assert result.codes == {("changed", "EMPTY"): 1}


def test_without_a_box_the_one_around_the_outline_is_written(tmp_path: Path) -> None:
    """L1: trainers want one; that it was not there is written beside it."""
    (record,), result = write_things(tmp_path, bee(box=None, shape=Polygon([RING])))

    assert (record["bbox"], record["area"], record["segmentation"]) == ([10, 10, 20, 20], 400, [RING])
    assert record["synapse"] == {"is_box_derived": True}
    assert result.written == {("bee", Tool.POLYGON): 1}
    assert not result.codes


def test_the_area_of_an_object_is_that_of_all_its_parts(tmp_path: Path) -> None:
    """M2: one annotation, whatever its parts."""
    (record,), _ = write_things(tmp_path, bee(shape=Polygon([RING, [50.0, 0.0, 60.0, 0.0, 60.0, 10.0]])))

    assert record["area"] == 450
    assert len(record["segmentation"]) == 2


def test_holes_make_a_mask_of_a_polygon(tmp_path: Path) -> None:
    """M1: never filled without a word; the pixels are those of the polygon."""
    polygon = Polygon([RING], [HOLE])

    (record,), result = write_things(tmp_path, bee(box=None, shape=polygon))

    mask = mask_of_polygon(polygon, *SIZE)
    assert record["segmentation"] == {"size": [50, 100], "counts": mask.counts.decode()}
    assert record["area"] == mask_area(mask)
    assert result.codes == {("changed", "HOLES"): 1}
    assert result.written == {("bee", Tool.MASK): 1}


def test_masks_are_written_as_they_are(tmp_path: Path) -> None:
    """L2: as text, with the number of their pixels."""
    mask = mask_of_polygon(Polygon([RING]), *SIZE)

    (record,), result = write_things(tmp_path, bee(shape=mask, is_crowd=True))

    assert record["segmentation"] == {"size": [50, 100], "counts": mask.counts.decode()}
    assert (record["area"], record["iscrowd"]) == (400, 1)
    assert not result.codes


def test_a_mask_of_another_size_is_cut_to_that_of_its_image(tmp_path: Path) -> None:
    """It would not be read again."""
    mask = mask_of_polygon(Polygon([[0, 0, 200, 0, 200, 200, 0, 200]]), 300, 300)

    (record,), result = write_things(tmp_path, bee(shape=mask))

    assert (record["segmentation"]["size"], record["area"]) == ([50, 100], 5000)
    assert result.codes == {("changed", "MASK_SIZE"): 1}


def test_holes_in_what_is_no_polygon_are_left_out(tmp_path: Path) -> None:
    """The box stays."""
    (record,), result = write_things(tmp_path, bee(shape=Polygon([[nan, 1, 2, 3, 4, 5]], [HOLE])))

    assert (record["bbox"], record["segmentation"]) == ([10, 10, 20, 20], [])
    assert result.losses.annotations == {Outcome.CHANGED: 1}


def test_a_mask_without_pixels_is_dropped(tmp_path: Path) -> None:
    """Nothing of it has any extent."""
    records, result = write_things(tmp_path, bee(box=None, shape=Mask(100, 50, compressed([5000]))))

    assert records == []
    assert result.codes == {("dropped", "EMPTY"): 1}


def test_a_rotated_box_is_a_polygon_of_four_corners(tmp_path: Path) -> None:
    """L3: what it was is written beside it, and there is no loss."""
    (record,), result = write_things(tmp_path, bee(box=None, shape=RotatedBox(50, 25, 20, 10, pi / 2)))

    assert record["segmentation"] == [pytest.approx([55, 15, 55, 35, 45, 35, 45, 15])]
    assert record["bbox"] == pytest.approx([45, 15, 10, 20])
    assert record["area"] == 200
    assert record["synapse"]["rotated_box"] == [50, 25, 20, 10, pi / 2]
    assert not result.codes


@pytest.mark.parametrize(
    "shape", [Polyline([1, 2, 3, 4]), Relation("1", "2"), Verbatim("segmentation", "video_1", {"start": 1}), None]
)
def test_what_coco_has_no_place_for_is_dropped(tmp_path: Path, shape: Any) -> None:  # noqa: ANN401  # any shape
    """L4: lines, relations, spans, and labels of whole images; each is in the report."""
    records, result = write_things(tmp_path, bee(box=None, shape=shape), bee("2"))

    assert [each["id"] for each in records] == [2]
    assert result.codes == {("dropped", "SHAPE"): 1}


def test_a_line_beside_a_box_is_left_out(tmp_path: Path) -> None:
    """The box is written, and the loss names the line."""
    (record,), result = write_things(tmp_path, bee(shape=Polyline([1, 2, 3, 4])))

    assert (record["bbox"], record["segmentation"]) == ([10, 10, 20, 20], [])
    assert result.codes == {("changed", "SHAPE"): 1}
    assert "polyline" in result.loss.words
    assert result.written == {("bee", Tool.BOX): 1}


def test_joints_are_written_with_their_visibility(tmp_path: Path) -> None:
    """L6, P1: and the class has their names and the lines between them, from 1."""
    person = Annotation(id="1", label="person", box=BOX, keypoints=Keypoints([1.5, 2.0, 2, 3.0, 4.0, 1]))

    (record,), result = write_things(tmp_path, person, classes=[PERSON, "bee"])

    assert (record["keypoints"], record["num_keypoints"]) == ([1.5, 2, 2, 3, 4, 1], 2)
    assert document(tmp_path)["categories"] == [
        {"id": 1, "name": "person", "supercategory": "person", "keypoints": ["nose", "tail"], "skeleton": [[1, 2]]},
        {"id": 2, "name": "bee", "supercategory": "bee"},
    ]
    assert result.written == {("person", Tool.BOX): 1, ("person", Tool.KEYPOINTS): 1}
    assert not result.codes


def test_joints_of_one_person_are_never_those_of_another(tmp_path: Path) -> None:
    """L6: each has an annotation, and one without joints has none."""
    people = [
        Annotation(id=str(at), label="person", box=BOX, keypoints=None if points is None else Keypoints(points))
        for at, points in enumerate(([1.0, 2.0, 2, 0.0, 0.0, 0], None, [0.0, 0.0, 0, 5.0, 6.0, 1]), 1)
    ]

    records, _ = write_things(tmp_path, *people, classes=[PERSON])

    assert [each.get("keypoints") for each in records] == [[1, 2, 2, 0, 0, 0], None, [0, 0, 0, 5, 6, 1]]
    assert [each.get("num_keypoints") for each in records] == [1, None, 1]


def test_joints_alone_have_a_box_of_a_pixel_at_least(tmp_path: Path) -> None:
    """A box without extent is none."""
    alone = Annotation(id="1", label="person", keypoints=Keypoints([10.0, 20.0, 2, 0.0, 0.0, 0]))

    (record,), result = write_things(tmp_path, alone, classes=[PERSON])

    assert (record["bbox"], record["synapse"]) == ([9.5, 19.5, 1, 1], {"is_box_derived": True})
    assert not result.codes


def test_joints_are_put_into_the_order_of_their_class(tmp_path: Path) -> None:
    """By name; what the class does not have is left out, and named."""
    points = Keypoints([3.0, 4.0, 1, 9.0, 9.0, 2, 1.0, 2.0, 2], names=("tail", "wing", "nose"))

    (record,), result = write_things(
        tmp_path, Annotation(id="1", label="person", box=BOX, keypoints=points), classes=[PERSON]
    )

    assert record["keypoints"] == [1, 2, 2, 3, 4, 1]
    assert result.codes == {("changed", "JOINTS"): 1}
    assert "wing" in result.loss.words


def test_a_class_gets_the_joints_of_its_first_object(tmp_path: Path) -> None:
    """If it does not name any itself."""
    one = bee("1", keypoints=Keypoints([1.0, 2.0, 2, 3.0, 4.0, 2], names=("head", "sting")))
    two = bee("2", keypoints=Keypoints([5.0, 6.0, 1], names=("sting",)))

    records, result = write_things(tmp_path, one, two)

    assert document(tmp_path)["categories"][1]["keypoints"] == ["head", "sting"]
    assert [each["keypoints"] for each in records] == [[1, 2, 2, 3, 4, 2], [0, 0, 0, 5, 6, 1]]
    assert not result.codes


def test_joints_that_are_not_those_of_the_class_are_left_out(tmp_path: Path) -> None:
    """Without names nobody knows which they are."""
    person = Annotation(id="1", label="person", box=BOX, keypoints=Keypoints([1.0, 2.0, 2]))

    (record,), result = write_things(tmp_path, person, classes=[PERSON])

    assert "keypoints" not in record
    assert result.codes == {("changed", "JOINTS"): 1}


def test_attributes_are_kept(tmp_path: Path) -> None:
    """L5, A2: under `attributes`, as other tools have them; groups beside them."""
    attributes = {"occluded": True, "color": "red", "synapse": 1, "id": 5}

    (record,), result = write_things(tmp_path, bee(attributes=attributes, group="g1"))

    assert (record["attributes"], record["synapse"]) == (attributes, {"group": "g1"})
    assert not result.codes


@pytest.mark.parametrize(("label", "code"), [("", "LABEL_MISSING"), ("zebra", "UNKNOWN_CLASS")])
def test_annotations_without_a_class_are_dropped(tmp_path: Path, label: str, code: str) -> None:
    """COCO has no annotation without a category."""
    records, result = write_things(tmp_path, bee(label=label))

    assert records == []
    assert result.codes == {("dropped", code): 1}


@pytest.mark.parametrize("value", [nan, inf, -inf, 1e300])
def test_what_is_no_number_is_never_written(tmp_path: Path, value: float) -> None:
    """Nor what is so large that its area is none."""
    bad = [
        bee("1", box=Box(value, 1, 1e300, 1e300)),
        bee("2", shape=Polygon([[value, 1.0, 2.0, 1e300, 2.0, value]])),
        bee("3", keypoints=Keypoints([value, value, 2])) if abs(value) != 1e300 else bee("3", box=Box(0, 0, inf, 1)),
    ]

    records, result = write_things(tmp_path, *bad)

    assert records == []
    assert result.codes == {("dropped", "NOT_A_NUMBER"): 3}


def test_what_is_said_about_images_and_datasets_is_written(tmp_path: Path) -> None:
    """Notes of a source that is COCO, too; they never replace what is known."""
    notes = {"info": {"year": 2026}, "licenses": [{"id": 3}]}

    write(tmp_path, [item(notes={"license": 3, "id": 77, "width": 1})], notes=notes)

    found = document(tmp_path)
    assert (found["info"], found["licenses"]) == (notes["info"], notes["licenses"])
    assert found["images"] == [{"license": 3, "id": 1, "width": 100, "file_name": "a.jpg", "height": 50}]


@pytest.mark.parametrize("name", ["no", "a: b", '"', "\\", "日本 é", "\u2028", "R&D <x>"])
def test_names_are_written_as_they_are(tmp_path: Path, name: str) -> None:
    """C8, C10: text that is not ASCII can be read by people."""
    write(tmp_path, [item(Annotation(id="1", label=name, box=BOX), name=f"{name}.jpg".replace("\\", "_"))], [name])

    assert document(tmp_path)["categories"][0]["name"] == name
    assert "é" not in name or "日本 é" in (tmp_path / "annotations.json").read_text(encoding="utf-8")


def test_a_dataset_without_items_is_a_whole_file(tmp_path: Path) -> None:
    """With its classes."""
    write(tmp_path, [])

    found: Json = document(tmp_path)
    assert (found["images"], found["annotations"], len(found["categories"])) == ([], [], 2)


def test_nothing_else_is_left_in_the_target(tmp_path: Path) -> None:
    """What waits while items come has no name."""
    write(tmp_path, [item(bee())])

    assert [path.name for path in tmp_path.iterdir()] == ["annotations.json"]


def test_images_come_into_the_target_as_they_are(tmp_path: Path) -> None:
    """Each once; one that is not there is reported, and what is said about it stays."""
    make(tmp_path, {"a.jpg": SIZE})
    items = [item(bee(), path=str(tmp_path / "a.jpg")), item(bee(), name="gone.jpg")]

    result = write(tmp_path / "out", items, images=ImageTransfer.HARDLINK)

    assert (tmp_path / "out" / "a.jpg").samefile(tmp_path / "a.jpg")
    assert [each["file_name"] for each in document(tmp_path / "out")["images"]] == ["a.jpg", "gone.jpg"]
    assert result.codes == {("changed", "MISSING_IMAGE"): 1}

"""What goes out as COCO comes back."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from synapse_sdk.formats import ConversionOptions, ImageTransfer, compare_datasets, convert
from synapse_sdk.formats.losses import Outcome
from synapse_sdk.formats.masks import mask_of_polygon
from synapse_sdk.formats.model import Annotation, Box, ClassSpec, Item, Keypoints, Polygon, RotatedBox
from tests.unit.formats.coco_datasets import SIZE, coco, item, make, picture, read, thing, write

PERSON = ClassSpec(
    name="person",
    supercategory="animal",
    joints=("nose", "left_eye", "right_eye"),
    skeleton=((0, 1), (0, 2)),
    flip=(0, 2, 1),
)
CLASSES = (ClassSpec(name="ant"), PERSON, ClassSpec(name="bee", supercategory="insect"))
RING = [10.125, 10.0, 30.0, 10.0, 1 / 3, 0.1]


def there_and_back(folder: Path, items: Sequence[Item], *, splits: Sequence[str] = ()) -> Sequence[Item]:
    """Write items and read them again; nothing is lost on either way."""
    written = write(folder, items, CLASSES, splits=splits)
    result = read(folder)
    assert not written.codes
    assert not result.codes
    assert result.info.classes == CLASSES
    return result.items


def an(id_: str, **more: Any) -> Annotation:  # noqa: ANN401  # fields of an annotation
    """Return an ant."""
    return Annotation(**{"id": id_, "label": "ant", **more})


def test_everything_that_coco_can_have_comes_back(tmp_path: Path) -> None:
    """D1, A2, L1, L2, L6, L7: ids of any form, groups, attributes, shapes with and without boxes."""
    box, polygon = Box(1.5, -2.25, 1 / 3, 4.0), Polygon([RING, [5.0, 5.0, 9.0, 5.0, 9.0, 9.5, 5.0, 9.5]])
    mask = mask_of_polygon(Polygon([[10, 10, 40, 10, 40, 30]], [[20, 15, 25, 15, 25, 20]]), *SIZE)
    joints = Keypoints([1.5, 2.0, 2, 0.0, 0.0, 0, 3.0, 4.0, 1])
    annotations = [
        an("Xy_3fA9k-Q", box=box),
        an("12", box=box, shape=polygon, attributes={"occluded": True, "color": None, "n": [1, {"a": 2.5}]}),
        an("b1", shape=polygon, group="g1"),
        an("b1_2", shape=RotatedBox(50.0, 25.0, 20.0, 10.0, 0.7), group="g1"),
        an("m", shape=mask),
        an("c", box=box, shape=mask, is_crowd=True),
        an("p", label="person", keypoints=joints),
        an("q", label="person", box=box, shape=polygon, keypoints=joints),
        an("0012", box=box),
        an("", box=box),
    ]
    (back,) = there_and_back(tmp_path, [item(*annotations, notes={"license": 3})])

    assert back.annotations == annotations
    assert (back.name, back.width, back.height, back.notes) == ("a.jpg", *SIZE, {"license": 3})


def test_splits_come_back(tmp_path: Path) -> None:
    """Those without items as well; ids may be the same in two."""
    items = [item(an("1", box=Box(1, 2, 3, 4)), split=split) for split in ("train", "valid", "holdout")]

    back = there_and_back(tmp_path, items, splits=("train", "valid", "test", "holdout"))

    assert [(each.split, each.name) for each in back] == [("train", "a.jpg"), ("valid", "a.jpg"), ("holdout", "a.jpg")]
    assert read(tmp_path).info.splits == ("train", "valid", "test", "holdout")


IDS = st.text(alphabet="ab_-0123456789", min_size=1, max_size=4)
NUMBERS = st.floats(-1e6, 1e6).map(lambda value: value + 0.0)
SIDES = st.floats(1e-3, 1e6)
BOXES = st.builds(Box, NUMBERS, NUMBERS, SIDES, SIDES)
RINGS = st.lists(NUMBERS, min_size=6, max_size=12).map(lambda ring: ring[: len(ring) // 2 * 2])
POLYGONS = st.lists(RINGS, min_size=1, max_size=3).map(Polygon)
ATTRIBUTES = st.dictionaries(IDS, st.booleans() | st.integers(-9, 9) | IDS, max_size=3)
ANNOTATIONS = st.builds(
    Annotation,
    id=IDS,
    label=st.sampled_from(["ant", "bee"]),
    box=BOXES,
    shape=st.none() | POLYGONS | st.builds(RotatedBox, NUMBERS, NUMBERS, SIDES, SIDES, st.floats(-3, 3)),
    attributes=ATTRIBUTES,
    group=st.just("") | IDS,
    is_crowd=st.booleans(),
)
LISTS = st.lists(st.lists(ANNOTATIONS, max_size=4, unique_by=lambda each: each.id), max_size=4)


@given(lists=LISTS)
@settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=100
)
def test_any_items_come_back(tmp_path_factory: pytest.TempPathFactory, lists: list[list[Annotation]]) -> None:
    """To the last digit, in their order, with ids that are more than a count."""
    items = [item(*each, name=f"{at}.jpg") for at, each in enumerate(lists)]

    back = there_and_back(tmp_path_factory.mktemp("coco"), items)

    for one, other in zip(items, back, strict=True):
        only_count = [each.id for each in one.annotations] == [str(at + 1) for at in range(len(one.annotations))]
        for before, after in zip(one.annotations, other.annotations, strict=True):
            assert only_count or before.id == after.id
            assert (before.label, before.box, before.shape) == (after.label, after.box, after.shape)
            assert (before.attributes, before.group, before.is_crowd) == (after.attributes, after.group, after.is_crowd)


def test_a_file_comes_back(tmp_path: Path) -> None:
    """COCO to COCO: annotations with the same ids, images and classes by name, and nothing is lost."""
    make(
        tmp_path / "source",
        {
            "annotations.json": coco(
                thing(900, 5, category=7, segmentation=[[1, 2, 30, 2, 30, 40]], area=1.0, iscrowd=0),
                thing(3, 9, category=2, score=0.5),
                images=[picture(9, "x/a.jpg", license=1), picture(5, "b.jpg"), picture(6, "c.jpg")],
                categories=[{"id": 7, "name": "ant"}, {"id": 2, "name": "bee", "supercategory": "insect"}],
                info={"year": 2026},
            ),
            "x/a.jpg": SIZE,
            "b.jpg": SIZE,
            "c.jpg": SIZE,
        },
    )

    report = convert(tmp_path / "source", tmp_path / "target", to="coco", source_format="coco")

    one, other = read(tmp_path / "source"), read(tmp_path / "target")
    assert report.loss_count == 0
    assert other.info == one.info
    assert [(each.name, each.annotations, each.notes) for each in other.items] == [
        (each.name, each.annotations, each.notes) for each in one.items
    ]


def test_the_same_source_gives_the_same_bytes(tmp_path: Path) -> None:
    """However often it is written."""
    items = [item(an("b1", box=Box(1, 2, 3, 4)), an("b2", shape=Polygon([RING])), name=f"{at}.jpg") for at in range(9)]

    for name in ("one", "two"):
        write(tmp_path / name, items)

    one, two = ((tmp_path / name / "annotations.json").read_bytes() for name in ("one", "two"))
    assert one == two


@pytest.mark.parametrize("target", ["yolo", "pascal"])
def test_other_formats_take_what_they_can(tmp_path: Path, target: str) -> None:
    """C2: crowds are objects of neither, and every annotation is accounted for."""
    make(
        tmp_path / "source",
        {
            "annotations.json": coco(
                thing(1), thing(2, segmentation=[[10, 10, 30, 10, 30, 30]]), thing(3, iscrowd=1), thing(4, category=9)
            ),
            "a.jpg": SIZE,
        },
    )

    options = ConversionOptions(images=ImageTransfer.NONE)
    report = convert(tmp_path / "source", tmp_path / "out", to=target, source_format="coco", options=options)

    figures = report.annotations
    assert figures.seen == figures.written + figures.changed + figures.dropped + figures.failed == 4
    assert (figures.failed, figures.dropped) == (1, 1)
    found = {each.code: each.count for each in report.losses if each.outcome is not Outcome.NOTED}
    assert found == {"UNKNOWN_CLASS": 1, "SHAPE": 1, "CROWD": 1}


def test_documents_come_back(tmp_path: Path) -> None:
    """A2, D1: DM to COCO to DM keeps ids, groups, attributes and every shape, and loses nothing."""
    box = {
        "id": "Xy_3fA9k-Q",
        "classification": "car",
        "attrs": [{"name": "color", "value": "red"}],
        "data": [1, 2, 3, 4],
    }
    turned = {
        "id": "rot1",
        "classification": "car",
        "attrs": [{"name": "rotation", "value": 0.2}],
        "data": [40, 10, 20, 10],
    }
    road = {"id": "p1", "classification": "road", "attrs": [], "group_id": "g", "data": [[1, 2], [4, 2], [4, 6.5]]}
    mud = {"id": "12", "classification": "mud", "attrs": [], "data": [5, 6, 7, 105, 106]}
    bucket = {"bounding_box": [box, turned], "polygon": [road], "segmentation": [mud]}
    make(tmp_path / "dm", {"json/a.json": {"images": [bucket]}, "original_files/a.jpg": SIZE})

    there = convert(tmp_path / "dm", tmp_path / "coco", to="coco", source_format="dm_v2")
    back = convert(tmp_path / "coco", tmp_path / "back", to="dm_v2", source_format="coco")

    assert (there.loss_count, back.loss_count) == (0, 0)
    assert compare_datasets(tmp_path / "dm", tmp_path / "back", tolerance=1e-9).are_equal
    (found,) = json.loads((tmp_path / "back" / "json" / "a.json").read_bytes())["images"]
    assert [each["id"] for each in found["bounding_box"]] == ["Xy_3fA9k-Q", "rot1"]
    assert found["bounding_box"][0]["attrs"] == box["attrs"]
    assert [(each["id"], each["group_id"]) for each in found["polygon"]] == [("p1", "g")]
    assert [each["id"] for each in found["segmentation"]] == ["12"]

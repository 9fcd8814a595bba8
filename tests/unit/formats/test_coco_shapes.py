"""Outlines, masks and joints in COCO files."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from pycocotools import mask as coco_masks

from synapse_sdk.formats.losses import Outcome
from synapse_sdk.formats.masks import array_of_mask
from synapse_sdk.formats.model import Keypoints, Mask, Polygon
from tests.unit.formats.coco_datasets import BOX, Json, coco, make, picture, read, read_things, thing

type Pixels = npt.NDArray[np.uint8]

RING, OTHER = [10, 10, 30, 10, 30, 30], [50, 5, 60.5, 5, 60.5, 7.25, 50, 7.25]
JOINTS = ["nose", "left_eye", "right_eye"]
PERSON = [{"id": 1, "name": "person", "keypoints": JOINTS, "skeleton": [[1, 2], [1, 3]]}]
COCO_JOINTS = [
    "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow",
    "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle",
    "right_ankle",
]  # fmt: skip


@pytest.fixture
def pixels() -> Pixels:
    """Return an object of 100 x 50 pixels."""
    found: Pixels = np.zeros((50, 100), np.uint8, order="F")
    found[10:30, 20:60] = 1
    found[15:20, 30:40] = 0
    return found


def runs_of(pixels: Pixels) -> list[int]:
    """Return run lengths, column by column, without any code of ours."""
    flat = pixels.flatten(order="F")
    edges = np.flatnonzero(np.diff(flat)) + 1
    runs: list[int] = np.diff([0, *edges, len(flat)]).tolist()
    return runs if not flat[0] else [0, *runs]


def person(points: Sequence[Json], **more: Json) -> Json:
    """Return the record of a person with joints."""
    return thing(category=1, keypoints=points, **more)


def test_polygons_are_polygons(tmp_path: Path) -> None:
    """D1, M2: all parts of an object, as they are, to the last digit."""
    result = read_things(tmp_path, thing(segmentation=[RING, OTHER]))

    assert result.annotation.shape == Polygon([RING, OTHER])
    assert not result.codes


@pytest.mark.parametrize("is_text", [False, True])
def test_run_lengths_are_masks(tmp_path: Path, pixels: Pixels, is_text: bool) -> None:  # noqa: FBT001  # a parameter
    """D2: as numbers, which official files have for crowds, and as text; the pixels are the same."""
    text = coco_masks.encode(pixels)["counts"]
    assert isinstance(text, bytes)
    counts = text.decode() if is_text else runs_of(pixels)

    result = read_things(tmp_path, thing(segmentation={"size": [50, 100], "counts": counts}, iscrowd=1))

    mask = result.annotation.shape
    assert isinstance(mask, Mask)
    assert (mask.width, mask.height) == (100, 50)
    assert mask.counts == text
    assert (array_of_mask(mask) == pixels).all()
    assert result.annotation.is_crowd
    assert not result.codes


@pytest.mark.parametrize(
    "segmentation",
    [
        {"size": [100, 50], "counts": [5000]},
        {"size": [50, 101], "counts": [5050]},
        {"size": [50, 100], "counts": [4999]},
        {"size": [50, 100], "counts": [5001, -1]},
        {"size": [50, 100], "counts": []},
        {"size": [50, 100], "counts": ""},
        {"size": [50, 100], "counts": "not run lengths"},
        {"size": [50, 100], "counts": "ooooooooooooooooooooooooo"},
        {"size": [50, 100], "counts": "é"},
        {"size": [50, 100], "counts": [1.5, 4998.5]},
        {"size": [50, 100], "counts": None},
        {"size": [50], "counts": [5000]},
        {"size": [-50, -100], "counts": [5000]},
        {"size": [50, 100]},
        {},
        "5000",
        [5000],
        [[["deep"]]],
        {"counts": {"size": [50, 100]}},
    ],
)
def test_masks_that_make_no_sense_are_left_out(tmp_path: Path, segmentation: Json) -> None:
    """No code in C ever sees one; the box stays, and the loss names the annotation."""
    result = read_things(tmp_path, thing(3, segmentation=segmentation))

    assert (result.annotation.box, result.annotation.shape) == (BOX, None)
    if segmentation:
        assert result.codes == {("changed", "INVALID_RECORD"): 1}
        assert (result.loss.annotation, result.loss.where) == ("3", "annotations.json:annotations[0]")


def test_a_bad_mask_without_a_box_fails(tmp_path: Path) -> None:
    """Nothing says where the object is then; it counts once."""
    result = read_things(tmp_path, thing(bbox=..., segmentation={"size": [1, 1], "counts": "zz"}))

    assert not result.annotations
    assert result.losses.annotations[Outcome.FAILED] == 1
    assert result.losses.annotations[Outcome.CHANGED] == 0


def test_a_mask_of_an_image_that_cannot_be_is_left_out(tmp_path: Path) -> None:
    """Two numbers below nothing have a product, too."""
    records = [thing(at, segmentation={"size": [-5, -4], "counts": counts}) for at, counts in enumerate(([20], "d0"))]

    result = read_things(tmp_path, *records, images=[{"id": 1, "file_name": "a.jpg"}])

    assert [annotation.shape for annotation in result.annotations] == [None, None]
    assert result.codes == {("changed", "INVALID_RECORD"): 2}


def test_a_mask_may_say_the_size_of_an_image_that_is_not_known(tmp_path: Path) -> None:
    """Without a size of the image, that of the mask is as good as any."""
    result = read_things(
        tmp_path,
        thing(segmentation={"size": [50, 100], "counts": [10, 4990]}),
        images=[{"id": 1, "file_name": "a.jpg"}],
    )

    assert isinstance(result.annotation.shape, Mask)
    assert not result.codes


@pytest.mark.parametrize("bad", [[], [1, 2], [1, 2, 3, 4], [1, 2, 3, 4, 5, 6, 7]])
def test_rings_that_are_none_are_left_out(tmp_path: Path, bad: list[float]) -> None:
    """The rest of the polygon stays, and the loss says how many rings were left out."""
    result = read_things(tmp_path, thing(segmentation=[bad, RING]))

    assert result.annotation.shape == Polygon([RING])
    assert result.codes == {("changed", "INVALID_RECORD"): 1}
    assert "1 of 2 rings" in result.loss.words


def test_a_polygon_without_any_ring_is_left_out(tmp_path: Path) -> None:
    """The box stays."""
    result = read_things(tmp_path, thing(segmentation=[[1, 2, 3]]))

    assert (result.annotation.box, result.annotation.shape) == (BOX, None)
    assert result.codes == {("changed", "INVALID_RECORD"): 1}


def test_an_empty_segmentation_says_nothing(tmp_path: Path) -> None:
    """There is no loss either."""
    result = read_things(tmp_path, thing(segmentation=[]))

    assert result.annotation.shape is None
    assert not result.codes


def test_joints_keep_their_visibility(tmp_path: Path) -> None:
    """P1, L6: 0, 1 and 2, with the names, the skeleton and the mirror images of their class."""
    points = [1.5, 2, 2, 3, 4, 1, 0, 0, 0]

    result = read_things(tmp_path, person(points, num_keypoints=2), categories=PERSON)

    assert result.annotation.keypoints == Keypoints(points)
    assert [type(each) for each in result.annotation.keypoints.points[2::3]] == [int, int, int]
    (spec,) = result.info.classes
    assert (spec.joints, spec.skeleton, spec.flip) == (tuple(JOINTS), ((0, 1), (0, 2)), (0, 2, 1))
    assert not result.codes


def test_the_joints_of_the_coco_person_mirror_each_other(tmp_path: Path) -> None:
    """The 17 that every trainer knows."""
    categories = [{"id": 1, "name": "person", "keypoints": COCO_JOINTS, "skeleton": [[16, 14], [14, 12]]}]

    (spec,) = read_things(tmp_path, categories=categories).info.classes

    assert spec.flip == (0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15)
    assert spec.skeleton == ((15, 13), (13, 11))


@pytest.mark.parametrize(
    ("names", "flip"),
    [
        (["head", "Left Paw", "Right Paw"], (0, 2, 1)),
        (["l_eye", "r_eye"], (1, 0)),
        (["eye-left", "eye-right", "tail"], (1, 0, 2)),
        (["leftover", "rightful"], ()),
        (["left_eye", "nose"], ()),
        (["a", "b"], ()),
    ],
)
def test_mirror_images_are_known_by_left_and_right(tmp_path: Path, names: list[str], flip: tuple[int, ...]) -> None:
    """In any spelling; and not at all if one side is missing."""
    (spec,) = read_things(tmp_path, categories=[{"id": 1, "name": "x", "keypoints": names}]).info.classes

    assert spec.flip == flip


def test_a_joint_that_is_not_labelled_loses_its_place(tmp_path: Path) -> None:
    """P1: coordinates with visibility 0 mean nothing; that they were there is said, once an annotation."""
    result = read_things(tmp_path, person([5, 0, 0, 3, 4, 2, 0, 8.25, 0]), categories=PERSON)

    assert result.annotation.keypoints == Keypoints([0, 0, 0, 3, 4, 2, 0, 0, 0])
    assert result.codes == {("changed", "NOT_LABELLED"): 1}
    assert (result.loss.annotation, result.loss.where) == ("1", "annotations.json:annotations[0]")
    assert result.loss.words == "2 of 3 joints, the first at 5, 0"


def test_places_of_joints_from_a_file_of_their_own_are_not_lost_in_silence(tmp_path: Path) -> None:
    """The official dataset has joints in a second file."""
    person_there, points = thing(1, category=1), [1, 2, 2, 7, 8, 0, 3, 4, 1]
    files = {
        "annotations/instances_val2017.json": coco(person_there, categories=PERSON),
        "annotations/person_keypoints_val2017.json": coco(person(points), categories=PERSON),
    }

    result = read(make(tmp_path, files))

    assert result.codes == {("changed", "NOT_LABELLED"): 1}
    assert result.loss.where == "annotations/person_keypoints_val2017.json:annotations[0]"


def test_a_person_without_labelled_joints_keeps_them(tmp_path: Path) -> None:
    """Official files have that for people who are too small."""
    result = read_things(tmp_path, person([0] * 9, num_keypoints=0), categories=PERSON)

    assert result.annotation.keypoints == Keypoints([0] * 9)
    assert not result.codes


@pytest.mark.parametrize(
    "points", [[1, 2], [1, 2, 2], [1, 2, 2] * 4, [1, 2, 3] * 3, [1, 2, 0.5] * 3, [1, 2, None] * 3, {}]
)
def test_joints_that_make_no_sense_are_left_out(tmp_path: Path, points: Json) -> None:
    """No triples, not as many as the class has, or of a visibility that there is not; the box stays."""
    result = read_things(tmp_path, person(points), categories=PERSON)

    assert (result.annotation.box, result.annotation.keypoints) == (BOX, None)
    assert sum(result.codes.values()) == (1 if points else 0)
    assert result.losses.annotations[Outcome.FAILED] == 0


def test_a_wrong_number_of_keypoints_is_noted(tmp_path: Path) -> None:
    """The joints themselves are believed."""
    result = read_things(tmp_path, person([1, 2, 2] * 3, num_keypoints=1), categories=PERSON)

    assert result.annotation.keypoints == Keypoints([1, 2, 2] * 3)
    assert result.codes == {("noted", "INVALID_RECORD"): 1}


@pytest.mark.parametrize("pair", [[0, 1], [1, 4], [1], [1, 2, 3]])
def test_lines_of_a_skeleton_are_between_its_joints(tmp_path: Path, pair: list[int]) -> None:
    """Others are left out, and noted."""
    categories = [{**PERSON[0], "skeleton": [[1, 2], pair]}]

    result = read_things(tmp_path, categories=categories)

    assert result.info.classes[0].skeleton == ((0, 1),)
    assert result.codes == {("noted", "CATEGORIES"): 1}


def test_joints_of_a_class_that_names_none_are_read(tmp_path: Path) -> None:
    """They have no names, then."""
    result = read_things(tmp_path, person([1, 2, 2, 3, 4, 1]))

    assert result.annotation.keypoints == Keypoints([1, 2, 2, 3, 4, 1])


def test_joints_of_people_come_from_a_file_of_their_own(tmp_path: Path) -> None:
    """L6: the official dataset has boxes and outlines in one file, joints in another, under the same ids."""
    things = coco(thing(1, category=1, segmentation=[RING]), thing(2), images=[picture(1), picture(2, "b.jpg")])
    people = coco(
        thing(1, category=1, segmentation=[RING], keypoints=[1, 2, 2] * 3, num_keypoints=3),
        thing(8, image=2, category=1, keypoints=[3, 4, 1] * 3),
        images=things["images"],
        categories=[{**PERSON[0], "name": "ant"}],
    )
    files = {"annotations/instances_val2017.json": things, "annotations/person_keypoints_val2017.json": people}

    result = read(make(tmp_path, files))

    first, second, third = result.annotations
    assert (first.id, first.shape, first.keypoints) == ("1", Polygon([RING]), Keypoints([1, 2, 2] * 3))
    assert (second.id, second.keypoints) == ("2", None)
    assert (third.id, third.keypoints) == ("8", Keypoints([3, 4, 1] * 3))
    assert result.info.classes[0].joints == tuple(JOINTS)
    assert not result.codes

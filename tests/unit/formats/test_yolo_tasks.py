from math import pi
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import astuple

from synapse_sdk.errors import InvalidDatasetError
from synapse_sdk.formats.losses import Outcome
from synapse_sdk.formats.masks import mask_of_array
from synapse_sdk.formats.model import (
    Annotation,
    Box,
    ClassSpec,
    Item,
    Keypoints,
    Polygon,
    Polyline,
    RotatedBox,
    Shape,
)
from tests.unit.formats.yolo_datasets import SIZE, Written, box_of, image, info_of, item_of, make, read, write

RING = (10.0, 5.0, 50.0, 5.0, 50.0, 30.0, 30.0, 35.0)
PERSON = ClassSpec(name="person", joints=("nose", "left", "right"), flip=(0, 2, 1), skeleton=((0, 1), (0, 2)))


def shaped(shape: Shape | None, box: Box | None = None, **more: Any) -> Annotation:  # noqa: ANN401  # those of Annotation
    """Return an annotation with a shape."""
    return Annotation(**{"id": "1", "label": "bee", "box": box, "shape": shape, **more})


def drawn(folder: Path, task: str, *annotations: Annotation, size: tuple[int, int] = SIZE) -> Written:
    """Write annotations of one image for a task."""
    return write(folder / "out", [item_of(*annotations, size=size)], task=task)


def areas(rows: list[list[float]], size: tuple[int, int] = SIZE) -> list[float]:
    """Return the area of each outline, in pixels."""
    found = []
    for _, *values in rows:
        xs, ys = [x * size[0] for x in values[0::2]], [y * size[1] for y in values[1::2]]
        around = zip(xs, ys, [*xs[1:], xs[0]], [*ys[1:], ys[0]], strict=True)
        found.append(abs(sum(x * y2 - x2 * y for x, y, x2, y2 in around)) / 2)
    return found


# ---- outlines


def test_a_polygon_is_a_row_of_points(tmp_path: Path) -> None:
    """Its box is no loss: everybody finds it around the points."""
    written = drawn(tmp_path, "segment", shaped(Polygon([RING]), Box(10, 5, 40, 30)))

    assert written.rows() == [[1, 0.1, 0.1, 0.5, 0.1, 0.5, 0.6, 0.3, 0.7]]
    assert written.yaml["task"] == "segment"
    assert written.counts == {("bee", "polygon"): 1}
    assert not written.losses.reasons


def test_a_dataset_of_outlines_has_one_grammar(tmp_path: Path) -> None:
    """Y11: what has only a box is written as its corners, and reported."""
    written = drawn(tmp_path, "segment", shaped(Polygon([RING])), box_of(10, 10, 20, 20, id="2"))

    assert [len(row) for row in written.rows()] == [9, 9]
    assert written.rows()[1] == [1, 0.1, 0.2, 0.3, 0.2, 0.3, 0.6, 0.1, 0.6]
    assert written.codes == {("changed", "SHAPE"): 1}
    assert written.words("SHAPE") == ["bounding_box in task segment"]


def test_a_rotated_box_is_the_outline_of_its_corners(tmp_path: Path) -> None:
    """L3: nothing is lost by it."""
    written = drawn(tmp_path, "segment", shaped(RotatedBox(50, 25, 20, 10, pi / 2)))

    assert written.rows() == [pytest.approx([1, 0.55, 0.3, 0.55, 0.7, 0.45, 0.7, 0.45, 0.3])]
    assert not written.losses.reasons


def test_an_object_in_parts_is_one_row(tmp_path: Path) -> None:
    """M2: parts are joined, and the report mentions it."""
    parts = [(0, 0, 10, 0, 10, 10, 0, 10), (30, 0, 40, 0, 40, 10, 30, 10), (60, 20, 80, 20, 80, 40, 60, 40)]

    written = drawn(tmp_path, "segment", shaped(Polygon(parts)))

    assert len(written.rows()) == 1
    assert areas(written.rows()) == [pytest.approx(600, abs=1)]
    assert written.codes == {("noted", "BRIDGED"): 1}
    assert written.words("BRIDGED") == ["3 parts, 0 holes"]


def test_a_hole_is_not_filled(tmp_path: Path) -> None:
    """M1, L2: it is joined to the outline."""
    whole = Polygon([(0, 0, 40, 0, 40, 40, 0, 40)], [(10, 10, 30, 10, 30, 30, 10, 30)])

    written = drawn(tmp_path, "segment", shaped(whole))

    assert areas(written.rows()) == [pytest.approx(1200, abs=1)]
    assert written.words("BRIDGED") == ["1 parts, 1 holes"]


def test_a_mask_becomes_the_outline_of_its_pixels(tmp_path: Path) -> None:
    """M1, L2: one row, with its holes."""
    pixels = [
        [10 <= x < 30 and 5 <= y < 25 and not (15 <= x < 20 and 10 <= y < 15) for x in range(100)] for y in range(50)
    ]

    written = drawn(tmp_path, "segment", shaped(mask_of_array(pixels)))

    assert areas(written.rows()) == [pytest.approx(375, abs=1)]
    assert written.codes == {("noted", "BRIDGED"): 1}
    assert written.counts == {("bee", "polygon"): 1}


def test_an_outline_over_the_edge_is_cut_and_reported(tmp_path: Path) -> None:
    """C4, L11."""
    written = drawn(tmp_path, "segment", shaped(Polygon([(-10, 10, 20, 10, 20, 60, -10, 60)])))

    assert all(0 <= value <= 1 for value in written.rows()[0][1:])
    assert areas(written.rows()) == [pytest.approx(20 * 40, abs=1)]
    assert written.codes == {("changed", "CLIPPED"): 1}


@pytest.mark.parametrize(
    ("ring", "code"),
    [
        ((), "EMPTY"),
        ((10, 10, 20, 20), "EMPTY"),
        ((10, 10, 20, 10, 30, 10), "EMPTY"),
        ((10, 10, 20, 20, 30, 30), "EMPTY"),
        ((10, 10, 10 + 1e-6, 10, 10, 20), "EMPTY"),
        ((210, 10, 220, 10, 220, 20), "NOT_IN_IMAGE"),
        ((10, 10, float("nan"), 10, 10, 20), "NOT_A_NUMBER"),
        ((10, 10, float("inf"), 10, 10, 20), "NOT_A_NUMBER"),
    ],
)
def test_an_outline_that_is_nothing_is_dropped(tmp_path: Path, ring: tuple[float, ...], code: str) -> None:
    """C5: no area, no numbers, or outside of the image."""
    written = drawn(tmp_path, "segment", shaped(Polygon([ring])))

    assert written.rows() == []
    assert written.codes[("dropped", code)] == 1
    assert written.losses.annotations[Outcome.DROPPED] == 1
    assert written.losses.annotations.total() == 1


def test_the_box_of_an_object_whose_outline_is_nothing_is_written(tmp_path: Path) -> None:
    """The object is there; the report says what is lost."""
    written = drawn(tmp_path, "segment", shaped(Polygon([(10, 10, 20, 20)]), Box(10, 10, 20, 20)))

    assert areas(written.rows()) == [pytest.approx(400)]
    assert written.losses.annotations == {Outcome.CHANGED: 1}


@pytest.mark.parametrize("task", ["segment", "obb"])
def test_joints_and_lines_have_no_place_among_outlines(tmp_path: Path, task: str) -> None:
    """The object is written by its box."""
    joints = Keypoints([10, 10, 2])
    annotation = shaped(None, Box(10, 10, 20, 20), keypoints=joints)

    for number, each in enumerate((annotation, shaped(Polyline([1, 1, 9, 9]), Box(10, 10, 20, 20)))):
        written = drawn(tmp_path / str(number), task, each)
        assert areas(written.rows()) == [pytest.approx(400)]
        assert written.losses.annotations == {Outcome.CHANGED: 1}
    written = drawn(tmp_path, "segment", shaped(Polygon([RING]), keypoints=joints))
    assert written.words("SHAPE") == ["keypoint in task segment"]


# ---- rotated boxes


@pytest.mark.parametrize("angle", [0, 0.3, 1.2, 2.5, -0.7, pi / 2])
def test_a_rotated_box_is_read_as_it_was_written(tmp_path: Path, angle: float) -> None:
    """L3, Y10: four corners, and the task is declared."""
    source = image(tmp_path / "a.jpg", (1000, 800))
    item = Item(name="a.jpg", path=str(source), annotations=[shaped(RotatedBox(500, 400, 200, 100, angle))])

    written = write(tmp_path / "out", [item], task="obb", images="symlink")

    assert [len(row) for row in written.rows()] == [9]
    assert written.yaml["task"] == "obb"
    assert written.counts == {("bee", "rotated_box"): 1}
    assert not written.losses.reasons
    found = read(tmp_path / "out").only().shape
    assert isinstance(found, RotatedBox)
    assert astuple(found) == pytest.approx((500, 400, 200, 100, angle), abs=0.01)


def test_an_upright_box_is_a_rotated_one_without_loss(tmp_path: Path) -> None:
    """Its corners, clockwise from the upper left."""
    written = drawn(tmp_path, "obb", box_of(10, 10, 20, 20))

    assert written.rows() == [[1, 0.1, 0.2, 0.3, 0.2, 0.3, 0.6, 0.1, 0.6]]
    assert not written.losses.reasons


def test_a_rotated_box_is_put_around_an_outline(tmp_path: Path) -> None:
    """The report says that the outline is lost; holes and parts are no matter."""
    diamond = Polygon([(50, 5, 70, 25, 50, 45, 30, 25)])
    pixels = [[10 <= x < 30 and 5 <= y < 25 for x in range(100)] for y in range(50)]

    written = drawn(tmp_path, "obb", shaped(diamond), shaped(mask_of_array(pixels), id="2"))

    assert areas(written.rows()) == [pytest.approx(800, abs=1), pytest.approx(400, abs=1)]
    assert written.words("SHAPE") == ["polygon in task obb", "segmentation in task obb"]
    assert written.losses.annotations == {Outcome.CHANGED: 2}


def test_a_rotated_box_over_the_edge_is_cut_and_reported(tmp_path: Path) -> None:
    """C4, L11: no corner is outside of the image."""
    written = drawn(
        tmp_path, "obb", shaped(RotatedBox(5, 25, 40, 10, 0.4)), shaped(RotatedBox(500, 25, 9, 9, 0.4), id="2")
    )

    (row,) = written.rows()
    assert all(0 <= value <= 1 for value in row[1:])
    assert len(row) == 9
    assert written.codes[("changed", "CLIPPED")] == 1
    assert written.losses.annotations[Outcome.DROPPED] == 1


@pytest.mark.parametrize(
    ("rotated", "code"),
    [
        (RotatedBox(50, 25, 10, 0, 1), "EMPTY"),
        (RotatedBox(50, 25, -10, 5, 1), "EMPTY"),
        (RotatedBox(float("nan"), 25, 10, 5, 1), "NOT_A_NUMBER"),
    ],
)
def test_a_rotated_box_that_is_nothing_is_dropped(tmp_path: Path, rotated: RotatedBox, code: str) -> None:
    """C5."""
    written = drawn(tmp_path, "obb", shaped(rotated))

    assert written.rows() == []
    assert written.codes == {("dropped", code): 1}


def test_rounding_of_corners_at_the_edge_is_no_loss(tmp_path: Path) -> None:
    """What was written with six decimals for a large image is written again without a word."""
    make(
        tmp_path,
        {"images/a.png": (4000, 3000), "labels/a.txt": "0 0.9 0.333333 1.0 0.466667 0.9 0.600001 0.8 0.466667\n"},
    )
    make(tmp_path, {"data.yaml": "train: images\nval: images\nnames: [a]\ntask: obb\n"})
    result = read(tmp_path)

    written = write(tmp_path / "out", result.items, result.info, task="obb")

    assert written.rows() == [pytest.approx([0, 0.9, 0.333333, 1.0, 0.466667, 0.9, 0.600001, 0.8, 0.466667], abs=2e-6)]
    assert not written.losses.reasons


# ---- poses


def test_a_pose_is_a_box_and_joints(tmp_path: Path) -> None:
    """P1, L6: visibility is kept; what is not labelled is three zeros; names, bones and mirror images are kept."""
    joints = Keypoints([20, 10, 2, 0, 0, 0, 40, 25, 1])
    item = item_of(shaped(None, Box(10, 5, 40, 30), keypoints=joints, label="person"))

    written = write(tmp_path, [item], info_of([PERSON, ClassSpec(name="dog")]), task="pose")

    text = (tmp_path / "labels/a.txt").read_text()
    assert text == "0 0.300000 0.400000 0.400000 0.600000 0.200000 0.200000 2 0.000000 0.000000 0 0.400000 0.500000 1\n"
    assert written.yaml == {
        "train": "images",
        "val": "images",
        "nc": 2,
        "names": ["person", "dog"],
        "task": "pose",
        "kpt_shape": [3, 3],
        "flip_idx": [0, 2, 1],
        "kpt_names": {0: ["nose", "left", "right"]},
        "kpt_skeleton": {0: [[0, 1], [0, 2]]},
    }
    assert written.counts == {("person", "bounding_box"): 1, ("person", "keypoint"): 1}
    assert not written.losses.reasons


def test_poses_are_read_as_they_were_written(tmp_path: Path) -> None:
    """L6: the same joints, classes and boxes, and an empty report."""
    source = image(tmp_path / "a.jpg", (1000, 800))
    joints = Keypoints([200, 100, 2, 0, 0, 0, 400, 250, 1])
    annotation = shaped(None, Box(100, 50, 400, 300), keypoints=joints, label="person")
    item = Item(name="a.jpg", path=str(source), annotations=[annotation])
    info = info_of([PERSON])

    write(tmp_path / "out", [item], info, task="pose", images="copy")

    result = read(tmp_path / "out")
    assert result.info.classes == info.classes
    found = result.only()
    assert found.box is not None
    assert found.keypoints is not None
    assert astuple(found.box) == pytest.approx((100, 50, 400, 300), abs=0.01)
    assert found.keypoints.points == pytest.approx(joints.points, abs=0.01)
    assert not result.losses.reasons


def test_objects_without_joints_are_no_poses(tmp_path: Path) -> None:
    """They are dropped, and the report says why."""
    written = write(tmp_path, [item_of(box_of(1, 1, 5, 5, "person"))], info_of([PERSON]), task="pose")

    assert written.rows() == []
    assert written.codes == {("dropped", "SHAPE"): 1}
    assert written.words("SHAPE") == ["bounding_box in task pose"]


def test_a_box_is_put_around_joints_that_have_none(tmp_path: Path) -> None:
    """Around those that are labelled, or around the outline; the report mentions it."""
    joints = Keypoints([20, 10, 2, 0, 0, 0, 40, 30, 1])
    with_outline = shaped(Polygon([RING]), keypoints=joints, label="person", id="2")

    written = write(
        tmp_path,
        [item_of(shaped(None, keypoints=joints, label="person"), with_outline)],
        info_of([PERSON]),
        task="pose",
    )

    assert [row[1:5] for row in written.rows()] == [[0.3, 0.4, 0.2, 0.4], [0.3, 0.4, 0.4, 0.6]]
    assert written.codes == {("noted", "BOX_MADE"): 2, ("changed", "SHAPE"): 1}


@pytest.mark.parametrize(
    "points", [[0, 0, 0] * 3, [10, 10, 2, 0, 0, 0, 0, 0, 0], [float("nan"), 1, 2, 0, 0, 0, 0, 0, 0]]
)
def test_joints_that_have_no_extent_and_no_box_are_dropped(tmp_path: Path, points: list[float]) -> None:
    """C5: so are joints that are no numbers."""
    annotation = shaped(None, keypoints=Keypoints(points), label="person")

    written = write(tmp_path, [item_of(annotation)], info_of([PERSON]), task="pose")

    assert written.rows() == []
    assert written.losses.annotations == {Outcome.DROPPED: 1}


def test_classes_with_fewer_joints_are_filled_up(tmp_path: Path) -> None:
    """All classes have one `kpt_shape`, that of the most; it is said once for a class."""
    info = info_of([ClassSpec(name="hand", joints=("thumb",)), PERSON])
    item = item_of(*(shaped(None, Box(1, 1, 9, 9), keypoints=Keypoints([5, 5, 2]), label="hand") for _ in range(2)))

    written = write(tmp_path, [item], info, task="pose")

    assert [row[5:] for row in written.rows()] == [[0.05, 0.1, 2, 0, 0, 0, 0, 0, 0]] * 2
    assert written.yaml["kpt_shape"] == [3, 3]
    assert written.codes[("noted", "PADDED")] == 1


def test_joints_are_ordered_as_those_of_their_class(tmp_path: Path) -> None:
    """L6: by name, where they have names; those that the class has not are reported."""
    joints = Keypoints([40, 20, 1, 10, 10, 2, 1, 1, 2], ("right", "nose", "tail"))
    more = Keypoints([10, 10, 2] * 4)
    box = Box(1, 1, 50, 40)

    written = write(
        tmp_path,
        [
            item_of(
                shaped(None, box, keypoints=joints, label="person"),
                shaped(None, box, keypoints=more, label="person", id="2"),
            )
        ],
        info_of([PERSON]),
        task="pose",
    )

    assert written.rows()[0][5:] == [0.1, 0.2, 2, 0, 0, 0, 0.4, 0.4, 1]
    assert len(written.rows()[1]) == 14
    assert written.codes == {("changed", "JOINTS"): 2}
    assert written.words("JOINTS") == ["tail", "3"]


def test_joints_of_classes_that_do_not_say_how_many_are_written(tmp_path: Path) -> None:
    """The first pose says it then."""
    items = [item_of(shaped(None, Box(1, 1, 9, 9), keypoints=Keypoints([5, 5, 2] * 4)))]

    written = write(tmp_path, items, task="pose")

    assert written.yaml["kpt_shape"] == [4, 3]
    assert [len(row) for row in written.rows()] == [17]


def test_joints_outside_of_the_image_are_not_labelled(tmp_path: Path) -> None:
    """C4, L11: no fraction is outside of 0 to 1."""
    joints = Keypoints([-5, 10, 2, 10, 10, 2, 40, 60, 1])

    written = write(
        tmp_path,
        [item_of(shaped(None, Box(-10, 5, 60, 60), keypoints=joints, label="person"))],
        info_of([PERSON]),
        task="pose",
    )

    assert written.rows() == [[0, 0.25, 0.55, 0.5, 0.9, 0, 0, 0, 0.1, 0.2, 2, 0, 0, 0]]
    assert written.codes == {("changed", "CLIPPED"): 1}


def test_mirror_images_that_classes_do_not_agree_on_are_left_out(tmp_path: Path) -> None:
    """P1: trainers know one way for all; a wrong one would spoil training."""
    other = ClassSpec(name="robot", joints=("a", "b", "c"), flip=(1, 0, 2))

    written = write(tmp_path, [], info_of([PERSON, other]), task="pose")

    assert "flip_idx" not in written.yaml
    assert written.codes == {("noted", "FLIPS"): 1}


@pytest.mark.parametrize("annotations", [[], [box_of(10, 10, 20, 20)]])
def test_poses_without_any_joints_are_refused(tmp_path: Path, annotations: list[Annotation]) -> None:
    """Nobody could say how many joints they have, which the YAML file must."""
    with pytest.raises(InvalidDatasetError, match="has joints"):
        write(tmp_path, [item_of(*annotations)], info_of(), task="pose")

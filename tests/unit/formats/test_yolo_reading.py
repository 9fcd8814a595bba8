import os
from pathlib import Path

import pytest
from msgspec.structs import astuple

from synapse_sdk.errors import ConfigurationError, InvalidDatasetError
from synapse_sdk.formats.losses import Outcome
from synapse_sdk.formats.model import Box, Keypoints, Polygon, RotatedBox
from synapse_sdk.formats.yolo import label_files
from tests.unit.formats.yolo_datasets import ROW, SIZE, YAML, Result, image, make, read

RING = "0 0.1 0.1 0.5 0.1 0.5 0.6 0.3 0.7\n"
POSE = "0 0.5 0.5 0.2 0.5 0.45 0.4 2 0.5 0.5 2 0.55 0.5 1 0 0 0\n"
CORNERS = "2 0.1 0.2 0.3 0.2 0.3 0.6 0.1 0.6\n"


def labelled(root: Path, text: str | bytes, more: str = "", **options: object) -> Result:
    """Read a dataset with one image of 100 x 50 pixels, and these rows."""
    make(root, {"images/a.jpg": SIZE, "labels/a.txt": text, "data.yaml": YAML + more})
    return read(root, **options)


def test_a_row_of_five_numbers_is_a_box(tmp_path: Path) -> None:
    """In pixels; ids count from 1."""
    result = labelled(tmp_path, ROW + "0 0.05 0.1 0.1 0.2\n")

    (item,) = result.items
    assert (item.name, item.path, item.width, item.height) == ("a.jpg", str(tmp_path / "images/a.jpg"), 100, 50)
    assert [(each.id, each.label, each.box) for each in item.annotations] == [
        ("1", "bee", Box(40, 15, 20, 20)),
        ("2", "ant", Box(0, 0, 10, 10)),
    ]
    assert not result.losses.reasons


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff1 5e-01 0.5 2e-01 .4  \r\n\r\n   \n0.0 0.5 0.5 0.2 0.4",
        "\t1.0  .5 +.5 0.2 4E-1\r0 0.5 0.5 0.2 0.4\r\r",
    ],
)
def test_unusual_ways_to_write_rows_are_accepted(tmp_path: Path, text: str) -> None:
    """Y3, Y9: exponents, line ends of all systems, byte order marks, blank lines, spaces, classes with decimals."""
    result = labelled(tmp_path, text)

    assert [(each.id, each.label) for each in result.items[0].annotations] == [("1", "bee"), ("2", "ant")]
    assert all(each.box == Box(40, 15, 20, 20) for each in result.items[0].annotations)
    assert not result.losses.reasons


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("1 0.5 0.5 0.2", "INVALID_RECORD"),
        ("1 0.5 0.5 0.2 0.4 0.9", "INVALID_RECORD"),
        ("1 a 0.5 0.2 0.4", "INVALID_RECORD"),
        ("1,0.5,0.5,0.2,0.4", "INVALID_RECORD"),
        ("1 1_0 0.5 0.2 0.4", "INVALID_RECORD"),
        ("1_ 0.5 0.5 0.2 0.4", "INVALID_RECORD"),
        ("1.5 0.5 0.5 0.2 0.4", "INVALID_RECORD"),
        ("1", "INVALID_RECORD"),
        ("\0\xff", "INVALID_RECORD"),
        ("1 nan 0.5 0.2 0.4", "NOT_A_NUMBER"),
        ("1 0.5 0.5 inf 0.4", "NOT_A_NUMBER"),
        ("1 0.5 0.5 1e308 0.4", "NOT_A_NUMBER"),
        ("nan 0.5 0.5 0.2 0.4", "NOT_A_NUMBER"),
        ("inf 0.5 0.5 0.2 0.4", "NOT_A_NUMBER"),
        ("0 0.1 0.1 0.5 0.1 0.5 nan", "NOT_A_NUMBER"),
        ("0 0.1 0.1 0.5 0.1 0.5 -inf", "NOT_A_NUMBER"),
        ("3 0.5 0.5 0.2 0.4", "UNKNOWN_CLASS"),
        ("-1 0.5 0.5 0.2 0.4", "UNKNOWN_CLASS"),
        ("1e30 0.5 0.5 0.2 0.4", "UNKNOWN_CLASS"),
    ],
)
def test_a_row_that_cannot_be_read_fails_alone(tmp_path: Path, row: str, code: str) -> None:
    """The log has its file and line; the others are read."""
    result = labelled(tmp_path, f"{ROW}\n{row}\n0 0.5 0.5 0.2 0.4\n")

    assert [each.label for each in result.items[0].annotations] == ["bee", "ant"]
    assert {key for key in result.codes if key[0] == "failed"} == {("failed", code)}
    assert result.words(code)[0].startswith("labels/a.txt:3 ")
    assert result.losses.annotations[Outcome.FAILED] == 1


def test_images_without_labels_are_items(tmp_path: Path) -> None:
    """Y2, D5: no label file, an empty one, and one of blank lines; their images need not be opened."""
    make(tmp_path, {f"images/{name}.jpg": b"no image" for name in ("blank", "empty", "missing")})
    make(tmp_path, {"images/a.jpg": SIZE, "labels/a.txt": ROW, "labels/empty.txt": "", "labels/blank.txt": "\n \r\n"})
    make(tmp_path, {"data.yaml": YAML})

    result = read(tmp_path)

    assert [(item.name, len(item.annotations)) for item in result.items] == [
        ("a.jpg", 1),
        ("blank.jpg", 0),
        ("empty.jpg", 0),
        ("missing.jpg", 0),
    ]
    assert not result.losses.reasons


def test_label_files_without_an_image_are_reported(tmp_path: Path) -> None:
    """With the number of their rows; lists of classes among labels are no labels."""
    make(tmp_path, {"labels/x/gone.txt": ROW * 2 + "\n", "labels/none.txt": "", "labels/classes.txt": "ant\n"})

    result = labelled(tmp_path, ROW)

    assert result.names == [("", "a.jpg")]
    assert result.words("MISSING_IMAGE") == ["labels/none.txt", "labels/x/gone.txt"]
    assert result.losses.annotations == {Outcome.FAILED: 2}
    assert result.losses.items == {Outcome.FAILED: 2}


def test_an_image_that_cannot_be_measured_is_reported(tmp_path: Path) -> None:
    """Fractions of an unknown size are nothing; rows are counted."""
    make(tmp_path, {"images/b.jpg": b"no image", "labels/b.txt": ROW * 3})

    result = labelled(tmp_path, ROW)

    assert result.names == [("", "a.jpg")]
    assert result.codes == {("failed", "UNREADABLE_IMAGE"): 1}
    assert result.losses.annotations == {Outcome.FAILED: 3}


def test_two_images_with_one_label_file_are_reported(tmp_path: Path) -> None:
    """C7: nobody knows whose labels they are; the error names both."""
    make(tmp_path, {"images/a.png": SIZE, "images/b.jpg": SIZE, "images/b.png": SIZE})

    result = labelled(tmp_path, ROW)

    assert [(item.name, len(item.annotations)) for item in result.items] == [("a.jpg", 1), ("b.jpg", 0), ("b.png", 0)]
    assert result.codes == {("failed", "SAME_LABELS"): 1}
    assert result.words("SAME_LABELS") == ["labels/a.txt is that of a.jpg"]


def test_equal_rows_are_kept_and_reported(tmp_path: Path) -> None:
    """A1: trainers remove them, so somebody should know."""
    result = labelled(tmp_path, f"{ROW}{RING}\n{ROW}\n")

    assert len(result.items[0].annotations) == 3
    assert result.words("DUPLICATE_ROW") == ["labels/a.txt:4"]


@pytest.mark.parametrize("kind", ["pipe", "folder", "broken link", "link in a circle", "locked"])
def test_a_label_file_that_is_no_file_fails_its_item_without_waiting(tmp_path: Path, kind: str) -> None:
    """An image whose labels cannot be read must not become one without objects."""
    make(tmp_path, {"images/b.jpg": SIZE, "labels/c.txt": ""})
    path = tmp_path / "labels/b.txt"
    match kind:
        case "pipe":
            os.mkfifo(path)
        case "folder":
            path.mkdir()
        case "broken link":
            path.symlink_to("nowhere")
        case "link in a circle":
            path.symlink_to("b.txt")
        case _:
            path.symlink_to("/proc/self/mem")
    make(tmp_path, {"images/c.jpg": SIZE})

    result = labelled(tmp_path, ROW)

    assert result.names == [("", "a.jpg"), ("", "c.jpg")]
    assert result.codes == {("failed", "UNREADABLE_LABELS"): 1}
    assert result.words("UNREADABLE_LABELS")[0].startswith("labels/b.txt ")


def test_a_label_file_without_end_is_not_read_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is not for one file."""
    monkeypatch.setattr(label_files, "MOST_BYTES", 200_000)

    result = labelled(tmp_path, ROW * 20_000)

    assert not result.items
    assert result.codes == {("failed", "UNREADABLE_LABELS"): 1}


def test_a_long_label_file_is_read_to_its_end(tmp_path: Path) -> None:
    """However many bytes the system hands out at a time."""
    rows = "".join(f"1 0.5 0.5 0.2 0.{number:05}\n" for number in range(1, 20_000))

    assert len(labelled(tmp_path, rows).items[0].annotations) == 19_999


def test_photos_on_their_side_are_read_as_they_are_shown(tmp_path: Path) -> None:
    """Y6, D6: trainers see them so; the report mentions it."""
    image(tmp_path / "images/a.jpg", (100, 80), orientation=6)
    make(tmp_path, {"labels/a.txt": "1 0.5 0.5 0.5 0.25\n", "data.yaml": YAML})

    result = read(tmp_path)

    assert (result.items[0].width, result.items[0].height) == (80, 100)
    assert result.only().box == Box(20, 37.5, 40, 25)
    assert result.codes == {("noted", "TURNED"): 1}
    assert read(tmp_path, exif="ignore").only().box == Box(25, 30, 50, 20)


def test_rounding_pushes_no_box_over_the_edge(tmp_path: Path) -> None:
    """A box at the edge that was written with six decimals is at the edge; one outside stays outside."""
    result = labelled(tmp_path, "0 0.9166665 0.5 0.166668 1\n0 0.0833335 0.5 0.166668 1\n0 0.95 0.5 0.2 1\n")

    right, left, over = (each.box for each in result.items[0].annotations)
    assert right is not None
    assert left is not None
    assert over is not None
    assert right.x + right.width <= 100
    assert left.x == 0
    assert over.x + over.width == pytest.approx(105)


def test_outlines_are_polygons(tmp_path: Path) -> None:
    """Y4: without a box of their own; a repeated first point is none."""
    result = labelled(tmp_path, RING + "0 0.1 0.1 0.5 0.1 0.5 0.6 0.1 0.1\n")

    first, second = result.items[0].annotations
    assert first.shape == Polygon(([10, 5, 50, 5, 50, 30, 30, 35],))
    assert second.shape == Polygon(([10, 5, 50, 5, 50, 30],))
    assert first.box is None
    assert not result.losses.reasons


@pytest.mark.parametrize(
    ("text", "more", "is_mixed"),
    [
        (ROW + RING, "", True),
        (ROW, "", False),
        (RING, "", False),
        (ROW, "task: detect\n", False),
        (RING, "task: detect\n", True),
        (RING, "task: segment\n", False),
        (ROW, "task: segment\n", True),
    ],
)
def test_boxes_among_outlines_are_read_and_reported(tmp_path: Path, text: str, more: str, *, is_mixed: bool) -> None:
    """Y11: trainers reject such a file; nothing is lost here."""
    result = labelled(tmp_path, text, more)

    assert len(result.items[0].annotations) == text.count("\n")
    assert result.codes == ({("noted", "MIXED"): 1} if is_mixed else {})


def test_poses_have_a_box_and_joints(tmp_path: Path) -> None:
    """Y5, D4, P1: visibility is kept, and what is not labelled is no joint at the origin."""
    result = labelled(tmp_path, POSE, "kpt_shape: [4, 3]\n")

    found = result.only()
    assert found.box == Box(40, 12.5, 20, 25)
    assert found.shape is None
    assert found.keypoints is not None
    assert found.keypoints.points == pytest.approx([45, 20, 2, 50, 25, 2, 55, 25, 1, 0, 0, 0])
    assert not result.losses.reasons


def test_poses_may_have_no_visibility(tmp_path: Path) -> None:
    """P1: what is at the origin or outside is not labelled then."""
    result = labelled(tmp_path, "0 0.5 0.5 0.2 0.5 0.45 0.4 0 0 -1 -1 0 0.5\n", "kpt_shape: [4, 2]\n")

    assert result.only().keypoints == Keypoints([45, 20, 2, 0, 0, 0, 0, 0, 0, 0, 25, 2])


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("0 .5 .5 .2 .5 .45 .4 3", "INVALID_RECORD"),
        ("0 .5 .5 .2 .5 .45 .4 0.5", "INVALID_RECORD"),
        ("0 .5 .5 .2 .5 .45 .4", "INVALID_RECORD"),
        ("0 .5 .5 .2 .5 .45 nan 2", "NOT_A_NUMBER"),
        ("0 .5 .5 .2 inf .45 .4 2", "NOT_A_NUMBER"),
    ],
)
def test_a_pose_that_cannot_be_read_fails_alone(tmp_path: Path, row: str, code: str) -> None:
    """A box without joints among poses is a box, and reported."""
    result = labelled(tmp_path, f"0 .5 .5 .2 .5 .45 .4 2.0\n{row}\n{ROW}", "kpt_shape: [1, 3]\n")

    assert [each.keypoints is None for each in result.items[0].annotations] == [False, True]
    assert result.codes == {("failed", code): 1, ("noted", "MIXED"): 1}


def test_the_task_counts_and_not_the_number_of_columns(tmp_path: Path) -> None:
    """Y4, Y5, Y10: the same nine numbers are an outline, corners of a rotated box, or two joints."""
    (ring,) = labelled(tmp_path, CORNERS).items[0].annotations
    assert isinstance(ring.shape, Polygon)

    for result in (read(tmp_path, task="obb"), labelled(tmp_path, CORNERS, "task: obb\n")):
        found = result.only()
        assert isinstance(found.shape, RotatedBox)
        assert astuple(found.shape) == pytest.approx((20, 20, 20, 20, 0))
        assert found.label == "zebra"

    pose = labelled(tmp_path, CORNERS, "kpt_shape: [2, 2]\n").only()
    assert pose.keypoints is not None
    assert pose.keypoints.points == pytest.approx([30, 30, 2, 10, 30, 2])


def test_rows_of_other_lengths_are_no_rotated_boxes(tmp_path: Path) -> None:
    """Y10: those of boxes are, and are reported."""
    result = labelled(tmp_path, CORNERS + RING.replace("\n", " .1 .1\n") + ROW, "task: obb\n")

    assert len(result.items[0].annotations) == 2
    assert result.codes == {("failed", "INVALID_RECORD"): 1, ("noted", "MIXED"): 1}


def test_poses_that_do_not_say_so_are_not_taken_for_outlines(tmp_path: Path) -> None:
    """D4: the whole dataset looks like poses, so somebody has to say what it is."""
    with pytest.raises(InvalidDatasetError, match=r"kpt_shape: \[4, 3\]"):
        labelled(tmp_path, POSE * 2)

    assert isinstance(read(tmp_path, task="segment").items[0].annotations[0].shape, Polygon)
    assert read(tmp_path, task="pose").items[0].annotations[0].keypoints is not None
    assert read(tmp_path, task="pose").info.classes[0].joints == ("joint_0", "joint_1", "joint_2", "joint_3")


def test_poses_of_unknown_shape_are_refused(tmp_path: Path) -> None:
    """The error says what to write."""
    with pytest.raises(InvalidDatasetError, match="does not say how many joints"):
        labelled(tmp_path, POSE + RING, task="pose")


def test_a_task_that_there_is_not_is_refused(tmp_path: Path) -> None:
    """If somebody chooses it; what a dataset says wrongly is reported."""
    with pytest.raises(ConfigurationError, match="Did you mean 'segment'"):
        labelled(tmp_path, RING, task="segmnt")

    assert labelled(tmp_path, RING, "task: detection\n").codes == {("noted", "CONFIGURATION"): 1}


def test_reading_twice_gives_the_same(tmp_path: Path) -> None:
    """And reading never writes."""
    make(tmp_path, {f"images/{name}.jpg": SIZE for name in "cab"})
    first, second = labelled(tmp_path, ROW), labelled(tmp_path, ROW)

    assert first.items == second.items
    assert [item.name for item in first.items] == ["a.jpg", "b.jpg", "c.jpg"]


def test_what_a_dataset_says_counts_more_than_a_chosen_task(tmp_path: Path) -> None:
    """Y5: the task that is chosen for a conversion is that of the target; poses never become outlines by it."""
    for task in ("detect", "segment", "obb"):
        assert labelled(tmp_path, POSE, "kpt_shape: [4, 3]\n", task=task).only().keypoints is not None
        assert isinstance(labelled(tmp_path, CORNERS, "task: obb\n", task=task).only().shape, RotatedBox)
    for task in ("detect", "pose", "obb"):
        result = labelled(tmp_path, RING, "task: segment\n", task=task)
        assert isinstance(result.only().shape, Polygon)
        assert not result.losses.reasons


@pytest.mark.parametrize("task", ["detect", "segment", "pose", "obb", "classify"])
def test_boxes_are_read_whatever_the_target_is_for(tmp_path: Path, task: str) -> None:
    """A dataset that does not say what it is for may be converted for every task."""
    result = labelled(tmp_path, ROW, task=task)

    assert result.only().box is not None


@pytest.mark.parametrize("task", ["detect", "segment", "obb", "classify"])
def test_outlines_are_read_whatever_the_target_is_for(tmp_path: Path, task: str) -> None:
    """As above."""
    result = labelled(tmp_path, RING.replace("\n", " .1 .5\n") + RING, task=task)

    assert len(result.items[0].annotations) == 2
    assert not result.losses.reasons


def test_boxes_are_not_mixed_because_rotated_ones_are_to_be_written(tmp_path: Path) -> None:
    """A chosen task may be that of the target; beside rotated boxes, upright ones are odd."""
    assert labelled(tmp_path / "boxes", ROW * 2, task="obb").codes == {("noted", "DUPLICATE_ROW"): 1}
    assert labelled(tmp_path / "both", f"{ROW}{CORNERS}", task="obb").codes == {("noted", "MIXED"): 1}

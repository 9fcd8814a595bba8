from math import cos, hypot, inf, pi, sin

import pytest

from synapse_sdk.formats.geometry import (
    bounds,
    bounds_of_points,
    corners,
    has_area,
    polygon_area,
    ring_area,
    rotated_box_of,
)
from synapse_sdk.formats.masks import mask_of_runs
from synapse_sdk.formats.model import (
    Annotation,
    Box,
    Keypoints,
    Polygon,
    Polyline,
    Relation,
    RotatedBox,
    Shape,
    Verbatim,
)

TRIANGLE = [0.0, 0.0, 4.0, 0.0, 4.0, 3.0]
FIGURE_OF_EIGHT = [0.0, 0.0, 2.0, 2.0, 2.0, 0.0, 0.0, 2.0]


def shaped(shape: Shape | None, keypoints: Keypoints | None = None) -> Annotation:
    """Return an annotation without a box."""
    return Annotation(id="1", label="car", shape=shape, keypoints=keypoints)


def test_nothing_has_no_bounds() -> None:
    """A box of no points would be somewhere."""
    assert bounds_of_points([]) is None


def test_bounds_of_a_point_have_no_extent() -> None:
    """It is where the point is."""
    assert bounds_of_points([3.0, 4.0]) == Box(3.0, 4.0, 0.0, 0.0)


def test_the_box_of_the_source_is_the_bounds() -> None:
    """Even if the shape says something else."""
    annotation = Annotation(id="1", label="car", box=Box(1, 1, 2, 2), shape=Polygon([TRIANGLE]))

    assert bounds(annotation) == Box(1, 1, 2, 2)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        (Polygon([TRIANGLE, [8.0, 9.0, 9.0, 9.0, 9.0, 10.0]]), Box(0.0, 0.0, 9.0, 10.0)),
        (Polygon([TRIANGLE], [[-5.0, -5.0, 9.0, 9.0, 9.0, 0.0]]), Box(0.0, 0.0, 4.0, 3.0)),
        (Polygon([]), None),
        (Polygon([[]]), None),
        (Polyline([5.0, 5.0, 1.0, 2.0]), Box(1.0, 2.0, 4.0, 3.0)),
        (Polyline([]), None),
        (RotatedBox(5.0, 5.0, 4.0, 2.0, 0.0), Box(3.0, 4.0, 4.0, 2.0)),
        (mask_of_runs([[5, 2], [15, 1]], 10, 3), Box(5.0, 0.0, 2.0, 2.0)),
        (mask_of_runs([], 10, 3), None),
        (Relation("1", "2"), None),
        (Verbatim("segmentation", "video_1", {}), None),
        (None, None),
    ],
)
def test_bounds_are_around_the_shape(shape: Shape | None, expected: Box | None) -> None:
    """All parts of it; holes do not reach out of it."""
    assert bounds(shaped(shape)) == expected


def test_bounds_are_around_the_joints_that_are_labelled() -> None:
    """P1: a joint of visibility 0 is none at the origin."""
    joints = Keypoints([5.0, 6.0, 2, 0.0, 0.0, 0, 9.0, 8.0, 1])

    assert bounds(shaped(None, joints)) == Box(5.0, 6.0, 4.0, 2.0)
    assert bounds(shaped(Polygon([]), joints)) == Box(5.0, 6.0, 4.0, 2.0)
    assert bounds(shaped(None, Keypoints([0.0, 0.0, 0]))) is None


def test_area_does_not_depend_on_the_way_round() -> None:
    """Formats differ in it."""
    assert ring_area(TRIANGLE) == ring_area([0, 0, 4, 3, 4, 0]) == 6


@pytest.mark.parametrize("ring", [[], [1.0, 1.0], [1.0, 1.0, 5.0, 5.0]])
def test_fewer_than_three_points_have_no_area(ring: list[float]) -> None:
    """Nor do they fail."""
    assert ring_area(ring) == 0
    assert not has_area(ring)


def test_holes_are_taken_from_the_area() -> None:
    """And are never more than there is."""
    assert polygon_area(Polygon([[0, 0, 10, 0, 10, 10, 0, 10], TRIANGLE], [[1, 1, 3, 1, 3, 3, 1, 3]])) == 102
    assert polygon_area(Polygon([TRIANGLE], [[0, 0, 10, 0, 10, 10, 0, 10]])) == 0
    assert polygon_area(Polygon([])) == 0


@pytest.mark.parametrize(
    ("ring", "expected"),
    [
        (TRIANGLE, True),
        (FIGURE_OF_EIGHT, True),
        ([4000.1 + value for value in FIGURE_OF_EIGHT], True),
        ([0.1, 0.1, 0.2, 0.2, 0.3, 0.3], False),
        ([1234.1, 777.7, 1234.1 + 1 / 3, 777.7 + 1 / 3, 1234.1 + 2 / 3, 777.7 + 2 / 3], False),
        ([5.0, 5.0, 5.0, 5.0, 5.0, 5.0], False),
        ([5.0, 5.0, 9.0, 5.0, 5.0, 5.0, 1.0, 5.0], False),
        ([inf, 0.0, 1.0, 1.0, 2.0, 0.0], False),
    ],
)
def test_a_ring_on_one_line_has_no_area(ring: list[float], *, expected: bool) -> None:
    """Rounding makes no area of it, and crossing itself takes none away."""
    assert has_area(ring) is expected


def test_corners_go_clockwise_on_the_screen() -> None:
    """Down is where y is larger."""
    assert corners(RotatedBox(5.0, 5.0, 4.0, 2.0, 0.0)) == [3, 4, 7, 4, 7, 6, 3, 6]
    assert corners(RotatedBox(5.0, 5.0, 4.0, 2.0, pi / 2)) == pytest.approx([6, 3, 6, 7, 4, 7, 4, 3])


@pytest.mark.parametrize("angle", [0.0, 0.3, pi / 4, pi / 2, 2.5, -1.2, -pi + 0.01])
def test_the_corners_of_a_rotated_box_give_it_back(angle: float) -> None:
    """Its angle as well, though four boxes have the same corners."""
    rotated = RotatedBox(100.0, 50.0, 40.0, 20.0, angle)

    found = rotated_box_of(corners(rotated))

    assert (found.center_x, found.center_y) == pytest.approx((100, 50))
    assert (found.width, found.height, found.angle) == pytest.approx((40, 20, angle))


def test_corners_the_other_way_round_give_the_same_place() -> None:
    """YOLO does not say which way they go."""
    there = corners(RotatedBox(100.0, 50.0, 40.0, 20.0, 0.3))
    back = [value for at in (6, 4, 2, 0) for value in there[at : at + 2]]

    found = corners(rotated_box_of(back))

    assert sorted(found[0::2]) == pytest.approx(sorted(there[0::2]))
    assert sorted(found[1::2]) == pytest.approx(sorted(there[1::2]))


def test_a_rotated_box_is_the_smallest_one() -> None:
    """An upright one around the same points would be larger."""
    points = [0.0, 10.0, 10.0, 0.0, 30.0, 20.0, 20.0, 30.0, 15.0, 15.0, 5.0, 5.0]

    found = rotated_box_of(points)

    assert found.width * found.height == pytest.approx(hypot(10, 10) * hypot(20, 20))
    assert found.angle == pytest.approx(pi / 4)


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        ([3.0, 4.0], RotatedBox(3.0, 4.0, 0.0, 0.0, 0.0)),
        ([3.0, 4.0, 3.0, 4.0, 3.0, 4.0, 3.0, 4.0], RotatedBox(3.0, 4.0, 0.0, 0.0, 0.0)),
        ([0.0, 0.0, 10.0, 0.0], RotatedBox(5.0, 0.0, 10.0, 0.0, 0.0)),
        ([0.0, 0.0, 3.0, 3.0, 1.0, 1.0, 2.0, 2.0], RotatedBox(1.5, 1.5, hypot(3, 3), 0.0, pi / 4)),
    ],
)
def test_points_on_a_line_give_a_box_without_height(points: list[float], expected: RotatedBox) -> None:
    """Whoever writes it drops it with a reason; nothing fails before."""
    found = rotated_box_of(points)

    assert corners(found) == pytest.approx(corners(expected))


def test_no_points_give_no_box() -> None:
    """Nobody could say where."""
    with pytest.raises(ValueError, match="needs points"):
        rotated_box_of([])


def test_a_rotated_box_around_very_many_points_is_found_soon() -> None:
    """Not on every edge of their hull, if that has a hundred thousand: it would take hours."""
    count = 100_000
    ring = [value for at in range(count) for value in (90 * cos(at * 2 * pi / count), 9 * sin(at * 2 * pi / count))]

    found = rotated_box_of(ring)

    assert found.width * found.height == pytest.approx(180 * 18, rel=1e-3)


def test_numbers_that_are_too_large_do_not_fail() -> None:
    """They come from damaged files, and are refused or dropped where they are read or written."""
    huge = [1e308, 1e308, -1e308, 1e308, -1e308, -1e308, 1e308, -1e308, 0.0, 1.5e308]

    assert has_area(huge[:-2]) in {True, False}
    assert polygon_area(Polygon([huge])) >= 0
    assert rotated_box_of(huge).width > 0
    assert bounds_of_points(huge) == Box(-1e308, -1e308, inf, inf)

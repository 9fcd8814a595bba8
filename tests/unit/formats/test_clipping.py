from math import inf

import pytest

from synapse_sdk.formats.clipping import clip_box, clip_line, clip_ring
from synapse_sdk.formats.geometry import ring_area
from synapse_sdk.formats.model import Box


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        (Box(10, 10, 20, 20), Box(10, 10, 20, 20)),
        (Box(-5, -6, 20, 20), Box(0, 0, 15, 14)),
        (Box(90, 40, 20, 20), Box(90, 40, 10, 10)),
        (Box(-5, -5, 200, 200), Box(0, 0, 100, 50)),
        (Box(200, 10, 20, 20), Box(100, 10, 0, 20)),
        (Box(-50, 10, 20, 20), Box(0, 10, 0, 20)),
        (Box(-1e308, -1e308, inf, inf), Box(0, 0, 100, 50)),
    ],
)
def test_a_box_is_cut_at_the_edges(box: Box, expected: Box) -> None:
    """C4: and has no extent if nothing of it is inside."""
    assert clip_box(box, 100, 50) == expected


def test_a_ring_inside_stays_as_it_is() -> None:
    """Down to the order of its points, and the corners on the edge."""
    ring = [0, 0, 100, 0, 100, 50, 30, 50]

    assert clip_ring(ring, 100, 50) == [ring]


@pytest.mark.parametrize(
    "ring",
    [
        [],
        [200, 10, 220, 10, 220, 20],
        [-10, -10, -5, 200, -20, 60],
        [-10, 10, 10, -10, -10, -10],  # its box is partly inside
        [100, 10, 120, 10, 120, 20],  # touches the edge with a corner
        [100, 10, 120, 15, 100, 20],  # touches it with an edge
    ],
)
def test_nothing_is_left_of_a_ring_outside(ring: list[float]) -> None:
    """A ring along the edge covers nothing."""
    assert clip_ring(ring, 100, 50) == []


def test_a_corner_is_cut_off() -> None:
    """Where the edges of the image cross the ring it has new corners."""
    assert clip_ring([90, 0, 110, 20, 90, 20], 100, 50) == [[100, 20, 90, 20, 90, 0, 100, 10]]


def test_an_image_inside_of_a_ring_is_covered() -> None:
    """All of its corners are those of the ring."""
    (ring,) = clip_ring([-10, -10, 500, -10, 500, 500, -10, 500], 100, 50)

    assert ring_area(ring) == 100 * 50
    assert len(ring) == 8


def test_parts_that_are_connected_outside_come_apart() -> None:
    """C4: a comb whose back is outside is as many rings as it has teeth; none goes along the edge between them."""
    comb = [-10, 0, 20, 0, 20, 5, -5, 5, -5, 10, 20, 10, 20, 15, -5, 15, -5, 20, 20, 20, 20, 25, -10, 25]

    parts = clip_ring(comb, 100, 50)

    assert parts == [
        [0, 0, 20, 0, 20, 5, 0, 5],
        [0, 10, 20, 10, 20, 15, 0, 15],
        [0, 20, 20, 20, 20, 25, 0, 25],
    ]


def test_what_is_left_has_no_needles() -> None:
    """A shape that goes out at the left and on above the image leaves only what is inside, and a box around that."""
    ring = [10, 40, 10, 50, -20, 50, -20, -20, 60, -20, 60, -10, -10, -10, -10, 40]

    assert clip_ring(ring, 100, 50) == [[0, 40, 10, 40, 10, 50, 0, 50]]


def test_points_on_the_edge_count_as_inside() -> None:
    """A tooth that ends exactly there, and a notch that reaches exactly to it."""
    notched = [-10, 0, 20, 0, 20, 30, -10, 30, -10, 20, 0, 15, -10, 10]

    (ring,) = clip_ring(notched, 100, 50)

    assert ring_area(ring) == 20 * 30


def test_rings_that_cross_themselves_keep_their_area() -> None:
    """Half of a figure of eight is one of its two triangles."""
    parts = clip_ring([-10, 0, 10, 20, 10, 0, -10, 20], 100, 50)

    assert [ring_area(part) for part in parts] == [100]


def test_a_line_inside_stays_as_it_is() -> None:
    """Repeated points as well."""
    line = [0, 0, 5, 5, 5, 5, 100, 50]

    assert clip_line(line, 100, 50) == line


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ([50, 25, 150, 75], [50, 25, 100, 50]),
        ([-50, 25, 150, 25], [0, 25, 100, 25]),
        ([50, 25, 150, 25, 150, 45, 50, 45], [50, 25, 100, 25, 100, 45, 50, 45]),  # along the edge in between
        ([50, 25, 150, 25, 150, 100, 50, 100, 50, 45], [50, 25, 100, 25, 100, 50, 50, 50, 50, 45]),  # round a corner
        ([-10, -10, -10, 20, 10, 20, 10, -90, 300, -90], [0, 20, 10, 20, 10, 0]),  # its ends are outside
        ([150, 75, 50, 25], [100, 50, 50, 25]),
    ],
)
def test_a_line_is_cut_at_the_edges(line: list[float], expected: list[float]) -> None:
    """What is inside does not move."""
    assert clip_line(line, 100, 50) == pytest.approx(expected)


@pytest.mark.parametrize("line", [[], [150, 10], [150, 10, 160, 20], [-10, 10, 10, -10], [-10, -10, -10, 90, 300, 90]])
def test_nothing_is_left_of_a_line_outside(line: list[float]) -> None:
    """Also if it goes round the image, or its box is partly inside."""
    assert clip_line(line, 100, 50) == []


def test_a_point_is_a_line() -> None:
    """If that is all that the source says."""
    assert clip_line([10, 20], 100, 50) == [10, 20]

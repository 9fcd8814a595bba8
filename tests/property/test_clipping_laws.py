"""Wherever a shape is, what is cut at the edges of the image is what of it is inside."""

from hypothesis import assume, given
from hypothesis import strategies as st

from synapse_sdk.formats.clipping import clip_line, clip_ring
from synapse_sdk.formats.geometry import corners, rotated_box_of
from synapse_sdk.formats.masks import array_of_mask, mask_of_polygon
from synapse_sdk.formats.model import Polygon, RotatedBox

WIDTH, HEIGHT = 8, 6
HALVES = st.integers(-12, 32).map(lambda half: half / 2)
ASIDE = (0.0137, 0.0071)
"""Moves corners so that no edge goes through the centre of a pixel, where rounding would decide."""
FLOATS = st.floats(-6, 16)
ANYWHERE = st.floats(-50, 50)


def rings(coordinates: st.SearchStrategy[float]) -> st.SearchStrategy[list[float]]:
    """Rings that may cross themselves."""
    points = st.lists(st.tuples(coordinates, coordinates), min_size=3, max_size=8)
    return points.map(lambda found: [value for point in found for value in point])


@given(ring=rings(HALVES))
def test_cutting_a_ring_takes_no_pixel(ring: list[float]) -> None:
    """Parts of one ring that lie over each other cancel each other, as they do in the ring."""
    ring = [value + ASIDE[at % 2] for at, value in enumerate(ring)]

    parts = clip_ring(ring, WIDTH, HEIGHT)

    covered = {frozenset(pixels([part])) for part in parts}
    assume(sum(map(len, covered)) == len(frozenset().union(*covered)))
    assert frozenset().union(*covered) == pixels([ring])


def pixels(found: list[list[float]]) -> frozenset[int]:
    """Return the numbers of the pixels of some parts."""
    return frozenset(array_of_mask(mask_of_polygon(Polygon(found), WIDTH, HEIGHT)).ravel().nonzero()[0].tolist())


@given(ring=rings(FLOATS))
def test_nothing_of_a_ring_is_outside_afterwards(ring: list[float]) -> None:
    """Whatever rounding does."""
    for part in clip_ring(ring, WIDTH, HEIGHT):
        assert all(0 <= x <= WIDTH for x in part[0::2])
        assert all(0 <= y <= HEIGHT for y in part[1::2])
        assert clip_ring(part, WIDTH, HEIGHT) == [part]


@given(line=rings(FLOATS))
def test_points_of_a_line_that_are_inside_stay(line: list[float]) -> None:
    """Unless nothing of the line is inside but that point."""
    found = clip_line(line, WIDTH, HEIGHT)

    kept = {*zip(found[0::2], found[1::2], strict=True)}
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in kept)
    inside = {(x, y) for x, y in zip(line[0::2], line[1::2], strict=True) if 0 < x < WIDTH and 0 < y < HEIGHT}
    assert inside <= kept


@given(
    rotated=st.builds(RotatedBox, ANYWHERE, ANYWHERE, st.floats(0.5, 50), st.floats(0.5, 50), st.floats(-3.14, 3.14))
)
def test_a_rotated_box_is_known_by_its_corners(rotated: RotatedBox) -> None:
    """No corner moves, nor does any become another one."""
    before, after = corners(rotated), corners(rotated_box_of(corners(rotated)))

    assert all(abs(one - other) < 1e-3 for one, other in zip(before, after, strict=True))


@given(ring=rings(FLOATS))
def test_a_rotated_box_has_all_points(ring: list[float]) -> None:
    """And is no larger than the upright box around them."""
    box = rotated_box_of(ring)

    xs, ys = ring[0::2], ring[1::2]
    upright = (max(xs) - min(xs)) * (max(ys) - min(ys))
    assert box.width * box.height <= upright + 0.05
    grown = RotatedBox(box.center_x, box.center_y, box.width + 0.02, box.height + 0.02, box.angle)
    turned = [each for part in (corners(grown),) for each in zip(part[0::2], part[1::2], strict=True)]
    for x, y in zip(xs, ys, strict=True):
        sides = [
            (x2 - x1) * (y - y1) - (y2 - y1) * (x - x1)
            for (x1, y1), (x2, y2) in zip(turned, [*turned[1:], turned[0]], strict=True)
        ]
        assert all(side >= 0 for side in sides)

from math import cos, sin

import numpy as np
import pytest

from synapse_sdk.formats.bridging import bridged
from synapse_sdk.formats.geometry import ring_area
from synapse_sdk.formats.masks import mask_area, mask_of_array, mask_of_polygon, polygon_of_mask
from synapse_sdk.formats.model import Polygon

SQUARE = [0, 0, 10, 0, 10, 10, 0, 10]
SQUARE_BACK = [0, 0, 0, 10, 10, 10, 10, 0]
BESIDE = [12, 4, 20, 4, 20, 9, 12, 9]
HOLE = [2, 2, 4, 2, 4, 4, 2, 4]


def test_a_single_part_stays_as_it_is() -> None:
    """Not a number of it is another one."""
    assert bridged(Polygon([[0.5, 1, 3, 1, 3, 4]])) == [0.5, 1, 3, 1, 3, 4]
    assert bridged(Polygon([SQUARE_BACK, [1, 1, 2, 2]])) == SQUARE_BACK


def test_parts_are_connected_where_they_are_nearest() -> None:
    """M2: one row for an object of several parts; the bridge is gone along twice."""
    ring = bridged(Polygon([SQUARE, BESIDE]))

    assert ring == [0, 0, 10, 0, 10, 10, 12, 9, 12, 4, 20, 4, 20, 9, 12, 9, 10, 10, 0, 10]
    assert ring_area(ring) == 140


@pytest.mark.parametrize("outer", [SQUARE, SQUARE_BACK])
@pytest.mark.parametrize("hole", [HOLE, [2, 2, 2, 4, 4, 4, 4, 2]])
def test_holes_are_cut_open(outer: list[float], hole: list[float]) -> None:
    """M1: holes are not filled, whichever way round the rings of the source go."""
    ring = bridged(Polygon([outer], [hole]))

    assert ring_area(ring) == 96
    assert mask_of_polygon(Polygon([ring]), 20, 20) == mask_of_polygon(Polygon([outer], [hole]), 20, 20)


def test_several_parts_go_one_way_round() -> None:
    """So that the nonzero rule, and the sum of the areas, know no difference either."""
    ring = bridged(Polygon([SQUARE_BACK, BESIDE, [30, 0, 30, 5, 35, 5]], [HOLE]))

    assert ring_area(ring) == 100 + 40 + 12.5 - 4
    assert len(ring) == 2 * (4 + 4 + 3 + 4 + 2 * 3)
    assert ring[:2] == [0, 0]


def test_all_points_are_those_of_the_source() -> None:
    """Bridges are where corners are."""
    polygon = Polygon([SQUARE, BESIDE], [HOLE])
    corners = {point for each in (SQUARE, BESIDE, HOLE) for point in zip(each[0::2], each[1::2], strict=True)}

    ring = bridged(polygon)

    assert {*zip(ring[0::2], ring[1::2], strict=True)} == corners


def test_rings_without_area_are_left_out() -> None:
    """There is nothing in them to be connected."""
    assert bridged(Polygon([])) == []
    assert bridged(Polygon([[1, 1, 2, 2]])) == []
    assert bridged(Polygon([[1, 1, 2, 2], SQUARE, []], [[5, 5]])) == SQUARE


def test_the_same_polygon_always_gives_the_same_ring() -> None:
    """Also where several corners are equally near."""
    polygon = Polygon([[x, y, x + 1, y, x + 1, y + 1, x, y + 1] for y in range(0, 9, 2) for x in range(0, 9, 2)])

    assert bridged(polygon) == bridged(polygon)
    assert ring_area(bridged(polygon)) == 25


def test_parts_far_away_are_connected_as_well() -> None:
    """Without a warning, as lengths that are not finite would give."""
    ring = bridged(Polygon([SQUARE, [1e300, 0, 1e300, 1, -1e300, 1]]))

    assert len(ring) == 2 * (4 + 3 + 2)


def circle(x: float, count: int) -> list[float]:
    """Return a ring of many points."""
    return [value for at in range(count) for value in (x + cos(at * 6.28 / count), sin(at * 6.28 / count))]


def test_parts_of_many_points_are_connected_soon() -> None:
    """Not every corner is held against every other: it would take an hour."""
    polygon = Polygon([circle(3 * number, 30_000) for number in range(5)])

    ring = bridged(polygon)

    assert ring_area(ring) == pytest.approx(5 * 3.14159, rel=1e-3)


def test_many_parts_are_connected_soon() -> None:
    """Noise has parts by the thousand, and is still one object."""
    mask = mask_of_array(np.random.default_rng(0).random((300, 300)) < 0.4)
    polygon = polygon_of_mask(mask)

    ring = bridged(polygon)

    assert len(polygon.rings) > 5000
    assert ring_area(ring) == mask_area(mask)
    assert mask_of_polygon(Polygon([ring]), 300, 300) == mask

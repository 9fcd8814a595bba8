"""Shapes of every kind inside of an image, all of which have an extent."""

from math import hypot, pi

import numpy as np
from hypothesis import strategies as st

from synapse_sdk.formats.masks import mask_of_array
from synapse_sdk.formats.model import Box, Keypoints, Mask, Polygon, Polyline, RotatedBox

__all__ = ["boxes", "keypoints", "masks", "polygons", "polylines", "rotated_boxes"]

STEP = 0.25
"""Pixels: corners lie on multiples of it, which every number that is written can say."""
UNIT_RINGS = (
    ((0, 0), (4, 0), (4, 4), (0, 4)),
    ((0, 0), (4, 1), (2, 4)),
    ((0, 0), (2, 0), (2, 2), (4, 2), (4, 4), (0, 4)),
    ((0, 0), (1, 0), (1, 3), (3, 3), (3, 0), (4, 0), (4, 4), (0, 4)),
    ((2, 0), (4, 2), (2, 4), (0, 2)),
    ((0, 4), (2, 0), (4, 4), (2, 3)),
)
"""Rings of several shapes, convex ones and others, in a square of four."""


def _steps(least: float, most: float) -> st.SearchStrategy[float]:
    """Coordinates between two others."""
    return st.integers(round(least / STEP), round(most / STEP)).map(lambda count: count * STEP)


@st.composite
def boxes(draw: st.DrawFn, width: float, height: float) -> Box:
    """Draw an upright box inside of an image, of at least a pixel a side."""
    across, down = draw(_steps(1, width)), draw(_steps(1, height))
    return Box(draw(_steps(0, width - across)), draw(_steps(0, height - down)), across, down)


@st.composite
def rotated_boxes(draw: st.DrawFn, width: int, height: int) -> RotatedBox:
    """Draw a box that is inside of an image however it is turned."""
    most = min(width, height) / 2
    across, down = draw(_steps(2, most)), draw(_steps(2, most))
    reach = hypot(across, down) / 2
    center_x, center_y = draw(st.floats(reach, width - reach)), draw(st.floats(reach, height - reach))
    return RotatedBox(center_x, center_y, across, down, draw(st.integers(-179, 180)) * pi / 180)


@st.composite
def polygons(draw: st.DrawFn, width: int, height: int, *, has_parts: bool, has_holes: bool) -> Polygon:
    """Draw parts side by side, each in its own share of the width."""
    count = draw(st.integers(1, 3)) if has_parts else 1
    share = width // count
    rings, holes = [], []
    for number in range(count):
        box = draw(_shares(share, height))
        unit = draw(st.sampled_from(UNIT_RINGS))
        left = number * share + box.x
        rings.append([value for x, y in unit for value in (left + x * box.width / 4, box.y + y * box.height / 4)])
        if has_holes and unit is UNIT_RINGS[0] and draw(st.booleans()):
            hole = ((1, 1), (1, 3), (3, 3), (3, 1))
            holes.append([value for x, y in hole for value in (left + x * box.width / 4, box.y + y * box.height / 4)])
    return Polygon(rings, holes)


@st.composite
def _shares(draw: st.DrawFn, width: int, height: int) -> Box:
    """Draw a box of at least four pixels a side, with a quarter of each on the grid."""
    across, down = draw(st.integers(4, width)), draw(st.integers(4, height))
    return Box(draw(_steps(0, width - across)), draw(_steps(0, height - down)), float(across), float(down))


@st.composite
def polylines(draw: st.DrawFn, width: int, height: int) -> Polyline:
    """Draw an open line."""
    point = st.tuples(_steps(0, width), _steps(0, height))
    points = draw(st.lists(point, min_size=2, max_size=5, unique=True))
    return Polyline([value for each in points for value in each])


@st.composite
def keypoints(draw: st.DrawFn, count: int, width: int, height: int) -> Keypoints:
    """Draw joints, of which at least one is labelled."""
    visibilities = draw(st.lists(st.integers(0, 2), min_size=count, max_size=count).filter(any))
    points: list[float] = []
    for visibility in visibilities:
        x, y = (draw(_steps(0, width)), draw(_steps(0, height))) if visibility else (0.0, 0.0)
        points += [x, y, visibility]
    return Keypoints(points)


@st.composite
def masks(draw: st.DrawFn, width: int, height: int) -> Mask:
    """Draw the pixels of a small object: any there can be in a few rows and columns."""
    across, down = draw(st.integers(1, 6)), draw(st.integers(1, 6))
    bits = draw(st.integers(1, 2 ** (across * down) - 1))
    left, top = draw(st.integers(0, width - across)), draw(st.integers(0, height - down))
    pixels = np.zeros((height, width), np.bool_)
    part = [bits >> place & 1 for place in range(across * down)]
    pixels[top : top + down, left : left + across] = np.array(part).reshape(down, across)
    return mask_of_array(pixels)

"""Lengths, areas and edges of shapes; see `synapse_sdk.formats.model` for the coordinates."""

from collections.abc import Sequence
from itertools import chain
from math import atan2, cos, hypot, pi, sin, sumprod

from synapse_sdk.formats.model import Annotation, Box, Keypoints, Mask, Polygon, Polyline, RotatedBox

__all__ = [
    "bounds",
    "bounds_of_points",
    "corners",
    "has_area",
    "polygon_area",
    "ring_area",
    "rotated_box_of",
]

RING = 6
"""Numbers of the smallest ring: three points."""
LEAST_AREA = 1e-6
"""Square pixels that are none, only rounding."""
MOST_TRIALS = 2**20
"""Points of a hull times its edges on which a box is tried: all of a thousand."""
CORNERS = 8
"""Numbers of a rectangle's corners, as flat points."""


def bounds_of_points(points: Sequence[float]) -> Box | None:
    """Return the upright box around flat points; None if there are none.

    Example:
        >>> bounds_of_points([1, 2, 4, 2, 4, 6])
        Box(x=1, y=2, width=3, height=4)
    """
    if not points:
        return None
    xs, ys = points[0::2], points[1::2]
    left, top = min(xs), min(ys)
    return Box(left, top, max(xs) - left, max(ys) - top)


def bounds(annotation: Annotation) -> Box | None:
    """Return the upright box around an object: its own, else the one around its shape, else around its joints."""
    if annotation.box is not None:
        return annotation.box
    around = None
    match annotation.shape:
        case Polygon(rings=rings):
            around = bounds_of_points(rings[0] if len(rings) == 1 else [*chain.from_iterable(rings)])
        case Polyline(points=points):
            around = bounds_of_points(points)
        case RotatedBox() as rotated:
            around = bounds_of_points(corners(rotated))
        case Mask() as mask:
            from synapse_sdk.formats.masks import mask_bounds  # noqa: PLC0415  # loads numpy

            around = mask_bounds(mask)
        case _:
            pass
    if around is None and annotation.keypoints is not None:
        return _bounds_of_joints(annotation.keypoints)
    return around


def _bounds_of_joints(keypoints: Keypoints) -> Box | None:
    triples = zip(keypoints.points[0::3], keypoints.points[1::3], keypoints.points[2::3], strict=True)
    return bounds_of_points([*chain.from_iterable((x, y) for x, y, visibility in triples if visibility)])


def ring_area(ring: Sequence[float]) -> float:
    """Return the area of a ring in square pixels (shoelace formula), whichever way round it goes.

    Example:
        >>> ring_area([0, 0, 4, 0, 4, 3, 0, 3])
        12.0
    """
    if not ring:
        return 0.0
    closing = ring[-2] * ring[1] - ring[0] * ring[-1]
    return abs(sumprod(ring[:-2:2], ring[3::2]) - sumprod(ring[2::2], ring[1:-2:2]) + closing) / 2


def has_area(ring: Sequence[float]) -> bool:
    """Whether a ring covers anything: whether its points are not all on one line.

    A ring that crosses itself, whose parts go round in both directions, covers something although `ring_area` is 0.

    Example:
        >>> has_area([0, 0, 2, 2, 2, 0, 0, 2]), has_area([0, 0, 1, 1, 2, 2])
        (True, False)
    """
    if len(ring) < RING:
        return False
    if ring_area(ring) > LEAST_AREA:
        return True
    points = [*zip(ring[0::2], ring[1::2], strict=True)]
    start = points[0]
    end = max(points, key=lambda point: hypot(point[0] - start[0], point[1] - start[1]))
    return any(abs(_turn(start, end, point)) > 2 * LEAST_AREA for point in points)


def polygon_area(polygon: Polygon) -> float:
    """Return the area of all parts without the holes, in square pixels; parts that overlap count twice."""
    return max(0.0, sum(map(ring_area, polygon.rings)) - sum(map(ring_area, polygon.holes)))


def corners(rotated: RotatedBox) -> list[float]:
    """Return the four corners as flat points, clockwise on the screen, from the one that is upper left when upright."""
    right, down = rotated.width / 2, rotated.height / 2
    cosine, sine = cos(rotated.angle), sin(rotated.angle)
    found = []
    for x, y in ((-right, -down), (right, -down), (right, down), (-right, down)):
        found += [rotated.center_x + x * cosine - y * sine, rotated.center_y + x * sine + y * cosine]
    return found


def rotated_box_of(points: Sequence[float]) -> RotatedBox:
    """Return the rotated box with the least area around flat points.

    It lies on an edge of their convex hull (Freeman and Shapira, 1975); of a hull with very many edges on one of the
    longest. Four points that are the `corners` of a rotated box give that box again. Points on one line give a box
    without height.

    Raises:
        ValueError: There are no points.
    """
    if (same := _box_of_corners(points)) is not None:
        return same
    hull = _hull(sorted({*zip(points[0::2], points[1::2], strict=True)}))
    if not hull:
        msg = "a rotated box needs points"
        raise ValueError(msg)
    edges = [*zip(hull, [*hull[1:], hull[0]], strict=True)]
    if len(edges) * len(hull) > MOST_TRIALS:
        edges.sort(key=lambda edge: -hypot(edge[1][0] - edge[0][0], edge[1][1] - edge[0][1]))
        edges = edges[: max(1, MOST_TRIALS // len(hull))]
    boxes = (_box_along(hull, atan2(y2 - y, x2 - x) % (pi / 2)) for (x, y), (x2, y2) in edges)
    return min(boxes, key=lambda box: (box.width * box.height, box.angle))


def _box_along(points: list[tuple[float, float]], angle: float) -> RotatedBox:
    """Return the box around points that is turned by an angle."""
    cosine, sine = cos(angle), sin(angle)
    along = [x * cosine + y * sine for x, y in points]
    across = [y * cosine - x * sine for x, y in points]
    left, right, top, bottom = min(along), max(along), min(across), max(across)
    mid_along, mid_across = (left + right) / 2, (top + bottom) / 2
    center_x, center_y = mid_along * cosine - mid_across * sine, mid_along * sine + mid_across * cosine
    return RotatedBox(center_x, center_y, right - left, bottom - top, angle)


def _box_of_corners(points: Sequence[float]) -> RotatedBox | None:
    if len(points) != CORNERS:
        return None
    x1, y1, x2, y2, x3, y3, x4, y4 = points
    width, height = hypot(x2 - x1, y2 - y1), hypot(x3 - x2, y3 - y2)
    slack = 1e-3 + 1e-4 * (width + height)
    is_parallelogram = hypot(x1 + x3 - x2 - x4, y1 + y3 - y2 - y4) <= slack
    is_rectangle = abs(hypot(x3 - x1, y3 - y1) - hypot(x4 - x2, y4 - y2)) <= slack
    if not (is_parallelogram and is_rectangle and width and height):
        return None
    return RotatedBox((x1 + x2 + x3 + x4) / 4, (y1 + y2 + y3 + y4) / 4, width, height, atan2(y2 - y1, x2 - x1))


def _hull(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the convex hull of sorted points (monotone chain; Andrew, 1979)."""
    if len(points) <= 2:  # noqa: PLR2004  # a line has no inside
        return points
    halves = []
    for half in (points, points[::-1]):
        chain_: list[tuple[float, float]] = []
        for point in half:
            while len(chain_) > 1 and _turn(chain_[-2], chain_[-1], point) <= 0:
                chain_.pop()
            chain_.append(point)
        halves.append(chain_[:-1])
    return halves[0] + halves[1]


def _turn(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])

"""What of boxes, rings and lines is in the image."""

from collections.abc import Sequence
from itertools import chain, pairwise

from synapse_sdk.formats.geometry import has_area
from synapse_sdk.formats.model import Box

__all__ = ["clip_box", "clip_line", "clip_ring"]

type Point = tuple[float, float]


def clip_box(box: Box, width: float, height: float) -> Box:
    """Cut a box at the edges of an image; what lies outside has no width or height then.

    Example:
        >>> clip_box(Box(-5.0, 10.0, 20.0, 20.0), 100, 25)
        Box(x=0.0, y=10.0, width=15.0, height=15.0)
    """
    left, top = min(max(box.x, 0.0), width), min(max(box.y, 0.0), height)
    right, bottom = min(max(box.x + box.width, 0.0), width), min(max(box.y + box.height, 0.0), height)
    return Box(left, top, right - left, bottom - top)


def clip_line(points: Sequence[float], width: float, height: float) -> list[float]:
    """Cut an open line at the edges of an image: flat points, none if no part of the line is inside.

    Where the line leaves the image and comes back, it goes along the edge of the image in the meantime.

    Example:
        >>> clip_line([-5, 5, 15, 5, 15, -5], 10, 10)
        [0.0, 5.0, 10.0, 5.0]
    """
    corners = [*zip(points[0::2], points[1::2], strict=True)]
    path = corners[:1]
    for start, end in pairwise(corners):
        path += (_between(start, end, share) for share in _shares(start, end, width, height))
        path.append(end)
    is_inside = [_is_inside(_between(start, end, 0.5), width, height) for start, end in pairwise(path)]
    if not any(is_inside):
        return [*points] if len(corners) == 1 and _is_inside(corners[0], width, height) else []
    first, last = is_inside.index(True), len(is_inside) - is_inside[::-1].index(True)
    inside = [(min(max(x, 0.0), width), min(max(y, 0.0), height)) for x, y in path[first : last + 1]]
    own = {point for point in corners if _is_inside(point, width, height)}
    kept = [point for before, point in pairwise([None, *inside]) if point != before or point in own]
    return [*chain.from_iterable(point for point in kept if point is not None)]


def _shares(start: Point, end: Point, width: float, height: float) -> list[float]:
    """Return where between two points a line crosses those on which the edges of the image lie: from 0 to 1."""
    found = []
    for axis, limits in enumerate(((0.0, width), (0.0, height))):
        here, there = start[axis], end[axis]
        found += [(limit - here) / (there - here) for limit in limits if min(here, there) < limit < max(here, there)]
    return sorted({*found})


def _between(start: Point, end: Point, share: float) -> Point:
    return (start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1]))


def _is_inside(point: Point, width: float, height: float) -> bool:
    return 0.0 <= point[0] <= width and 0.0 <= point[1] <= height


def clip_ring(ring: Sequence[float], width: float, height: float) -> list[list[float]]:
    """Cut a ring at the edges of an image: the rings of all parts that are inside, none if there is none.

    Unlike with the algorithm of Sutherland and Hodgman (1974) parts that are connected outside of the image only come
    apart, so that the ring has no needles along the edges, which would make the box around it too large.

    Example:
        >>> clip_ring([-5, 0, 5, 0, 5, 2, -2, 2, -2, 4, 5, 4, 5, 6, -5, 6], 10, 10)
        [[0.0, 0.0, 5, 0, 5, 2, 0.0, 2.0], [0.0, 4.0, 5, 4, 5, 6, 0.0, 6.0]]
    """
    parts = [[*zip(ring[0::2], ring[1::2], strict=True)]]
    for axis, limit, sign in ((0, 0.0, 1), (0, width, -1), (1, 0.0, 1), (1, height, -1)):
        parts = [half for part in parts for half in _half(part, axis, limit, sign)]
    flat = ([*chain.from_iterable(part)] for part in parts)
    return [part for part in flat if has_area(part)]


def _half(ring: list[Point], axis: int, limit: float, sign: int) -> list[list[Point]]:
    """Return the parts of a ring on one side of a line along an axis: where `sign` times the distance is not below 0.

    The ring crosses the line at an even number of places. Between the first and the second along the line is the inside
    of the ring, between the third and the fourth, and so on; there the parts are closed.
    """
    is_inside = [(point[axis] - limit) * sign >= 0 for point in ring]
    if all(is_inside):
        return [ring]
    strands = _strands(ring, is_inside, axis, limit)
    # Strand n begins at end 2 * n and ends at end 2 * n + 1.
    ends = [strand[at][1 - axis] for strand in strands for at in (0, -1)]
    order = sorted(range(len(ends)), key=ends.__getitem__)
    partners = {one: other for pair in zip(order[0::2], order[1::2], strict=True) for one, other in (pair, pair[::-1])}
    found = []
    for first in range(len(ends)):
        end, part = first, list[Point]()
        while first in partners:
            strand = strands[end // 2]
            part += strand if end % 2 == 0 else strand[::-1]
            end = partners.pop(end ^ 1)
            del partners[end]
        if part:
            found.append(part)
    return found


def _strands(ring: list[Point], is_inside: list[bool], axis: int, limit: float) -> list[list[Point]]:
    """Return the points of a ring on one side of a line, as strands that begin and end on the line."""
    start = is_inside.index(False)
    found: list[list[Point]] = []
    for number in range(start, start + len(ring)):
        here, there = number % len(ring), (number + 1) % len(ring)
        if is_inside[there] and not is_inside[here]:
            found.append(_crossing(ring[there], ring[here], axis, limit))
        if is_inside[there]:
            found[-1].append(ring[there])
        elif is_inside[here]:
            found[-1] += _crossing(ring[here], ring[there], axis, limit)
    return found


def _crossing(inside: Point, outside: Point, axis: int, limit: float) -> list[Point]:
    """Return where the line from a point to another crosses a line along an axis; nothing if that is the first one."""
    if inside[axis] == limit:
        return []
    share = (limit - inside[axis]) / (outside[axis] - inside[axis])
    along = inside[1 - axis] + share * (outside[1 - axis] - inside[1 - axis])
    return [(limit, along) if axis == 0 else (along, limit)]

"""One ring for a polygon of several parts and holes, for formats that have only one ring for an object."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from math import ceil
from typing import NamedTuple

from synapse_sdk.formats.model import Polygon

__all__ = ["bridged"]

RING = 6
"""Numbers of the smallest ring: three points."""
MOST_POINTS = 2048
"""Corners between which the nearest are looked for; of polygons with more only every second, third, ... is."""
FURTHEST = 1e100
"""Coordinates count as nearer than this, so that no length is infinite."""


class Bridge(NamedTuple):
    """What connects a ring to those that are connected already: two corners, by their numbers in their rings."""

    ring: int
    corner: int
    to_ring: int
    to_corner: int


def bridged(polygon: Polygon) -> list[float]:
    """Return one ring that has all parts of a polygon, and leaves out its holes.

    Parts are connected by bridges of no width, which the ring goes along twice, at those of their corners that are
    nearest to each other; holes are cut open likewise. What the ring covers is what the polygon does, under the
    even-odd rule as under the nonzero rule: all parts are brought to go the way round of the first, and holes the other
    way. (Where parts overlap, only the nonzero rule covers them.) The same polygon always gives the same ring; a single
    part without holes is given back as it is. Rings of fewer than three points cover nothing, and are left out.

    Example:
        >>> bridged(Polygon([[0, 0, 2, 0, 2, 2], [5, 2, 7, 2, 7, 4]]))
        [0, 0, 2, 0, 2, 2, 5, 2, 7, 2, 7, 4, 5, 2, 2, 2]
    """
    parts = [ring for ring in polygon.rings if len(ring) >= RING]
    holes = [hole for hole in polygon.holes if len(hole) >= RING]
    if not parts:
        return []
    if len(parts) == 1 and not holes:
        return [*parts[0]]
    is_clockwise = _is_clockwise(parts[0])
    turned = [_turned(ring, is_clockwise=is_clockwise) for ring in parts]
    turned += [_turned(hole, is_clockwise=not is_clockwise) for hole in holes]
    return [*chain.from_iterable(_joined(turned, _bridges(turned)))]


@dataclass(slots=True)
class _Walk:
    """A way along one ring, while a bridge is taken."""

    ring: int
    entry: int
    """The corner at which it begins, and at which it ends."""
    passed: int = 0
    """How many corners have been left behind."""


type Points = list[tuple[float, float]]


def _is_clockwise(ring: Sequence[float]) -> bool:
    """Whether a ring goes clockwise on the screen."""
    xs, ys = ring[0::2], ring[1::2]
    x0, y0 = xs[0], ys[0]
    twice = 0.0
    for number, x in enumerate(xs):
        twice += (xs[number - 1] - x0) * (ys[number] - y0) - (x - x0) * (ys[number - 1] - y0)
    return twice > 0


def _turned(ring: Sequence[float], *, is_clockwise: bool) -> Points:
    points = [*zip(ring[0::2], ring[1::2], strict=True)]
    return points if _is_clockwise(ring) == is_clockwise else [points[0], *points[:0:-1]]


def _joined(rings: list[Points], bridges: list[Bridge]) -> Points:
    """Return all rings as one, which begins where the first one does."""
    branches: dict[tuple[int, int], list[Bridge]] = {}
    for bridge in reversed(bridges):
        branches.setdefault((bridge.to_ring, bridge.to_corner), []).append(bridge)
    found: Points = []
    stack = [_Walk(0, 0)]
    while stack:
        walk = stack[-1]
        points = rings[walk.ring]
        corner = (walk.entry + walk.passed) % len(points)
        if walk.passed == len(points):
            stack.pop()
            found += [points[corner]] if stack else []  # the first ring is not closed, as no ring of ours is
            continue
        found.append(points[corner])
        waiting = branches.get((walk.ring, corner))
        if waiting:
            bridge = waiting.pop()
            stack.append(_Walk(bridge.ring, bridge.corner))
        else:
            walk.passed += 1
    return found


def _bridges(rings: list[Points]) -> list[Bridge]:
    """Return a bridge to each ring but the first: always the shortest one from what is connected already."""
    if len(rings) > MOST_POINTS:
        return [Bridge(number, 0, number - 1, 0) for number in range(1, len(rings))]
    import numpy as np  # noqa: PLC0415  # heavy, and most polygons are of one part

    step = ceil(sum(map(len, rings)) / MOST_POINTS)
    thinned = [ring[::step] for ring in rings]
    owners = np.repeat(np.arange(len(rings)), [*map(len, thinned)])
    corners = [corner for ring in rings for corner in range(0, len(ring), step)]
    numbers = np.fromiter(chain.from_iterable(chain.from_iterable(thinned)), np.float64).clip(-FURTHEST, FURTHEST)
    xs, ys = numbers[0::2].copy(), numbers[1::2].copy()
    # For each corner of a ring that is not yet connected the nearest one of those that are.
    lengths, nearests = np.full(len(xs), np.inf), np.zeros(len(xs), np.int64)
    is_open = np.ones(len(xs), np.bool_)
    found: list[Bridge] = []
    ring = 0
    while True:
        news = np.flatnonzero(owners == ring)
        is_open[news] = False
        if len(found) == len(rings) - 1:
            return found
        squares = (xs[:, np.newaxis] - xs[news]) ** 2 + (ys[:, np.newaxis] - ys[news]) ** 2
        least = squares.min(axis=1)
        is_nearer = least < lengths
        lengths = np.where(is_nearer, least, lengths)
        nearests = np.where(is_nearer, news[squares.argmin(axis=1)], nearests)
        here = int(np.where(is_open, lengths, np.inf).argmin())
        there = int(nearests[here])
        ring = int(owners[here])
        found.append(Bridge(ring, corners[here], int(owners[there]), corners[there]))

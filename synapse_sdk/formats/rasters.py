"""The pixels of polygons. Importing this loads numpy."""

from collections.abc import Sequence
from itertools import chain

import numpy as np
import numpy.typing as npt

from synapse_sdk.formats.model import Polygon
from synapse_sdk.formats.run_lengths import Integers, Runs, joined

__all__ = ["runs_of_polygon"]

type Floats = npt.NDArray[np.float64]

MOST_CROSSINGS = 2**23
"""Of the outline of one polygon with lines through the centres of the rows."""
FURTHEST = 1e100
"""Coordinates are brought nearer than this, so that none of what is calculated from them is infinite."""


def runs_of_polygon(polygon: Polygon, width: int, height: int) -> Runs:
    """Return the pixels of a polygon as runs along the rows, see `synapse_sdk.formats.masks.mask_of_polygon`.

    Raises:
        ValueError: A coordinate is no finite number, or the outline is too long.
    """
    rings = [*polygon.rings, *polygon.holes]
    owners, places = _crossings(rings, width, height)
    # Lines through the centres of rows enter and leave each ring in turn.
    order = np.lexsort((places, owners))
    weights = np.where(owners[order] < len(polygon.rings), 1, -1)
    weights[1::2] *= -1
    return _covered(places[order], weights)


def _covered(places: Integers, weights: Integers) -> Runs:
    """Return the runs where the sum of all weights so far is above zero."""
    order = np.argsort(places, kind="stable")
    places, depths = places[order], np.cumsum(weights[order])
    is_last = np.ones(len(places), np.bool_)
    is_last[:-1] = places[1:] != places[:-1]
    places, is_inside = places[is_last], depths[is_last] > 0
    is_edge = is_inside.copy()
    is_edge[1:] ^= is_inside[:-1]
    edges = places[is_edge]
    return joined(edges[0::2], edges[1::2])


def _crossings(rings: Sequence[Sequence[float]], width: int, height: int) -> tuple[Integers, Integers]:
    """Return where the lines through the centres of rows cross rings: the numbers of the rings and of the pixels.

    The pixel is the first one whose centre is not left of the crossing; at the end of a row that is the first one of
    the next.
    """
    owners, upper, lower = _edges(rings)
    firsts = np.ceil(upper[:, 1] - 0.5).clip(0, height).astype(np.int64)
    counts = np.ceil(lower[:, 1] - 0.5).clip(0, height).astype(np.int64) - firsts
    total = int(counts.sum())
    if total > MOST_CROSSINGS:
        msg = f"the outline of the polygon is too long: it crosses {total} rows, more than {MOST_CROSSINGS}"
        raise ValueError(msg)
    edges = np.repeat(np.arange(len(counts)), counts)
    rows = np.arange(total) - np.repeat(np.cumsum(counts) - counts - firsts, counts)
    starts, spans = upper[edges], (lower - upper)[edges]
    xs = starts[:, 0] + (rows + 0.5 - starts[:, 1]) / spans[:, 1] * spans[:, 0]
    return owners[edges], rows * width + np.ceil(xs - 0.5).clip(0, width).astype(np.int64)


def _edges(rings: Sequence[Sequence[float]]) -> tuple[Integers, Floats, Floats]:
    """Return the edges of rings: the number of the ring, and the upper and the lower end.

    In this way an edge that two areas share is calculated alike for both.
    """
    if any(len(ring) % 2 for ring in rings):
        msg = "a ring of the polygon has an x without its y"
        raise ValueError(msg)
    points = np.fromiter(chain.from_iterable(rings), np.float64).reshape(-1, 2)
    if not np.isfinite(points).all():
        msg = "a coordinate of the polygon is no finite number"
        raise ValueError(msg)
    points = points.clip(-FURTHEST, FURTHEST)
    sizes = np.fromiter((len(ring) // 2 for ring in rings), np.int64)
    ends = np.cumsum(sizes)
    afters = np.arange(1, len(points) + 1)
    is_solid = sizes > 0
    afters[ends[is_solid] - 1] = (ends - sizes)[is_solid]
    others = points[afters]
    is_up = (points[:, 1] > others[:, 1])[:, np.newaxis]
    return np.repeat(np.arange(len(sizes)), sizes), np.where(is_up, others, points), np.where(is_up, points, others)

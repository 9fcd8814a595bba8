"""The outlines of pixels, exactly along their edges. Importing this loads numpy.

The edges between an object and what is around it are found by numpy, as straight segments that have the object on their
right. Segments along rows and along columns follow one another in turn; only they are looked at one by one.
"""

from typing import NamedTuple

import numpy as np

from synapse_sdk.formats.model import Polygon
from synapse_sdk.formats.run_lengths import Integers, Pixels, transposed

__all__ = ["outlines_of_pixels"]


class Segments(NamedTuple):
    """Straight edges between lines of pixels, in order of their lines, and along these."""

    lines: Integers
    """The line of pixels behind each edge."""
    begins: Integers
    """Where it begins when it is followed with the object on the right."""
    ends: Integers
    is_ascending: Pixels
    """Whether it is followed from low to high numbers."""


def outlines_of_pixels(pixels: Pixels, left: int, top: int) -> Polygon:
    """Return the outlines of pixels, see `synapse_sdk.formats.masks.polygon_of_mask`.

    Args:
        pixels: Rows of them, true where the object is.
        left: How many columns of the image come before.
        top: How many rows come before.
    """
    framed = np.zeros((pixels.shape[0] + 2, pixels.shape[1] + 2), np.bool_)
    framed[1:-1, 1:-1] = pixels
    # The object is below a segment that goes to the right, but to the left of one that goes down.
    across = _segments(framed, is_behind=True)
    down = _segments(transposed(framed), is_behind=False)
    corner = framed.shape[1]
    ways_down = _Ways(down.begins * corner + down.lines, down.is_ascending)
    ways_across = _Ways(across.lines * corner + across.begins, across.is_ascending)
    # At corners where four edges meet it is the turn to the right that stays with the same pixel.
    downs = ways_down.after(across.lines * corner + across.ends, across.is_ascending)
    acrosses = ways_across.after(down.ends * corner + down.lines, ~down.is_ascending)
    return _rings(across, acrosses[downs], left, top)


def _segments(framed: Pixels, *, is_behind: bool) -> Segments:
    """Return the edges between lines; lines on the outside have no pixels of the object.

    Args:
        framed: Lines of pixels, with an empty frame.
        is_behind: Whether ascending segments have the object in the line behind the edge.
    """
    kinds = framed[1:].view(np.int8) - framed[:-1].view(np.int8)
    flat = kinds.ravel()
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    kinds = flat[changes]
    firsts = np.flatnonzero(kinds)
    lines, lows = np.divmod(changes[firsts], framed.shape[1])
    highs = lows + changes[firsts + 1] - changes[firsts]
    is_ascending = (kinds[firsts] > 0) == is_behind
    return Segments(lines + 1, np.where(is_ascending, lows, highs), np.where(is_ascending, highs, lows), is_ascending)


class _Ways:
    """The segments that begin at corners.

    Args:
        corners: The number of the corner at which each segment begins.
        is_ascending: Which way each goes.
    """

    def __init__(self, corners: Integers, is_ascending: Pixels) -> None:
        keys = corners * 2 + is_ascending
        self._order = np.argsort(keys, kind="stable")
        self._keys = keys[self._order]

    def after(self, corners: Integers, is_ascending: Pixels) -> Integers:
        """Return the segment that begins at each corner, if there are two the one that goes the way that is wanted."""
        wanted = corners * 2 + is_ascending
        found = np.searchsorted(self._keys, wanted)
        found[found == len(self._keys)] = 0
        is_missing = self._keys[found] != wanted
        found[is_missing] = np.searchsorted(self._keys, wanted[is_missing] ^ 1)
        return self._order[found]


def _rings(across: Segments, nexts: Integers, left: int, top: int) -> Polygon:
    """Return the outlines, from the segments along rows and which of them follows which."""
    following = nexts.tolist()
    order: list[int] = []
    sizes: list[int] = []
    is_seen = bytearray(len(following))
    for first in range(len(following)):
        if is_seen[first]:
            continue
        before, each = len(order), first
        while not is_seen[each]:
            is_seen[each] = True
            order.append(each)
            each = following[each]
        sizes.append(4 * (len(order) - before))
    points = np.empty((len(order), 4))
    points[:, 0] = across.begins[order] + (left - 1)
    points[:, 2] = across.ends[order] + (left - 1)
    points[:, 1] = points[:, 3] = across.lines[order] + (top - 1)
    values, at = points.ravel().tolist(), 0
    rings: tuple[list[list[float]], list[list[float]]] = ([], [])
    for size in sizes:
        # The highest edge of a part has the part below it, that of a hole has it above.
        rings[values[at] > values[at + 2]].append(values[at : at + size])
        at += size
    return Polygon(*rings)

"""Masks: made from what formats have, and turned into what they need.

A `Mask` holds COCO's compressed run lengths: column by column, first the length of a run of background. The functions
here never go through the pixels of an image, nor hold more of them than the rows and columns of the object, so that a
small object in a large image costs little. What a mask says is checked whenever it is read: one that is damaged raises
ValueError.

Importing this loads numpy: import it where it is needed.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from synapse_sdk.formats.model import Box, Mask, Polygon
from synapse_sdk.formats.outlines import outlines_of_pixels
from synapse_sdk.formats.rasters import runs_of_polygon
from synapse_sdk.formats.run_lengths import (
    Integers,
    Pixels,
    Runs,
    check_area,
    check_counts,
    counts_of_runs,
    joined,
    pixels_of_runs,
    read_counts,
    runs_of_counts,
    runs_of_pixels,
    transposed,
    turned,
    write_counts,
)

__all__ = [
    "array_of_mask",
    "counts_of_mask",
    "is_valid_counts",
    "mask_area",
    "mask_bounds",
    "mask_of_array",
    "mask_of_counts",
    "mask_of_indices",
    "mask_of_part",
    "mask_of_polygon",
    "mask_of_runs",
    "mask_within",
    "part_of_mask",
    "polygon_of_mask",
    "runs_of_mask",
]

MOST_AREA = 2**31 - 1
"""Pixels of an image: what other readers of run lengths can count."""


def is_valid_counts(text: bytes, width: int, height: int) -> bool:
    """Whether COCO's compressed counts are what a mask of this size may have.

    Takes time and memory in proportion to the text.

    Example:
        >>> is_valid_counts(b"12", 3, 1), is_valid_counts(b"12", 4, 1), is_valid_counts(b"12P", 3, 1)
        (True, False, False)
    """
    try:
        read_counts(text, _area(width, height))
    except ValueError:
        return False
    return True


def mask_of_counts(counts: Sequence[int], width: int, height: int) -> Mask:
    """Return the mask with COCO's uncompressed counts: lengths of runs along the columns, first of background.

    Example:
        >>> mask_of_counts([1, 2], 3, 1)
        Mask(width=3, height=1, counts=b'12')

    Raises:
        ValueError: They are no whole numbers, below zero, or not for a mask of this size.
    """
    found = _integers(counts, 1)
    check_counts(found, _area(width, height))
    return Mask(width, height, write_counts(found))


def counts_of_mask(mask: Mask) -> list[int]:
    """Return COCO's uncompressed counts of a mask; the reverse of `mask_of_counts`."""
    counts: list[int] = _counts(mask).tolist()
    return counts


def mask_of_array(array: npt.ArrayLike) -> Mask:
    """Return the mask of the pixels that are not 0 in an array of rows.

    Example:
        >>> mask_of_array([[0, 1, 1]])
        Mask(width=3, height=1, counts=b'12')

    Raises:
        ValueError: It has not two dimensions, or no pixels.
    """
    pixels = np.asarray(array, np.bool_)
    if pixels.ndim != 2:  # noqa: PLR2004  # rows and columns
        msg = f"a mask is an array of two dimensions, not {pixels.ndim}"
        raise ValueError(msg)
    return mask_of_part(pixels, pixels.shape[1], pixels.shape[0], 0, 0)


def array_of_mask(mask: Mask) -> Pixels:
    """Return the pixels of a mask: an array of rows, true where the object is.

    Raises:
        ValueError: The mask is damaged, or too large to be held in memory.
    """
    check_area(_area(mask.width, mask.height))
    found = np.zeros((mask.height, mask.width), np.bool_)
    if (part := part_of_mask(mask)) is not None:
        pixels, left, top = part
        found[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
    return found


def mask_of_part(pixels: Pixels, width: int, height: int, left: int, top: int) -> Mask:
    """Return the mask with these pixels in a part of the image; the reverse of `part_of_mask`.

    Args:
        pixels: An array of rows, not 0 where the object is.
        width: Of the image.
        height: Likewise.
        left: Columns of the image that come before the part.
        top: Rows likewise.

    Raises:
        ValueError: The image has no pixels, or too many.
    """
    rows, columns = np.flatnonzero(pixels.any(axis=1)), np.flatnonzero(pixels.any(axis=0))
    if not len(rows):
        return mask_of_counts([_area(width, height)], width, height)
    first_row, first_column = int(rows[0]), int(columns[0])
    part = pixels[first_row : int(rows[-1]) + 1, first_column : int(columns[-1]) + 1]
    runs = runs_of_pixels(transposed(part), height, left + first_column, top + first_row)
    return _mask_of_columns(runs, width, height)


def part_of_mask(mask: Mask) -> tuple[Pixels, int, int] | None:
    """Return the pixels of a mask without the rows and columns around the object; None if it has no pixels.

    Returns:
        An array of rows, true where the object is, and how many columns and rows of the image come before it.

    Raises:
        ValueError: The mask is damaged, or too large to be held in memory.
    """
    runs = _runs(mask)
    if not len(runs.starts):
        return None
    pixels, left, top = pixels_of_runs(runs, mask.height)
    return transposed(pixels), left, top


def mask_of_indices(indices: Sequence[int], width: int, height: int) -> Mask:
    """Return the mask of pixels that are numbered row by row, as DM has them.

    Example:
        >>> mask_of_indices([1, 2], 3, 1)
        Mask(width=3, height=1, counts=b'12')

    Raises:
        ValueError: One is no whole number, or outside of the image.
    """
    found = _integers(indices, 1)
    area = _area(width, height)
    wrong = np.flatnonzero((found < 0) | (found >= area))
    if len(wrong):
        msg = f"pixel {found[wrong[0]]} is outside of {width} x {height} pixels, which are 0 to {area - 1}"
        raise ValueError(msg)
    if not (found[1:] > found[:-1]).all():
        found = np.unique(found)
    return _mask_of_rows(joined(found, found + 1), width, height)


def mask_of_runs(runs: Sequence[Sequence[int]], width: int, height: int) -> Mask:
    """Return the mask of runs along the rows: the number of the first pixel and the length, as DM has them.

    Example:
        >>> mask_of_runs([[1, 2]], 3, 1)
        Mask(width=3, height=1, counts=b'12')

    Raises:
        ValueError: One is no pair of whole numbers, empty, outside of the image, or over another one.
    """
    found = _integers(runs, 2)
    area = _area(width, height)
    starts, lengths = found[:, 0], found[:, 1]
    wrong = np.flatnonzero((starts < 0) | (starts >= area) | (lengths < 1) | (lengths > area - starts))
    if len(wrong):
        msg = f"run {found[wrong[0]].tolist()} is not inside of {width} x {height} pixels, which are 0 to {area - 1}"
        raise ValueError(msg)
    if not (starts[1:] > starts[:-1]).all():
        found = found[np.argsort(starts, kind="stable")]
        starts, lengths = found[:, 0], found[:, 1]
    ends = starts + lengths
    wrong = np.flatnonzero(ends[:-1] > starts[1:])
    if len(wrong):
        msg = f"runs {found[wrong[0]].tolist()} and {found[wrong[0] + 1].tolist()} overlap"
        raise ValueError(msg)
    return _mask_of_rows(joined(starts, ends), width, height)


def runs_of_mask(mask: Mask) -> list[list[int]]:
    """Return the runs of a mask along the rows; the reverse of `mask_of_runs`."""
    starts, ends = turned(_runs(mask), mask.height, mask.width)
    runs: list[list[int]] = np.stack((starts, ends - starts), axis=1).tolist()
    return runs


def mask_of_polygon(polygon: Polygon, width: int, height: int) -> Mask:
    """Return the pixels of a polygon: those whose centre is inside.

    Inside a ring is what a line from outside reaches by crossing it an odd number of times. A pixel belongs to the
    polygon if its centre is inside more rings than holes: holes are cut out, a part may lie in a hole of another, and
    parts that overlap are one. Of centres on an edge itself those on left and upper edges are inside, so that areas
    which share an edge share no pixel. What is outside of the image is cut off.

    Raises:
        ValueError: A coordinate is no finite number, or the outline is too long.
    """
    _area(width, height)
    return _mask_of_rows(runs_of_polygon(polygon, width, height), width, height)


def polygon_of_mask(mask: Mask) -> Polygon:
    """Return the outlines of a mask, exactly along the edges of its pixels, with holes.

    Pixels that touch at a corner only are separate parts; background is connected by corners. Rings go clockwise on the
    screen from their upper left corner, holes the other way round, both in the order of their first rows; they have
    corners only where they turn. `mask_of_polygon` makes the same mask of them again.
    """
    part = part_of_mask(mask)
    return Polygon([], []) if part is None else outlines_of_pixels(*part)


def mask_area(mask: Mask) -> int:
    """Return how many pixels a mask has."""
    return int(_counts(mask)[1::2].sum())


def mask_bounds(mask: Mask) -> Box | None:
    """Return the upright box around the pixels of a mask; None if it has none."""
    starts, ends = _runs(mask)
    if not len(starts):
        return None
    height = mask.height
    left, right = int(starts[0]) // height, (int(ends[-1]) - 1) // height + 1
    top, bottom = 0, height
    if (starts // height == (ends - 1) // height).all():
        top, bottom = int((starts % height).min()), int(((ends - 1) % height).max()) + 1
    return Box(float(left), float(top), float(right - left), float(bottom - top))


def mask_within(mask: Mask, width: int, height: int) -> Mask:
    """Return a mask for an image of another size: what is outside of that is cut off."""
    part = part_of_mask(mask)
    if part is None:
        return mask_of_counts([_area(width, height)], width, height)
    pixels, left, top = part
    inside = pixels[: max(0, height - top), : max(0, width - left)]
    return mask_of_part(inside, width, height, left, top)


def _area(width: int, height: int) -> int:
    area = width * height
    if width < 1 or height < 1 or area > MOST_AREA:
        msg = f"a mask has no {width} x {height} pixels; both are at least 1, and together at most {MOST_AREA}"
        raise ValueError(msg)
    return area


def _integers(values: Sequence[int] | Sequence[Sequence[int]], dimensions: int) -> Integers:
    try:
        found = np.asarray(values)
    except (ValueError, OverflowError) as error:
        msg = f"a mask is made of whole numbers: {error}"
        raise ValueError(msg) from error
    if not found.size:
        return np.empty((0, 2)[:dimensions], np.int64)
    is_pairs = dimensions == 1 or found.shape[1:] == (2,)
    if found.ndim != dimensions or not is_pairs or not np.can_cast(found.dtype, np.int64) or found.dtype == np.bool_:
        what = "whole numbers" if dimensions == 1 else "pairs of whole numbers"
        msg = f"a mask is made of {what} of at most 63 bits"
        raise ValueError(msg)
    return found.astype(np.int64, copy=False)


def _counts(mask: Mask) -> Integers:
    return read_counts(mask.counts, _area(mask.width, mask.height))


def _runs(mask: Mask) -> Runs:
    return runs_of_counts(_counts(mask))


def _mask_of_columns(runs: Runs, width: int, height: int) -> Mask:
    return Mask(width, height, write_counts(counts_of_runs(runs, _area(width, height))))


def _mask_of_rows(runs: Runs, width: int, height: int) -> Mask:
    return _mask_of_columns(turned(runs, width, height), width, height)

"""Outlines, masks and joints of COCO records, as every format has them. What makes no sense is a ValueError."""

from typing import TypeGuard

from synapse_sdk.formats.coco.records import Rle
from synapse_sdk.formats.coco.rle import are_valid_runs, compressed, is_valid_counts
from synapse_sdk.formats.geometry import corners
from synapse_sdk.formats.model import Keypoints, Mask, Polygon, RotatedBox

__all__ = ["are_rings", "as_rotated_box", "joints_of", "mask_of", "places_of_unlabelled"]

RING = 6
"""Numbers of the smallest ring: three points."""
SLACK = 1e-2
"""Pixels that the corners of a rotated box may be off."""
VISIBILITIES = {0, 1, 2}


def are_rings(outline: list[list[float]] | Rle) -> TypeGuard[list[list[float]]]:
    """Whether an outline is rings that all have at least three points, and two numbers for each."""
    if type(outline) is not list:
        return False
    for ring in outline:  # noqa: SIM110  # half the time of all(), and done for every annotation
        if len(ring) < RING or len(ring) & 1:
            return False
    return True


def as_rotated_box(polygon: Polygon, numbers: tuple[float, float, float, float, float]) -> RotatedBox | Polygon:
    """Return the rotated box that a polygon was made from, unless somebody has changed the polygon since."""
    rotated = RotatedBox(*numbers)
    ring, points = polygon.rings[0], corners(rotated)
    is_same = len(polygon.rings) == 1 and len(ring) == len(points)
    return rotated if is_same and all(abs(a - b) <= SLACK for a, b in zip(ring, points, strict=True)) else polygon


def mask_of(rle: Rle, width: int, height: int) -> Mask:
    """Return a mask, whose run lengths may be believed from here on.

    Args:
        rle: As the file has it.
        width: Of the image; 0 if that is not known.
        height: Likewise.

    Raises:
        ValueError: It is not of the size of the image, or its run lengths do not add up to that.
    """
    rows, columns = rle.size
    if width and height and (columns, rows) != (width, height):
        msg = f"a mask of {columns} x {rows} in an image of {width} x {height}"
        raise ValueError(msg)
    counts = rle.counts
    if isinstance(counts, str):
        text = counts.encode()
        is_sound = is_valid_counts(text, columns, rows)
    else:
        is_sound = are_valid_runs(counts, columns, rows)
        text = compressed(counts) if is_sound else b""
    if not is_sound:
        msg = f"its run lengths are not those of {columns} x {rows} pixels"
        raise ValueError(msg)
    return Mask(columns, rows, text)


def joints_of(points: list[float], count: int | None) -> tuple[Keypoints, int]:
    """Return the joints of an object, and how many of them are labelled.

    Args:
        points: Triples, as the file has them.
        count: How many joints its class has; None if that is not known.

    Raises:
        ValueError: They are no triples, not as many as they should be, or of an unknown visibility.
    """
    if len(points) % 3 or (count and len(points) != 3 * count):
        msg = f"{len(points)} numbers of keypoints" + (f" where there should be {3 * count}" if count else "")
        raise ValueError(msg)
    visibilities = points[2::3]
    if not VISIBILITIES.issuperset(visibilities):
        msg = "a keypoint whose visibility is not 0, 1 or 2"
        raise ValueError(msg)
    triples: list[float] = []
    for x, y, visibility in zip(points[0::3], points[1::3], visibilities, strict=True):
        triples += (x, y, int(visibility)) if visibility else (0.0, 0.0, 0)
    return Keypoints(triples), len(visibilities) - visibilities.count(0)


def places_of_unlabelled(points: list[float]) -> list[int]:
    """Return the numbers of the joints, from 0, that are not labelled, and all the same are somewhere.

    COCO says that x and y of a joint of visibility 0 are 0 (its "Data format", section 2).

    Args:
        points: Triples that `joints_of` has accepted, as the file has them.
    """
    return [at // 3 for at in range(0, len(points), 3) if not points[at + 2] and (points[at] or points[at + 1])]

"""Annotations as rows of outlines, and of rotated boxes."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from math import isfinite

from synapse_sdk.formats.bounds import EMPTY
from synapse_sdk.formats.geometry import corners, ring_area, rotated_box_of
from synapse_sdk.formats.losses import Outcome
from synapse_sdk.formats.model import Annotation, Box, Item, Mask, Polygon, RotatedBox, Tool
from synapse_sdk.formats.reasons import NOT_A_NUMBER
from synapse_sdk.formats.yolo.lines import LEAST, Lines
from synapse_sdk.formats.yolo.reasons import BRIDGED
from synapse_sdk.formats.yolo.tasks import Task

__all__ = ["ObbLines", "SegmentLines"]

SMALLEST_RING = 6
"""Numbers of three points."""
ROUNDING = 1e-6
"""Fraction of an image by which a corner may be over its edge because it comes from six decimals."""


class SegmentLines(Lines):
    """Rows of outlines."""

    task = Task.SEGMENT
    tools = (Tool.POLYGON,)

    def _drawn(self, index: int, item: Item, annotation: Annotation) -> bytes | None:
        polygon = self._polygon(item, annotation)
        if polygon is None:
            return None
        ring = polygon.rings[0] if len(polygon.rings) == 1 and not polygon.holes else None
        if ring is None or not _is_good(ring, item):
            ring = self._fitted(item, annotation, polygon)
            if ring is None:
                return None
        return _row(index, item, ring)

    def _polygon(self, item: Item, annotation: Annotation) -> Polygon | None:
        """Return what an object covers: as its shape says, else its box; None if nothing does."""
        polygon, shape = None, annotation.shape
        match shape:
            case Polygon():
                polygon = shape
            case RotatedBox():
                polygon = Polygon((_snapped(corners(shape), item),))
            case Mask():
                from synapse_sdk.formats.masks import polygon_of_mask  # noqa: PLC0415  # loads numpy

                polygon = polygon_of_mask(shape)
        if polygon is not None and any(map(_covers, polygon.rings)):
            if annotation.keypoints is not None:
                self._lose(annotation, Tool.BOX, Tool.POLYGON, Tool.ROTATED_BOX, Tool.MASK)
            return polygon
        if polygon is not None and annotation.box is None:
            self._tell_nothing(item, annotation, polygon)
            return None
        box = self._solid_box(item, annotation, self._box(item, annotation))
        if box is None:
            return None
        self._lose(annotation)
        return Polygon((_box_corners(box),))

    def _tell_nothing(self, item: Item, annotation: Annotation, polygon: Polygon) -> None:
        """Report a polygon that covers nothing."""
        reason = EMPTY if _is_finite(polygon) else NOT_A_NUMBER
        self._tell(Outcome.DROPPED, reason, item, annotation, "its outline covers nothing")

    def _fitted(self, item: Item, annotation: Annotation, polygon: Polygon) -> Sequence[float] | None:
        """Return one ring for all parts of a polygon, inside of the image; None if there is none."""
        if not _is_finite(polygon):
            self._tell(Outcome.DROPPED, NOT_A_NUMBER, item, annotation)
            return None
        alone = Annotation(id=annotation.id, label=annotation.label, shape=polygon)
        fitted = self._fitter.fit(item, alone)
        if fitted is None or not isinstance(fitted.shape, Polygon):
            return None
        polygon = fitted.shape
        ring = polygon.rings[0]
        if len(polygon.rings) > 1 or polygon.holes:
            from synapse_sdk.formats.bridging import bridged  # noqa: PLC0415  # most polygons are of one part

            ring = bridged(polygon)
            words = f"{len(polygon.rings)} parts, {len(polygon.holes)} holes"
            self._tell(Outcome.NOTED, BRIDGED, item, annotation, words)
        if not _is_good(ring, item):
            self._tell(Outcome.DROPPED, EMPTY, item, annotation, "its outline covers nothing")
            return None
        return ring


class ObbLines(Lines):
    """Rows of rotated boxes."""

    task = Task.OBB
    tools = (Tool.ROTATED_BOX,)

    def _drawn(self, index: int, item: Item, annotation: Annotation) -> bytes | None:
        rotated = self._rotated(item, annotation)
        if rotated is None:
            return None
        least = LEAST * min(item.width, item.height)
        if not isfinite(sum(corners(rotated))):
            self._tell(Outcome.DROPPED, NOT_A_NUMBER, item, annotation)
            return None
        if rotated.width <= least or rotated.height <= least:
            words = f"rotated box of {rotated.width:g} x {rotated.height:g}"
            self._tell(Outcome.DROPPED, EMPTY, item, annotation, words)
            return None
        ring = _snapped(corners(rotated), item)
        if not _is_inside(ring, item):
            alone = Annotation(id=annotation.id, label=annotation.label, shape=rotated)
            fitted = self._fitter.fit(item, alone)
            if fitted is None or not isinstance(fitted.shape, Polygon):
                return None
            # What the image has of a rotated box is no rectangle; the one around that may reach over the edge again.
            ring = _clamped(corners(rotated_box_of(fitted.shape.rings[0])), item)
        return _row(index, item, ring)

    def _rotated(self, item: Item, annotation: Annotation) -> RotatedBox | None:
        """Return the rotated box of an object: its own, the one around its outline, or its upright box."""
        shape = annotation.shape
        if isinstance(shape, Mask):
            from synapse_sdk.formats.masks import polygon_of_mask  # noqa: PLC0415  # loads numpy

            shape = polygon_of_mask(shape)
        rotated = None
        if isinstance(shape, RotatedBox):
            rotated = shape
        elif isinstance(shape, Polygon) and any(shape.rings):
            rotated = rotated_box_of([*chain.from_iterable(shape.rings)])
        else:
            box = self._solid_box(item, annotation, self._box(item, annotation))
            if box is not None:
                center_x, center_y = box.x + box.width / 2, box.y + box.height / 2
                rotated = RotatedBox(center_x, center_y, box.width, box.height, 0.0)
        if rotated is not None:
            self._lose(annotation, Tool.BOX, Tool.ROTATED_BOX)
        return rotated


def _row(index: int, item: Item, ring: Sequence[float]) -> bytes:
    width, height = item.width, item.height
    values = [0.0] * len(ring)
    values[0::2] = [x / width for x in ring[0::2]]
    values[1::2] = [y / height for y in ring[1::2]]
    return _form(len(ring)) % (index, *values)


@lru_cache(maxsize=1024)
def _form(numbers: int) -> bytes:
    return b"%d" + b" %.6f" * numbers + b"\n"


def _is_finite(polygon: Polygon) -> bool:
    return isfinite(sum(map(sum, (*polygon.rings, *polygon.holes))))


def _covers(ring: Sequence[float]) -> bool:
    return len(ring) >= SMALLEST_RING and ring_area(ring) > 0


def _is_inside(ring: Sequence[float], item: Item) -> bool:
    xs, ys = ring[0::2], ring[1::2]
    return min(xs) >= 0.0 and min(ys) >= 0.0 and max(xs) <= item.width and max(ys) <= item.height


def _is_good(ring: Sequence[float], item: Item) -> bool:
    """Whether a ring can be written as it is: inside of the image, and not too small for six decimals."""
    if len(ring) < SMALLEST_RING:
        return False
    xs, ys = ring[0::2], ring[1::2]
    left, top, right, bottom = min(xs), min(ys), max(xs), max(ys)
    return (
        left >= 0.0
        and top >= 0.0
        and right <= item.width
        and bottom <= item.height
        and right - left > LEAST * item.width
        and bottom - top > LEAST * item.height
    )


def _box_corners(box: Box) -> list[float]:
    right, bottom = box.x + box.width, box.y + box.height
    return [box.x, box.y, right, box.y, right, bottom, box.x, bottom]


def _snapped(ring: list[float], item: Item) -> list[float]:
    """Return points without what rounding pushed over the edge."""
    clamped = _clamped(ring, item)
    slack = ROUNDING * max(item.width, item.height)
    is_near = all(abs(one - other) <= slack for one, other in zip(ring, clamped, strict=True))
    return clamped if is_near else ring


def _clamped(ring: Sequence[float], item: Item) -> list[float]:
    limits = (item.width, item.height)
    return [min(max(value, 0.0), limits[at % 2]) for at, value in enumerate(ring)]

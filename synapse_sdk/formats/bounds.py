"""Annotations that reach over the edge of their image, or have no extent: for formats that cannot have either."""

from msgspec.structs import replace

from synapse_sdk.errors import InvalidDatasetError
from synapse_sdk.formats.base import BoundsPolicy
from synapse_sdk.formats.clipping import clip_box, clip_line, clip_ring
from synapse_sdk.formats.geometry import bounds, bounds_of_points, corners, has_area
from synapse_sdk.formats.losses import LossLog, Outcome, Reason
from synapse_sdk.formats.model import (
    Annotation,
    Box,
    Item,
    Keypoints,
    Mask,
    Polygon,
    Polyline,
    Relation,
    RotatedBox,
    Shape,
    Verbatim,
)

__all__ = ["CLIPPED", "EMPTY", "NOT_IN_IMAGE", "OUTSIDE", "Fitter"]

CLIPPED = Reason("CLIPPED", "reached over the edge of the image, and was cut there", "Mend it, or use bounds=keep")
EMPTY = Reason("EMPTY", "has no width or no height", "Draw it anew, or remove it")
NOT_IN_IMAGE = Reason("NOT_IN_IMAGE", "is wholly outside of the image", "Mend it, or remove it")
OUTSIDE = Reason("OUTSIDE", "reaches over the edge of the image", "Mend it, or use bounds=clip")
ROUNDING = 1e-3
"""Pixels over the edge that come from rounding: cut off without a word."""


class Fitter:
    """Makes annotations fit into their image.

    Args:
        policy: What to do about those that do not fit.
        losses: Takes down what was cut or dropped.
    """

    def __init__(self, policy: BoundsPolicy, losses: LossLog) -> None:
        self._policy, self._losses = policy, losses

    def fit(self, item: Item, annotation: Annotation) -> Annotation | None:
        """Return an annotation as it may be written; None if it may not be, which the log says.

        What has no extent is taken out of it, such as parts of a polygon without area. An object that has a box still
        has one afterwards: one around its shape or joints if its own is nothing, or outside of the image.

        Args:
            item: Its item, which must have been measured.
            annotation: The annotation.

        Raises:
            InvalidDatasetError: It reaches over the edge, and the policy is `error`.
        """
        box = annotation.box
        says_no_more = annotation.shape is None and annotation.keypoints is None
        if box is not None and says_no_more and _is_inside(box, item.width, item.height):
            return annotation  # as nearly all are
        solid = self._solid(item, annotation)
        if solid is None or self._policy is BoundsPolicy.KEEP:
            return solid
        over = _over_edge(solid, item.width, item.height)
        if over <= 0.0:
            return solid
        if over > ROUNDING and self._policy is not BoundsPolicy.CLIP:
            self._tell_over(item, annotation, over)
            return None
        cut = _cut(solid, item.width, item.height)
        if cut is None:
            words = f"nothing of it is inside of {item.width} x {item.height}"
            self._tell(Outcome.DROPPED, NOT_IN_IMAGE, item, annotation, words)
        elif over > ROUNDING:
            self._tell_over(item, annotation, over)
        return cut

    def _solid(self, item: Item, annotation: Annotation) -> Annotation | None:
        """Return an annotation without what has no extent; None if it has nothing else."""
        box, shape = annotation.box, annotation.shape
        faults = []
        if type(shape) is RotatedBox and not (shape.width > 0 and shape.height > 0):
            faults.append(f"rotated box of {shape.width:g} x {shape.height:g}")
            shape = None
        if type(shape) is Polygon and not (shape.rings and all(map(has_area, shape.rings))):
            faults.append("polygon, or a part of it, without area")
            shape = _without_flat_parts(shape)
        if box is not None and not _is_solid(box):
            faults.append(f"box {box.x:g}, {box.y:g}, {box.width:g}, {box.height:g}")
        if not faults:
            return annotation
        solid = _whole(annotation, box, shape, annotation.keypoints)
        outcome = Outcome.DROPPED if solid is None else Outcome.CHANGED
        self._tell(outcome, EMPTY, item, annotation, " and ".join(faults))
        return solid

    def _tell_over(self, item: Item, annotation: Annotation, over: float) -> None:
        words = f"{over:g} px over the edge of {item.width} x {item.height}"
        if self._policy is BoundsPolicy.ERROR:
            msg = f"Annotation {annotation.id!r} of {item.name!r} is {words}"
            raise InvalidDatasetError(msg, fix="Mend it, or choose another way with --bounds", item=item.name)
        is_cut = self._policy is BoundsPolicy.CLIP
        outcome, reason = (Outcome.CHANGED, CLIPPED) if is_cut else (Outcome.DROPPED, OUTSIDE)
        self._tell(outcome, reason, item, annotation, words)

    def _tell(self, outcome: Outcome, reason: Reason, item: Item, annotation: Annotation, words: str) -> None:
        self._losses.of_annotation(
            outcome, reason, item=item.name, split=item.split, annotation=annotation.id, words=words
        )


def _without_flat_parts(polygon: Polygon) -> Polygon | None:
    rings = [ring for ring in polygon.rings if has_area(ring)]
    return Polygon(rings, [hole for hole in polygon.holes if has_area(hole)]) if rings else None


def _is_solid(box: Box | None) -> bool:
    return box is not None and box.width > 0 and box.height > 0


def _whole(
    annotation: Annotation, box: Box | None, shape: Shape | None, keypoints: Keypoints | None
) -> Annotation | None:
    """Return what is left of an annotation; None if it does not say where its object is any more."""
    whole = replace(annotation, box=box, shape=shape, keypoints=keypoints)
    if box is not None and not _is_solid(box):
        around = bounds(replace(whole, box=None))
        return replace(whole, box=around) if _is_solid(around) else None
    is_posed = keypoints is not None and any(keypoints.points[2::3])
    return whole if box is not None or shape is not None or is_posed else None


def _over_edge(annotation: Annotation, width: float, height: float) -> float:
    """Return by how many pixels an annotation reaches over the edge; 0 or less if it does not."""
    box, shape, keypoints = annotation.box, annotation.shape, annotation.keypoints
    over = 0.0 if box is None else _over(box, width, height)
    if shape is not None:
        over = max(over, _over_shape(shape, width, height))
    if keypoints is not None:
        over = max(over, _over_joints(keypoints, width, height))
    return over


def _is_inside(box: Box, width: float, height: float) -> bool:
    x, y = box.x, box.y
    return x >= 0 and y >= 0 and 0 < box.width <= width - x and 0 < box.height <= height - y


def _over(box: Box, width: float, height: float) -> float:
    return max(-box.x, -box.y, box.x + box.width - width, box.y + box.height - height)


def _over_shape(shape: Shape, width: float, height: float) -> float:
    around = None
    match shape:
        case Polygon(rings=rings):
            return max((_over(each, width, height) for each in map(bounds_of_points, rings) if each), default=0.0)
        case Polyline(points=points):
            around = bounds_of_points(points)
        case RotatedBox() as rotated:
            around = bounds_of_points(corners(rotated))
        case Mask() if (shape.width, shape.height) != (width, height):
            from synapse_sdk.formats.masks import mask_bounds  # noqa: PLC0415  # loads numpy

            around = mask_bounds(shape)
        case _:
            pass
    return 0.0 if around is None else _over(around, width, height)


def _over_joints(keypoints: Keypoints, width: float, height: float) -> float:
    points, over = keypoints.points, 0.0
    for at in range(0, len(points), 3):
        if points[at + 2]:
            over = max(over, -points[at], -points[at + 1], points[at] - width, points[at + 1] - height)
    return over


def _cut(annotation: Annotation, width: int, height: int) -> Annotation | None:
    """Return what of an annotation is in the image; None if nothing is."""
    box, shape, keypoints = annotation.box, annotation.shape, annotation.keypoints
    return _whole(
        annotation,
        None if box is None else clip_box(box, width, height),
        None if shape is None else _cut_shape(shape, width, height),
        None if keypoints is None else _cut_joints(keypoints, width, height),
    )


def _cut_shape(shape: Shape, width: int, height: int) -> Shape | None:
    match shape:
        case Polygon(rings=rings, holes=holes):
            inside = [part for ring in rings for part in clip_ring(ring, width, height)]
            return (
                Polygon(inside, [part for hole in holes for part in clip_ring(hole, width, height)]) if inside else None
            )
        case Polyline(points=points):
            line = clip_line(points, width, height)
            return Polyline(line) if line else None
        case RotatedBox() as rotated:
            # What is left is no rectangle in general.
            parts = clip_ring(corners(rotated), width, height)
            return Polygon(parts) if parts else None
        case Mask() if (shape.width, shape.height) != (width, height):
            from synapse_sdk.formats.masks import mask_bounds, mask_within  # noqa: PLC0415  # loads numpy

            mask = mask_within(shape, width, height)
            return None if mask_bounds(mask) is None else mask
        case Mask() | Relation() | Verbatim():
            return shape


def _cut_joints(keypoints: Keypoints, width: float, height: float) -> Keypoints:
    """Return keypoints without those outside: a joint that is not in the image is not labelled."""
    points: list[float] = []
    for at in range(0, len(keypoints.points), 3):
        x, y, visibility = keypoints.points[at : at + 3]
        if _over(Box(x, y, 0, 0), width, height) <= ROUNDING:
            points += [min(max(x, 0.0), width), min(max(y, 0.0), height), visibility]
        else:
            points += [0.0, 0.0, 0]
    return Keypoints(points, keypoints.names)

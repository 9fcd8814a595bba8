"""Annotations as COCO has them, and what of them it has no place for."""

from collections import Counter
from collections.abc import Mapping, Sequence
from math import isfinite

from msgspec import Struct
from msgspec.structs import replace

from synapse_sdk.formats.bounds import EMPTY, Fitter
from synapse_sdk.formats.coco.ids import Ids
from synapse_sdk.formats.coco.joints import JointOrder
from synapse_sdk.formats.coco.reasons import HOLES, JOINTS, MASK_SIZE
from synapse_sdk.formats.coco.records import Extension
from synapse_sdk.formats.coco.rle import area_of_counts
from synapse_sdk.formats.geometry import bounds, corners, ring_area
from synapse_sdk.formats.losses import LossLog, Outcome, Reason
from synapse_sdk.formats.model import Annotation, Box, Item, Mask, Polygon, RotatedBox, Tool, tools_of
from synapse_sdk.formats.reasons import INVALID_RECORD, LABEL_MISSING, NOT_A_NUMBER, SHAPE, UNKNOWN_CLASS
from synapse_sdk.types import JsonObject

__all__ = ["ObjectWriter", "WrittenObject", "without_negative_zeros"]

type Outline = Polygon | Mask | RotatedBox
"""A shape that can be written: a polygon without holes, and a rotated box as its corners."""


class WrittenMask(Struct, gc=False):
    """A mask, as it is written."""

    size: tuple[int, int]
    counts: str


class WrittenObject(Struct, gc=False, omit_defaults=True):
    """An annotation, as it is written."""

    id: int
    image_id: int
    category_id: int
    bbox: Sequence[float]
    area: float
    segmentation: Sequence[Sequence[float]] | WrittenMask
    iscrowd: int
    keypoints: list[float] | None = None
    num_keypoints: int | None = None
    attributes: JsonObject | None = None
    synapse: Extension | None = None


class ObjectWriter:
    """Makes the annotations of one file.

    Args:
        categories: The number of each class.
        joints: The order of joints.
        fitter: What sees to it that annotations are inside their images; None to leave them.
        losses: Takes down what cannot be written, or not as it is.
    """

    def __init__(
        self,
        categories: Mapping[str, int],
        joints: JointOrder,
        fitter: Fitter | None,
        losses: LossLog,
    ) -> None:
        self._categories, self._joints, self._fitter = categories, joints, fitter
        self._losses = losses
        self._boxes, self._polygons = [0] * (len(categories) + 1), [0] * (len(categories) + 1)
        self._others: Counter[tuple[str, str]] = Counter()
        self._ids = Ids()
        self._item = Item(name="")
        self._counts: bool | None = None

    def write(self, item: Item, image_id: int) -> list[WrittenObject]:
        """Return the annotations of an item as they are written; the log has the others."""
        self._item, self._counts = item, None
        fitter, plain = self._fitter, self._plain
        written: list[WrittenObject] = []
        for given in item.annotations:
            annotation = given if fitter is None else fitter.fit(item, given)
            if annotation is None:
                continue
            found = plain(annotation, image_id) or self._written(annotation, image_id)
            if found is not None:
                written.append(found)
        return written

    def count(self, written: Counter[tuple[str, str]]) -> None:
        """Count what was written, by class and tool."""
        for tool, counts in ((Tool.BOX, self._boxes), (Tool.POLYGON, self._polygons)):
            for label, category in self._categories.items():
                if counts[category]:
                    written[label, tool] += counts[category]
        written += self._others

    def _plain(self, annotation: Annotation, image_id: int) -> WrittenObject | None:
        """Return an annotation that has a box, perhaps a polygon, and nothing else, as nearly all; None for others."""
        box, shape, id_ = annotation.box, annotation.shape, annotation.id
        category = self._categories.get(annotation.label)
        if box is None or category is None or annotation.keypoints is not None or annotation.group:
            return None
        x, y, width, height = box.x, box.y, box.width, box.height
        rings: Sequence[Sequence[float]] = ()
        if shape is None:
            area = width * height
        elif type(shape) is Polygon and shape.rings and not shape.holes:
            rings = shape.rings
            area = ring_area(rings[0]) if len(rings) == 1 else sum(map(ring_area, rings))
        else:
            return None
        if not (width > 0 and height > 0 and isfinite(area + x + y)):
            return None
        number = self._ids.take(id_)
        if not number:
            if not self._only_counts():
                return None
            number = self._ids.next()
        self._boxes[category] += 1
        if rings:
            self._polygons[category] += 1
        crowd, more = int(annotation.is_crowd), annotation.attributes or None
        bbox = (x, y, width, height)
        return WrittenObject(number, image_id, category, bbox, area, rings, crowd, None, None, more)

    def _written(self, annotation: Annotation, image_id: int) -> WrittenObject | None:
        """Return an annotation that may have everything; None if COCO cannot have it, which the log says."""
        outline, joints = self._outline(annotation), self._ordered(annotation)
        box, label = annotation.box, annotation.label
        category = self._categories.get(label)
        if outline is None and joints is None and box is None:
            words = " and ".join(tools_of(annotation))
            self._drop(annotation, SHAPE, f"{words}: nothing that COCO can have says where it is")
            return None
        if category is None:
            self._drop(annotation, UNKNOWN_CLASS if label else LABEL_MISSING, f"class {label!r}")
            return None
        is_derived = box is None or not (box.width > 0 and box.height > 0)
        if box is None or is_derived:
            box = self._derived(annotation, outline, joints)
        if box is None:
            return None
        area = _area(outline, box)
        if not isfinite(area + box.x + box.y + sum(joints or ())):
            self._drop(annotation, NOT_A_NUMBER, "a coordinate is no number, or too large")
            return None
        self._count(label, outline, has_box=not is_derived, has_joints=joints is not None)
        number, extension = self._number(annotation, outline, is_derived=is_derived)
        return WrittenObject(
            id=number,
            image_id=image_id,
            category_id=category,
            bbox=(box.x, box.y, box.width, box.height),
            area=area,
            segmentation=_segmentation(outline),
            iscrowd=int(annotation.is_crowd),
            keypoints=joints,
            num_keypoints=None if joints is None else sum(map(bool, joints[2::3])),
            attributes=annotation.attributes or None,
            synapse=extension,
        )

    def _outline(self, annotation: Annotation) -> Outline | None:
        """Return the shape of an annotation as it can be written, if it can be."""
        shape, width, height = annotation.shape, self._item.width, self._item.height
        match shape:
            case None | RotatedBox():
                return shape
            case Mask() if (shape.width, shape.height) == (width, height):
                return shape
            case Polygon() if not shape.holes:
                return shape if shape.rings else None
            case Mask() | Polygon():
                return self._mask(annotation, shape)
            case _:
                if annotation.box is not None or annotation.keypoints is not None:
                    self._change(annotation, SHAPE, " and ".join(tools_of(replace(annotation, box=None))))
                return None

    def _mask(self, annotation: Annotation, shape: Mask | Polygon) -> Mask | None:
        """Return the mask for a polygon with holes, or for a mask of another size; None if it cannot be made."""
        from synapse_sdk.formats.masks import mask_of_polygon, mask_within  # noqa: PLC0415  # loads numpy

        width, height = self._item.width, self._item.height
        try:
            if isinstance(shape, Polygon):
                self._change(annotation, HOLES, f"{len(shape.holes)} holes")
                return mask_of_polygon(shape, width, height)
            words = f"{shape.width} x {shape.height}, and the image {width} x {height}"
            self._change(annotation, MASK_SIZE, words)
            return mask_within(shape, width, height)
        except ValueError as error:
            self._change(annotation, INVALID_RECORD, str(error))
            return None

    def _ordered(self, annotation: Annotation) -> list[float] | None:
        if annotation.keypoints is None:
            return None
        joints, lost = self._joints.ordered(annotation.label, annotation.keypoints)
        if lost:
            self._change(annotation, JOINTS, lost)
        return joints

    def _derived(self, annotation: Annotation, outline: Outline | None, joints: list[float] | None) -> Box | None:
        """Return the box around what else says where an object is."""
        box = bounds(replace(annotation, box=None, shape=outline))
        if box is None or ((box.width <= 0 or box.height <= 0) and joints is None):
            self._drop(annotation, EMPTY, "nothing of it has any extent")
            return None
        if annotation.box is not None:
            self._change(annotation, EMPTY, "its box has no extent: that around the rest is taken")
        if box.width > 0 and box.height > 0:
            return box
        # One joint, or a few in a line. A box must have an extent: a pixel at least.
        width, height = max(box.width, 1.0), max(box.height, 1.0)
        return Box(box.x - (width - box.width) / 2, box.y - (height - box.height) / 2, width, height)

    def _number(
        self, annotation: Annotation, outline: Outline | None, *, is_derived: bool
    ) -> tuple[int, Extension | None]:
        """Return the id of an annotation, and what COCO has no place for."""
        id_, kept = annotation.id, None
        number = self._ids.take(id_)
        if not number:
            number = self._ids.next()
            kept = None if self._only_counts() else id_
        if kept is None and not is_derived and not annotation.group and not isinstance(outline, RotatedBox):
            return number, None
        rotated = None
        if isinstance(outline, RotatedBox):
            rotated = (outline.center_x, outline.center_y, outline.width, outline.height, outline.angle)
        return number, Extension(id=kept, group=annotation.group, is_box_derived=is_derived, rotated_box=rotated)

    def _only_counts(self) -> bool:
        """Whether ids say nothing: they number the annotations of the item, as readers do where there are none."""
        if self._counts is None:
            ids = (each.id for each in self._item.annotations)
            self._counts = all(id_ == str(place) for place, id_ in enumerate(ids, 1))
        return self._counts

    def _count(self, label: str, outline: Outline | None, *, has_box: bool, has_joints: bool) -> None:
        counts = self._others
        if has_box:
            counts[label, Tool.BOX] += 1
        if outline is not None:
            counts[label, _TOOLS[type(outline)]] += 1
        if has_joints:
            counts[label, Tool.KEYPOINTS] += 1

    def _change(self, annotation: Annotation, reason: Reason, words: str) -> None:
        self._tell(Outcome.CHANGED, annotation, reason, words)

    def _drop(self, annotation: Annotation, reason: Reason, words: str) -> None:
        self._tell(Outcome.DROPPED, annotation, reason, words)

    def _tell(self, outcome: Outcome, annotation: Annotation, reason: Reason, words: str) -> None:
        item = self._item
        self._losses.of_annotation(
            outcome, reason, item=item.name, split=item.split, annotation=annotation.id, words=words
        )


def _area(outline: Outline | None, box: Box) -> float:
    if outline is None:
        return box.width * box.height
    if isinstance(outline, Polygon):
        return sum(map(ring_area, outline.rings))
    return area_of_counts(outline.counts) if isinstance(outline, Mask) else abs(outline.width * outline.height)


def _segmentation(outline: Outline | None) -> Sequence[Sequence[float]] | WrittenMask:
    if outline is None:
        return ()
    if isinstance(outline, Polygon):
        return outline.rings
    if isinstance(outline, Mask):
        return WrittenMask((outline.height, outline.width), outline.counts.decode())
    return (corners(outline),)


def without_negative_zeros(written: WrittenObject) -> WrittenObject:
    """Return an annotation whose coordinates are 0 where they were -0."""
    outline, joints = written.segmentation, written.keypoints
    return replace(
        written,
        bbox=[each + 0.0 for each in written.bbox],
        segmentation=outline
        if isinstance(outline, WrittenMask)
        else [[each + 0.0 for each in ring] for ring in outline],
        keypoints=None if joints is None else [each + 0 for each in joints],
    )


_TOOLS: dict[type[Outline], str] = {Polygon: Tool.POLYGON, Mask: Tool.MASK, RotatedBox: Tool.ROTATED_BOX}

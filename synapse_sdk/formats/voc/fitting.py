"""What of an annotation Pascal VOC can hold: a class, a box, and perhaps a mask."""

from msgspec import Struct
from msgspec.structs import replace

from synapse_sdk.formats.base import BoundsPolicy, FormatOptions
from synapse_sdk.formats.bounds import EMPTY, Fitter
from synapse_sdk.formats.class_lists import fits_class_list
from synapse_sdk.formats.geometry import bounds, corners
from synapse_sdk.formats.losses import LossLog, Outcome, Reason
from synapse_sdk.formats.model import (
    Annotation,
    Box,
    Item,
    Mask,
    Polygon,
    Relation,
    RotatedBox,
    Tool,
    Verbatim,
    tools_of,
)
from synapse_sdk.formats.reasons import CROWD, GROUP, LABEL_MISSING, SHAPE
from synapse_sdk.formats.voc.extras import escaped, fits_xml
from synapse_sdk.formats.voc.reasons import NOT_XML, RASTERISED

__all__ = ["Fitted", "PascalFitter"]

WORDS: dict[type, str] = {Polygon: Tool.POLYGON, Mask: Tool.MASK}
"""The tools of shapes that are lost by the million."""
SEGMENT = "segment"
"""The task for which outlines are drawn."""


class Fitted(Struct, frozen=True, gc=False):
    """An annotation as it can be written."""

    source: Annotation
    name: str
    """Its class, escaped."""
    box: Box
    mask: Mask | None = None
    is_derived: bool = False
    """Whether the box was made from the mask."""


class PascalFitter:
    """Makes annotations fit into Pascal VOC.

    Args:
        options: What was chosen.
        losses: Takes down what was changed or dropped.
    """

    def __init__(self, options: FormatOptions, losses: LossLog) -> None:
        self._fitter = Fitter(options.bounds or BoundsPolicy.CLIP, losses)
        self._draws = options.task == SEGMENT
        self._losses = losses
        self._names: dict[str, str] = {}

    def fit(self, item: Item, annotation: Annotation) -> Fitted | None:
        """Return an annotation as it can be written; None if it cannot be, which the log says.

        Args:
            item: Its item, which must have been measured.
            annotation: The annotation.
        """
        name = self._names.get(annotation.label) or self._name(item, annotation)
        if not name:
            return None
        shape, box = annotation.shape, annotation.box
        whole: Annotation | None = annotation
        if shape is not None or box is None or annotation.keypoints is not None or annotation.is_crowd:
            whole = self._reduced(item, annotation)
        fitted = None if whole is None else self._fitter.fit(item, whole)
        if fitted is None or fitted.box is None:
            return None
        if annotation.group:
            self._tell(item, annotation, Outcome.CHANGED, GROUP, f"group {annotation.group!r:.200}")
        mask = fitted.shape
        if mask is None or not isinstance(mask, Mask):
            return Fitted(annotation, name, fitted.box)
        return Fitted(annotation, name, fitted.box, mask, box is None)

    def _name(self, item: Item, annotation: Annotation) -> str:
        label = annotation.label
        if not label.strip():
            self._tell(item, annotation, Outcome.DROPPED, LABEL_MISSING)
            return ""
        if not (fits_xml(label) and fits_class_list(label)):
            self._tell(item, annotation, Outcome.DROPPED, NOT_XML, f"class {label!r:.200}")
            return ""
        self._names[label] = escaped(label)
        return self._names[label]

    def _reduced(self, item: Item, annotation: Annotation) -> Annotation | None:
        """Return an annotation with a box, a mask if there is one, and nothing else."""
        if annotation.is_crowd:
            self._tell(item, annotation, Outcome.DROPPED, CROWD)
            return None
        shape, box = annotation.shape, annotation.box
        mask = None if shape is None else self._mask(item, annotation)
        if box is None and not isinstance(shape, Relation | Verbatim):
            box = bounds(annotation if mask is None else replace(annotation, shape=mask))
        lost = [] if shape is None or mask is not None else [WORDS.get(type(shape)) or _tool(annotation)]
        if annotation.keypoints is not None:
            lost.append(Tool.KEYPOINTS)
        if box is None:
            reason = EMPTY if isinstance(shape, Mask) else SHAPE
            words = f"{' and '.join(lost or tools_of(annotation))} in Pascal VOC"
            self._tell(item, annotation, Outcome.DROPPED, reason, words)
            return None
        if lost:
            self._tell(item, annotation, Outcome.CHANGED, SHAPE, f"{' and '.join(lost)} in Pascal VOC")
        return Annotation(id=annotation.id, label=annotation.label, box=box, shape=mask)

    def _mask(self, item: Item, annotation: Annotation) -> Mask | None:
        """Return the mask of an annotation that has one, or whose outline is drawn."""
        shape = annotation.shape
        if type(shape) is Mask:
            return shape if (shape.width, shape.height) == (item.width, item.height) else None
        if self._draws and isinstance(shape, Polygon | RotatedBox):
            return self._drawn(item, annotation, shape)
        return None

    def _drawn(self, item: Item, annotation: Annotation, shape: Polygon | RotatedBox) -> Mask | None:
        """Return the pixels of an outline; None if it has none, being narrower than a pixel."""
        from synapse_sdk.formats.masks import mask_bounds, mask_of_polygon  # noqa: PLC0415  # loads numpy

        polygon = shape if isinstance(shape, Polygon) else Polygon([corners(shape)])
        mask: Mask = mask_of_polygon(polygon, item.width, item.height)
        if mask_bounds(mask) is None:
            return None
        self._tell(item, annotation, Outcome.CHANGED, RASTERISED)
        return mask

    def _tell(self, item: Item, annotation: Annotation, outcome: Outcome, reason: Reason, words: str = "") -> None:
        self._losses.of_annotation(
            outcome, reason, item=item.name, split=item.split, annotation=annotation.id, words=words
        )


def _tool(annotation: Annotation) -> str:
    return tools_of(replace(annotation, box=None, keypoints=None))[0]

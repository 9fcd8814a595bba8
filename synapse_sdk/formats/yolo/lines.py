"""Annotations as rows of label files: what all tasks share, and detection."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from math import isfinite
from typing import ClassVar

from synapse_sdk.formats.bounds import EMPTY, Fitter
from synapse_sdk.formats.geometry import bounds
from synapse_sdk.formats.losses import LossLog, Outcome, Reason
from synapse_sdk.formats.model import Annotation, Box, ClassSpec, Item, Polyline, Relation, Tool, Verbatim, tools_of
from synapse_sdk.formats.reasons import ATTRIBUTES, CROWD, GROUP, LABEL_MISSING, NOT_A_NUMBER, SHAPE, UNKNOWN_CLASS
from synapse_sdk.formats.yolo.tasks import Task

__all__ = ["DetectLines", "Lines"]

BOX_ROW = b"%d %.6f %.6f %.6f %.6f\n"
LEAST = 5e-7
"""Fraction of an image that is none when it is written with six decimals."""
LONGEST_SHOWN = 80
WITHOUT_AREA = frozenset((Polyline, Relation, Verbatim))
"""Shapes that no box is put around."""


class Lines(ABC):
    """Turns annotations into rows of one task; the log says what does not fit.

    Args:
        classes: Those of the dataset.
        fitter: Makes annotations fit into their image.
        losses: Takes down what does not fit.
    """

    task: ClassVar[Task]
    tools: ClassVar[tuple[Tool, ...]]
    """What a row is counted as."""

    def __init__(self, classes: Sequence[ClassSpec], fitter: Fitter, losses: LossLog) -> None:
        self._classes = classes
        self._indices: dict[str, int] = {}
        for index, spec in enumerate(classes):
            self._indices.setdefault(spec.name, index)
        self._counts = [0] * len(classes)
        self._fitter, self._losses = fitter, losses
        self._in_task = f" in task {self.task}"
        self._lost: list[tuple[str, str]] = []
        """Annotations of the item whose row lacks a shape, and which."""

    def lines(self, item: Item) -> list[bytes]:
        """Return the annotations of a measured item as rows, those that can be one."""
        indices, counts, drawn = self._indices, self._counts, self._drawn
        found: list[bytes] = []
        for annotation in item.annotations:
            index = indices.get(annotation.label)
            if index is None or annotation.is_crowd:
                self._refuse(item, annotation)
                continue
            line = drawn(index, item, annotation)
            if line is None:
                continue
            if annotation.attributes or annotation.group:
                self._tell_rest(item, annotation)
            counts[index] += 1
            found.append(line)
        if self._lost:
            self._losses.of_annotations(Outcome.CHANGED, SHAPE, self._lost, item=item.name, split=item.split)
            self._lost.clear()
        return found

    def written(self) -> Iterator[tuple[str, str, int]]:
        """Yield how many rows of which class were made, for each tool that a row is."""
        for spec, count in zip(self._classes, self._counts, strict=True):
            if count:
                yield from ((spec.name, tool, count) for tool in self.tools)

    @abstractmethod
    def _drawn(self, index: int, item: Item, annotation: Annotation) -> bytes | None:
        """Return the row of an object of this class; None if it cannot be one, which the log says."""

    def _refuse(self, item: Item, annotation: Annotation) -> None:
        if annotation.is_crowd:
            self._tell(Outcome.DROPPED, CROWD, item, annotation)
        elif isinstance(annotation.shape, Relation | Verbatim):
            self._drop(item, annotation)
        elif annotation.label:
            words = f"class {annotation.label[:LONGEST_SHOWN]!r} is not among those of the dataset"
            self._tell(Outcome.DROPPED, UNKNOWN_CLASS, item, annotation, words)
        else:
            self._tell(Outcome.DROPPED, LABEL_MISSING, item, annotation)

    def _tell(self, outcome: Outcome, reason: Reason, item: Item, annotation: Annotation, words: str = "") -> None:
        self._losses.of_annotation(
            outcome, reason, item=item.name, split=item.split, annotation=annotation.id, words=words
        )

    def _tell_rest(self, item: Item, annotation: Annotation) -> None:
        if annotation.attributes:
            words = ", ".join(annotation.attributes)[:LONGEST_SHOWN]
            self._tell(Outcome.CHANGED, ATTRIBUTES, item, annotation, words)
        if annotation.group:
            self._tell(Outcome.CHANGED, GROUP, item, annotation, annotation.group[:LONGEST_SHOWN])

    def _lose(self, annotation: Annotation, *kept: str) -> None:
        """Report the shapes of an annotation that its row does not have, together with those of the others."""
        for tool in tools_of(annotation):
            if tool not in kept:
                self._lost.append((annotation.id, tool + self._in_task))

    def _drop(self, item: Item, annotation: Annotation) -> None:
        """Report that nothing of an annotation can be written."""
        words = " and ".join(tools_of(annotation)) + self._in_task
        self._tell(Outcome.DROPPED, SHAPE, item, annotation, words)

    def _box(self, item: Item, annotation: Annotation) -> Box | None:
        """Return the box of an object; None if it has none, which the log says.

        One is put around a shape that covers an area. An open line covers none.
        """
        box = annotation.box
        if box is None and type(annotation.shape) not in WITHOUT_AREA:
            box = bounds(annotation)
        if box is None:
            self._drop(item, annotation)
        return box

    def _solid_box(self, item: Item, annotation: Annotation, box: Box | None) -> Box | None:
        """Return a box, unless it is nothing when it is written."""
        if box is None:
            return None
        if not isfinite(box.x + box.y + box.width + box.height):
            self._tell(Outcome.DROPPED, NOT_A_NUMBER, item, annotation)
            return None
        if box.width <= LEAST * item.width or box.height <= LEAST * item.height:
            words = f"box {box.x:g}, {box.y:g}, {box.width:g}, {box.height:g}"
            self._tell(Outcome.DROPPED, EMPTY, item, annotation, words)
            return None
        return box


class DetectLines(Lines):
    """Rows of boxes."""

    task = Task.DETECT
    tools = (Tool.BOX,)

    def _fitted_box(self, item: Item, annotation: Annotation, box: Box) -> Box | None:
        """Return a box inside of the image; None if it cannot be there, which the log says."""
        if self._solid_box(item, annotation, box) is None:
            return None
        fitted = self._fitter.fit(item, Annotation(id=annotation.id, label=annotation.label, box=box))
        return None if fitted is None else self._solid_box(item, annotation, fitted.box)

    def _drawn(self, index: int, item: Item, annotation: Annotation) -> bytes | None:
        box, width, height = annotation.box, item.width, item.height
        if annotation.shape is not None or annotation.keypoints is not None or box is None:
            if box is None:
                box = self._box(item, annotation)
            if box is None:
                return None
            self._lose(annotation, Tool.BOX)
        x, y, across, down = box.x, box.y, box.width, box.height
        is_inside = x >= 0.0 and y >= 0.0 and x + across <= width and y + down <= height
        if not (is_inside and across > LEAST * width and down > LEAST * height):
            box = self._fitted_box(item, annotation, box)
            if box is None:
                return None
            x, y, across, down = box.x, box.y, box.width, box.height
        return BOX_ROW % (
            index,
            (x + across / 2) / width,
            (y + down / 2) / height,
            across / width,
            down / height,
        )

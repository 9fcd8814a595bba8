"""Annotations as rows of poses."""

from collections.abc import Sequence
from math import isfinite

from synapse_sdk.formats.bounds import Fitter
from synapse_sdk.formats.geometry import bounds
from synapse_sdk.formats.losses import LossLog, Outcome
from synapse_sdk.formats.model import Annotation, ClassSpec, Item, Keypoints, Tool
from synapse_sdk.formats.reasons import NOT_A_NUMBER
from synapse_sdk.formats.yolo.lines import LONGEST_SHOWN, Lines
from synapse_sdk.formats.yolo.reasons import BOX_MADE, JOINTS, PADDED
from synapse_sdk.formats.yolo.tasks import Task

__all__ = ["PoseLines"]


class PoseLines(Lines):
    """Rows of a box and joints, the same number for all classes: that of the class with the most."""

    task = Task.POSE
    tools = (Tool.BOX, Tool.KEYPOINTS)

    def __init__(self, classes: Sequence[ClassSpec], fitter: Fitter, losses: LossLog) -> None:
        super().__init__(classes, fitter, losses)
        self.joints = max((len(spec.joints) for spec in classes), default=0)
        """How many joints every row has; 0 until that is known."""
        self._places = {spec.name: {name: at for at, name in enumerate(spec.joints)} for spec in classes}
        for spec in classes:
            if 0 < len(spec.joints) < self.joints:
                words = f"class {spec.name[:LONGEST_SHOWN]!r}: {len(spec.joints)} of {self.joints} joints"
                losses.of_item(Outcome.NOTED, PADDED, item="", words=words)

    def _drawn(self, index: int, item: Item, annotation: Annotation) -> bytes | None:
        if annotation.keypoints is None:
            self._drop(item, annotation)
            return None
        if not isfinite(sum(annotation.keypoints.points)):
            self._tell(Outcome.DROPPED, NOT_A_NUMBER, item, annotation)
            return None
        joints = Keypoints(self._ordered(item, annotation, annotation.keypoints))
        box = annotation.box or bounds(annotation)
        if box is None:
            self._drop(item, annotation)
            return None
        self._lose(annotation, Tool.BOX, Tool.KEYPOINTS)
        fitted = self._fitter.fit(item, Annotation(id=annotation.id, label=annotation.label, box=box, keypoints=joints))
        if fitted is None or fitted.keypoints is None:
            return None
        box = self._solid_box(item, annotation, fitted.box)
        if box is None:
            return None
        if annotation.box is None:
            self._tell(Outcome.NOTED, BOX_MADE, item, annotation)
        width, height, points = item.width, item.height, fitted.keypoints.points
        values = [(box.x + box.width / 2) / width, (box.y + box.height / 2) / height]
        values += [box.width / width, box.height / height]
        for at in range(0, len(points), 3):
            values += (points[at] / width, points[at + 1] / height, points[at + 2])
        return (b"%d %.6f %.6f %.6f %.6f" + b" %.6f %.6f %d" * self.joints + b"\n") % (index, *values)

    def _ordered(self, item: Item, annotation: Annotation, keypoints: Keypoints) -> list[float]:
        """Return the joints of an object in the order of its class, as many as every row has."""
        points, names = keypoints.points, keypoints.names
        places = self._places[annotation.label]
        if not self.joints:
            self.joints = len(points) // 3
        ordered = [0.0, 0.0, 0] * self.joints
        lost: list[str] = []
        for number in range(len(points) // 3):
            name = names[number] if names else ""
            place = places.get(name, -1) if names and places else number
            x, y, visibility = points[3 * number : 3 * number + 3]
            if not visibility:
                continue
            if not 0 <= place < self.joints or ordered[3 * place + 2]:
                lost.append(name or str(number))
                continue
            ordered[3 * place : 3 * place + 3] = x, y, visibility
        if lost:
            self._tell(Outcome.CHANGED, JOINTS, item, annotation, ", ".join(lost)[:LONGEST_SHOWN])
        return ordered

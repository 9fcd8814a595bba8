"""The annotations of version 2 that an object of the model becomes."""

from collections.abc import Iterator, Mapping, Sequence

from msgspec.structs import replace

from synapse_sdk.formats.bounds import EMPTY
from synapse_sdk.formats.bridging import bridged
from synapse_sdk.formats.dm.attributes import attribute
from synapse_sdk.formats.dm.merging import GROUP, SEVERAL
from synapse_sdk.formats.dm.out import Out, OutObject
from synapse_sdk.formats.dm.place import Place
from synapse_sdk.formats.dm.reasons import DERIVED_BOX, HOLES
from synapse_sdk.formats.geometry import bounds_of_points, corners
from synapse_sdk.formats.losses import Outcome
from synapse_sdk.formats.model import Annotation, Box, Keypoints, Mask, Polygon, Polyline, Relation, RotatedBox, Shape
from synapse_sdk.types import JsonValue

__all__ = ["Parts"]

HALF_A_PIXEL = 0.5


class Parts:
    """Takes the objects of one item apart.

    Args:
        annotations: All of the item.
        joints: The names of the joints of the objects of each class.
        place: The item.
    """

    def __init__(self, annotations: Sequence[Annotation], joints: Mapping[str, Sequence[str]], place: Place) -> None:
        self._joints, self._place = joints, place
        self._taken = {each.id for each in annotations}
        self._members: dict[str, list[str]] = {}
        self._need_naming: set[str] = set()

    def of(self, annotation: Annotation) -> list[tuple[str, Out]]:
        """Return tool and annotation for each part of an object; none if there is none, which the log says."""
        box, shape, keypoints = annotation.box, annotation.shape, annotation.keypoints
        if keypoints is not None:
            return self._posed(annotation, keypoints)
        found = OutObject(annotation, self._taken)
        self._add_body(found)
        if box is None and shape is None:
            found.add("classification", {})
        self._group(found)
        return found.parts

    def groups(self) -> Iterator[Out]:
        """Yield what says of groups that they are several objects, and names members that have parts of their own."""
        for group, members in self._members.items():
            if len(members) > 1 or group in self._need_naming:
                yield Out(group, SEVERAL, [], members)

    def _add_shape(self, found: OutObject, shape: Shape) -> None:
        match shape:
            case RotatedBox(center_x=x, center_y=y, width=width, height=height, angle=angle):
                found.add_box([x - width / 2, y - height / 2, width, height], angle)
            case Polygon(rings=rings, holes=holes):
                if holes:
                    rings = [bridged(shape)]
                    self._place.lose(Outcome.NOTED, HOLES, found.annotation.id)
                for ring in rings:
                    found.add("polygon", _pairs(ring))
            case Polyline(points=points):
                found.add("polyline", _pairs(points))
            case Mask() as mask:
                from synapse_sdk.formats.masks import runs_of_mask  # noqa: PLC0415  # loads numpy

                out = found.add("segmentation", runs_of_mask(mask))
                out.encoding, out.isCompressed, out.compressionFormat = "dm_rle", True, "rle"
            case Relation(source=source, target=target):
                found.add("relation", [source, target])
            case _:
                pass

    def _posed(self, annotation: Annotation, keypoints: Keypoints) -> list[tuple[str, Out]]:
        """Return the parts of an object that has joints."""
        joints = [*self._labelled(annotation.label, keypoints)]
        has_body = annotation.box is not None or annotation.shape is not None
        if not joints and not has_body:
            self._place.lose(Outcome.DROPPED, EMPTY, annotation.id, "none of its joints is labelled")
            return []
        if not has_body and [name for name, _, _ in joints] == [annotation.label]:
            found = OutObject(annotation, self._taken)
            self._add_joints(found, joints, {})
            self._group(found)
            return found.parts
        own, of_joints = _split(annotation.attributes, [name for name, _, _ in joints])
        whole = replace(annotation, attributes=own)
        found = OutObject(whole if has_body else replace(whole, attributes={}, is_crowd=False), self._taken)
        self._add_body(found)
        self._add_joints(found, joints, of_joints)
        if not has_body:
            # Nothing but the bucket `group` says of which class they are.
            found.parts.append((GROUP, Out.of(whole, [out.id for _, out in found.parts])))
        self._group(found)
        return found.parts

    def _add_body(self, found: OutObject) -> None:
        box, shape = found.annotation.box, found.annotation.shape
        if box is not None and not (isinstance(shape, RotatedBox) and self._replaces(shape, box, found.annotation)):
            found.add_box([box.x, box.y, box.width, box.height], None)
        if shape is not None:
            self._add_shape(found, shape)

    def _labelled(self, label: str, keypoints: Keypoints) -> Iterator[tuple[str, list[float], int]]:
        """Yield name, place and visibility of joints that are labelled."""
        names, points = keypoints.names or self._joints.get(label, ()), keypoints.points
        for number, at in enumerate(range(0, len(points), 3)):
            if points[at + 2]:
                name = names[number] if number < len(names) else f"keypoint_{number + 1}"
                yield name, [points[at], points[at + 1]], int(points[at + 2])

    def _add_joints(
        self,
        found: OutObject,
        joints: Sequence[tuple[str, list[float], int]],
        attributes: Mapping[str, Mapping[str, JsonValue]],
    ) -> None:
        for name, point, visibility in joints:
            out = found.add("keypoint", point, name)
            out.classification, out.visibility = name, visibility
            out.attrs += [attribute(key, value) for key, value in attributes.get(name, {}).items()]

    def _group(self, found: OutObject) -> None:
        """Say which parts belong together, and which objects do."""
        annotation = found.annotation
        if annotation.group:
            self._members.setdefault(annotation.group, []).append(annotation.id)
        if len(found.parts) == 1:
            if annotation.group:
                found.parts[0][1].group_id = annotation.group
            return
        if annotation.group:
            self._need_naming.add(annotation.group)
        for tool, out in found.parts:
            if tool != GROUP:
                out.group_id = annotation.id

    def _replaces(self, shape: RotatedBox, box: Box, annotation: Annotation) -> bool:
        """Whether a rotated box stands for the upright one beside it: it does, as there is a place for one only."""
        around = bounds_of_points(corners(shape)) or box
        edges = ((each.x, each.y, each.x + each.width, each.y + each.height) for each in (box, around))
        if max(abs(one - other) for one, other in zip(*edges, strict=True)) > HALF_A_PIXEL:
            self._place.lose(Outcome.CHANGED, DERIVED_BOX, annotation.id)
        return True


def _split(
    attributes: Mapping[str, JsonValue], joints: Sequence[str]
) -> tuple[dict[str, JsonValue], dict[str, dict[str, JsonValue]]]:
    """Return the attributes of an object, and those of its joints, which have the joint before the name."""
    own: dict[str, JsonValue] = {}
    of_joints: dict[str, dict[str, JsonValue]] = {}
    for key, value in attributes.items():
        joint = next((name for name in joints if key.startswith(f"{name}.")), None)
        if joint is None:
            own[key] = value
        else:
            of_joints.setdefault(joint, {})[key[len(joint) + 1 :]] = value
    return own, of_joints


def _pairs(points: Sequence[float]) -> list[tuple[float, float]]:
    return [*zip(points[0::2], points[1::2], strict=True)]

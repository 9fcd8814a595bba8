"""Objects of which version 2 has several annotations: those that share a group become one, where that is certain."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

from msgspec import Struct
from msgspec.structs import replace

from synapse_sdk.formats.dm.joints import class_of_joints
from synapse_sdk.formats.model import (
    Annotation,
    Box,
    Keypoints,
    Polygon,
    Relation,
    RotatedBox,
    Shape,
    Verbatim,
)
from synapse_sdk.types import JsonObject, JsonValue

__all__ = ["GROUP", "SEVERAL", "Said", "merge"]

GROUP = "group"
"""What the bucket of groups is called."""


SEVERAL = "group"
"""The class of a group of which it is known that it is several objects."""


class Said(Struct, frozen=True, kw_only=True):
    """What the bucket `group` says about a group."""

    id: str
    label: str
    members: Sequence[str]
    attributes: JsonObject

    @property
    def is_several(self) -> bool:
        """Whether it says that its members are objects of their own, and nothing else."""
        return self.label == SEVERAL and not self.attributes


def merge(annotations: Sequence[Annotation], said: Sequence[Said], media: str) -> list[Annotation]:
    """Return annotations with objects put together.

    A group is one object if it has at most one box, shapes that go together, one class besides joints, and no joint
    twice. What is said about other groups stays, as an annotation that only DM understands.

    Args:
        annotations: Those of one image, with ids of their own.
        said: What the bucket `group` says.
        media: The id of the image.
    """
    groups = _groups(annotations, said)
    by_id = {each.id: each for each in annotations}
    words = {each.id: each for each in said}
    outer: dict[str, list[str]] = {}
    for each in said:
        for member in each.members:
            outer.setdefault(member, []).append(each.id)
    object_of: dict[str, str] = {}
    objects: dict[str, Annotation] = {}
    whole: set[str] = set()
    for group, members in groups.items():
        joined = _joined(group, [by_id[member] for member in members], words.get(group))
        if joined is None:
            continue
        whole.add(group)
        others = [each for member in members for each in outer.get(member, ()) if each != group]
        is_taken = joined.id not in members and joined.id in by_id
        joined = replace(joined, id=members[0] if is_taken else joined.id, group=others[0] if others else "")
        objects[joined.id] = joined
        object_of.update(dict.fromkeys(members, joined.id))
    found = [*_put_together(annotations, groups, object_of, objects)]
    for each in said:
        if each.id in whole or each.is_several or not (each.label or each.attributes):
            continue
        shape = Verbatim(GROUP, media, [*dict.fromkeys(object_of.get(member, member) for member in each.members)])
        found.append(Annotation(id=each.id, label=each.label, shape=shape, attributes=each.attributes))
    return found


def _groups(annotations: Sequence[Annotation], said: Sequence[Said]) -> dict[str, list[str]]:
    """Return the members of each group; nobody is in two."""
    groups: dict[str, list[str]] = {}
    lonely: set[str] = set()
    for each in annotations:
        if each.group:
            groups.setdefault(each.group, []).append(each.id)
        else:
            lonely.add(each.id)
    for group in said:
        for member in group.members:
            if member in lonely:
                lonely.discard(member)
                groups.setdefault(group.id, []).append(member)
    return groups


def _put_together(
    annotations: Iterable[Annotation],
    groups: Mapping[str, Sequence[str]],
    object_of: Mapping[str, str],
    objects: dict[str, Annotation],
) -> Iterable[Annotation]:
    group_of = {member: group for group, members in groups.items() for member in members}
    for each in annotations:
        whole = object_of.get(each.id)
        if whole is not None:
            if whole in objects:
                yield objects.pop(whole)
            continue
        group = group_of.get(each.id, "")
        shape = each.shape
        if isinstance(shape, Relation):
            shape = Relation(object_of.get(shape.source, shape.source), object_of.get(shape.target, shape.target))
        yield each if group == each.group and shape is each.shape else replace(each, group=group, shape=shape)


def _joined(group: str, members: Sequence[Annotation], said: Said | None) -> Annotation | None:
    """Return the one object that a group is; None if it is not certain that it is one."""
    joints = [each for each in members if each.keypoints is not None]
    rest = [each for each in members if each.keypoints is None]
    is_named = said is not None and bool(said.label)
    if (len(members) < 2 and not (joints and is_named)) or (said is not None and said.is_several):  # noqa: PLR2004  # one
        return None
    whole = _shapes_of(rest)
    if whole is None or (said is not None and not {each.id for each in members}.issuperset(said.members)):
        return None
    box, shape = whole
    keypoints, names = _keypoints_of(joints)
    labels = {each.label for each in rest} or ({said.label} if said is not None and said.label else set())
    if not labels and keypoints is not None:
        labels = {names[0]} if not keypoints.names else {class_of_joints(names)}
    attributes = _attributes_of(rest, joints, said)
    if len(labels) != 1 or (joints and keypoints is None) or attributes is None:
        return None
    label = labels.pop()
    if said is not None and said.label not in {"", label}:
        return None
    first = next((each for each in rest if each.box is not None), rest[0] if rest else None)
    return Annotation(
        id=group if first is None else first.id,
        label=label,
        box=box,
        shape=shape,
        keypoints=keypoints,
        attributes=attributes,
        is_crowd=any(each.is_crowd for each in rest) or attributes.pop("iscrowd", None) is True,
    )


def _shapes_of(members: Sequence[Annotation]) -> tuple[Box | None, Shape | None] | None:
    """Return the box and the shape of an object; None if there are two of a kind."""
    boxes = [each.box for each in members if each.box is not None]
    shapes = [each.shape for each in members if each.shape is not None]
    if len(boxes) + len(shapes) != len(members) or len({each.is_crowd for each in members}) > 1:
        return None
    box_count = len(boxes) + sum(isinstance(shape, RotatedBox) for shape in shapes)
    if box_count > 1 or any(isinstance(shape, Relation | Verbatim) for shape in shapes):
        return None
    polygons = [shape for shape in shapes if isinstance(shape, Polygon)]
    box = boxes[0] if boxes else None
    if len(polygons) == len(shapes) > 1:
        return box, Polygon([*chain.from_iterable(polygon.rings for polygon in polygons)])
    return None if len(shapes) > 1 else (box, shapes[0] if shapes else None)


def _keypoints_of(joints: Sequence[Annotation]) -> tuple[Keypoints | None, Sequence[str]]:
    """Return joints as those of one object, and the labels that they have; None if two have the same name.

    If all have one label, that is the class of the object, and joints have no names.
    """
    names = [each.label for each in joints]
    is_unnamed = len(names) > 1 and len(set(names)) == 1
    if not joints or (len(set(names)) < len(names) and not is_unnamed):
        return None, names
    points = [*chain.from_iterable(each.keypoints.points for each in joints if each.keypoints is not None)]
    return Keypoints(points, () if is_unnamed else tuple(names)), names


def _attributes_of(
    rest: Sequence[Annotation], joints: Sequence[Annotation], said: Said | None
) -> dict[str, JsonValue] | None:
    """Return all attributes, those of joints with the joint before the name; None if they contradict each other."""
    found: dict[str, JsonValue] = {}
    pairs = chain.from_iterable(each.attributes.items() for each in rest)
    named = ((f"{each.label}.{name}", value) for each in joints for name, value in each.attributes.items())
    groups = () if said is None else said.attributes.items()
    for name, value in chain(pairs, named, groups):
        if found.setdefault(name, value) != value:
            return None
    return found

"""Joints: what they are called, and which class of objects has which."""

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from synapse_sdk.formats.model import Annotation, ClassSpec, Keypoints

__all__ = ["PERSON", "UNNAMED", "class_of_joints", "joints_in_order", "with_all_joints", "with_joints"]

PERSON = "person"
UNNAMED = "object"
"""The class of objects of which nothing is known but joints."""
PERSON_JOINTS = (
    *("nose", "left_eye", "right_eye", "left_ear", "right_ear"),
    *("left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist"),
    *("left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle"),
)
"""Those of COCO, in its order."""
PERSON_SKELETON = (
    *((15, 13), (13, 11), (16, 14), (14, 12), (11, 12), (5, 11), (6, 12), (5, 6), (5, 7), (6, 8)),
    *((7, 9), (8, 10), (1, 2), (0, 1), (0, 2), (1, 3), (2, 4), (3, 5), (4, 6)),
)
PERSON_FLIP = (0, *(at + 1 if at % 2 else at - 1 for at in range(1, len(PERSON_JOINTS))))


def class_of_joints(names: Sequence[str]) -> str:
    """Return the class of an object of which only joints are known.

    Example:
        >>> class_of_joints(["nose", "left_eye"]), class_of_joints(["tip", "tail"])
        ('person', 'object')
    """
    return PERSON if set(names) <= set(PERSON_JOINTS) else UNNAMED


def joints_in_order(names: Sequence[str]) -> tuple[str, ...]:
    """Return joints in the order of COCO if they are all joints of persons, else as they are."""
    if set(names) <= set(PERSON_JOINTS):
        return tuple(name for name in PERSON_JOINTS if name in names)
    return tuple(names)


def with_joints(name: str, joints: Sequence[str]) -> ClassSpec:
    """Return a class whose objects have these joints; a person has all of them, in the order of COCO."""
    if name == PERSON and set(joints) <= set(PERSON_JOINTS):
        return ClassSpec(name=name, joints=PERSON_JOINTS, skeleton=PERSON_SKELETON, flip=PERSON_FLIP)
    return ClassSpec(name=name, joints=joints_in_order(joints))


def with_all_joints(annotation: Annotation, joints: Mapping[str, Sequence[str]]) -> Annotation:
    """Return an object with all joints of its class, in their order; those that documents leave out are not labelled.

    Args:
        annotation: The object.
        joints: The joints of each class.
    """
    keypoints, names = annotation.keypoints, joints.get(annotation.label, ())
    if keypoints is None or not keypoints.names or not set(keypoints.names) <= set(names):
        return annotation
    places = {name: 3 * number for number, name in enumerate(names)}
    points: list[float] = [0.0, 0.0, 0] * len(names)
    for number, name in enumerate(keypoints.names):
        points[places[name] : places[name] + 3] = keypoints.points[3 * number : 3 * number + 3]
    return replace(annotation, keypoints=Keypoints(points))

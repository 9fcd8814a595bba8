"""Tools that draw on images: boxes, lines and points."""

from collections.abc import Sequence
from itertools import chain
from typing import TypeGuard, cast

from synapse_sdk.formats.dm.attributes import Attribute, attribute, label_and_attributes, read_attributes
from synapse_sdk.formats.dm.tools.base import BaseTool
from synapse_sdk.formats.dm.values import as_list, as_number, as_object, derived_id, is_finite, shown
from synapse_sdk.types import JsonObject, JsonValue

__all__ = [
    "SEEN",
    "BoundingBoxTool",
    "KeypointTool",
    "PolygonTool",
    "PolylineTool",
    "RelationTool",
    "rotation_and_rest",
    "visibility_of",
]

SEEN = {0: "missing", 1: "occluded", 2: "visible"}
"""How well a joint is seen: the numbers of version 2, and the words of version 1."""
NUMBERS = {**{word: number for number, word in SEEN.items()}, "hidden": 1, "invisible": 0}
SIDES = ("x", "y", "width", "height")
AXES = ("x", "y", "z")
COUNTED = 4
"""Characters at the end of a point's id that count the points of its outline."""
PLAIN = frozenset((int, float))
LISTS = frozenset((list, tuple))


def rotation_and_rest(attributes: Sequence[Attribute]) -> tuple[float | None, list[Attribute]]:
    """Take the rotation of a box out of its attributes: the first one of that name, if it is a number.

    Example:
        >>> rotation_and_rest([("rotation", 0.2), ("rotation", "left")])
        (0.2, [('rotation', 'left')])
    """
    for at, (name, value) in enumerate(attributes):
        if name == "rotation":
            if isinstance(value, int | float) and not isinstance(value, bool):
                return value, [*attributes[:at], *attributes[at + 1 :]]
            break
    return None, [*attributes]


def with_rotation(rotation: float | None, attributes: Sequence[Attribute]) -> list[Attribute]:
    """Return the attributes of a box with its rotation before them; the reverse of `rotation_and_rest`.

    A box that is not turned says so where an attribute of the user would be taken for its rotation.
    """
    if rotation is None and rotation_and_rest(attributes)[0] is not None:
        rotation = 0
    return [*attributes] if rotation is None else [("rotation", rotation), *attributes]


def visibility_of(value: JsonValue) -> int | None:
    """Return the number for how well a joint is seen, however it is said; None if it is not understood.

    Example:
        >>> visibility_of("Visible"), visibility_of(1), visibility_of("perhaps")
        (2, 1, None)
    """
    if isinstance(value, str):
        return NUMBERS.get(value.lower(), int(value) if value in {"0", "1", "2"} else None)
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) and value in SEEN else None


class BoundingBoxTool(BaseTool):
    """Boxes; one that is turned around its centre has an attribute `rotation`, in radians, in version 2."""

    tool_name = "bounding_box"

    def to_v2(self, v1_annotation: JsonObject, v1_data: JsonObject) -> dict[str, JsonValue]:
        """Return an annotation of version 2."""
        found = super().to_v2(v1_annotation, v1_data)
        rotation = as_object(v1_data.get("coordinate"), "coordinate").get("rotation")
        _, attributes = label_and_attributes(v1_annotation.get("classification"))
        turned = with_rotation(None if rotation is None else as_number(rotation, "rotation"), attributes)
        return found | {"attrs": [attribute(name, value) for name, value in turned]}

    def to_v1(self, v2_annotation: JsonObject) -> tuple[dict[str, JsonValue], dict[str, JsonValue]]:
        """Return the two entries of version 1."""
        rotation, attributes = rotation_and_rest([*read_attributes(v2_annotation.get("attrs"))])
        numbers = _numbers(v2_annotation.get("data"), "data", SIDES)
        coordinate: dict[str, JsonValue] = dict(zip(SIDES, numbers, strict=True))
        if rotation is not None:
            coordinate["rotation"] = rotation
        return self.entry_of(v2_annotation, attributes), {"id": v2_annotation["id"], "coordinate": coordinate}

    def data_of(self, v1_data: JsonObject) -> JsonValue:
        """Return `[x, y, width, height]`."""
        coordinate = as_object(v1_data.get("coordinate"), "coordinate")
        return [as_number(coordinate.get(side), side) for side in SIDES]

    def payload_of(self, v2_annotation: JsonObject) -> dict[str, JsonValue]:
        """Return the entry in `annotationsData`, but for its id."""
        return self.to_v1(v2_annotation)[1]


class PolygonTool(BaseTool):
    """Outlines: lists of points, which have ids in version 1."""

    tool_name = "polygon"

    def data_of(self, v1_data: JsonObject) -> JsonValue:
        """Return a list of points."""
        points = as_list(v1_data.get("coordinate"), "coordinate")
        return _plain_points(points) or [_point(each) for each in points]

    def payload_of(self, v2_annotation: JsonObject) -> dict[str, JsonValue]:
        """Return the points with ids, which are made of the points."""
        data = as_list(v2_annotation.get("data"), "data")
        points = data if _are_plain(data) else [_point(each) for each in data]
        start = derived_id(v2_annotation["id"], points)[:-COUNTED]
        named: list[JsonValue] = [
            {**dict(zip(AXES, point, strict=False)), "id": f"{start}{number:0{COUNTED}x}"}
            for number, point in enumerate(points)
        ]
        return {"coordinate": named}


class PolylineTool(PolygonTool):
    """Lines: lists of points."""

    tool_name = "polyline"


class KeypointTool(BaseTool):
    """Points. How well one is seen is an attribute in version 1, and a number of its own in version 2."""

    tool_name = "keypoint"
    known = frozenset(("visibility",))

    def to_v2(self, v1_annotation: JsonObject, v1_data: JsonObject) -> dict[str, JsonValue]:
        """Return an annotation of version 2; the attribute stays, for those who look there."""
        found = super().to_v2(v1_annotation, v1_data)
        _, attributes = label_and_attributes(v1_annotation.get("classification"))
        visibility = visibility_of(dict(attributes).get("visibility"))
        return found if visibility is None else found | {"visibility": visibility}

    def entry_of(self, v2_annotation: JsonObject, attributes: list[Attribute]) -> dict[str, JsonValue]:
        """Return the entry in `annotations`, which says how well the point is seen where anything does."""
        visibility = visibility_of(v2_annotation.get("visibility"))
        if visibility is not None and visibility_of(dict(attributes).get("visibility")) != visibility:
            others = [each for each in attributes if each[0] != "visibility"]
            attributes = [*others, ("visibility", SEEN[visibility])]
        return super().entry_of(v2_annotation, attributes)

    def data_of(self, v1_data: JsonObject) -> JsonValue:
        """Return `[x, y]`."""
        return [*_point(v1_data.get("coordinate"))]

    def payload_of(self, v2_annotation: JsonObject) -> dict[str, JsonValue]:
        """Return the entry in `annotationsData`, but for its id."""
        return {"coordinate": dict(zip(AXES, _point(v2_annotation.get("data")), strict=False))}


class RelationTool(BaseTool):
    """Links from one annotation to another."""

    tool_name = "relation"

    def data_of(self, v1_data: JsonObject) -> JsonValue:
        """Return the ids of both."""
        ends = [v1_data.get("annotationId"), v1_data.get("targetAnnotationId")]
        if None in ends:
            msg = f"a relation needs both annotationId and targetAnnotationId, and has {shown(ends)}"
            raise ValueError(msg)
        return ends

    def payload_of(self, v2_annotation: JsonObject) -> dict[str, JsonValue]:
        """Return the entry in `annotationsData`, but for its id."""
        ends = as_list(v2_annotation.get("data"), "data")
        if len(ends) != 2:  # noqa: PLR2004  # from one to another
            msg = f"a relation is between two annotations, not {shown(v2_annotation.get('data'))}"
            raise ValueError(msg)
        return {"annotationId": ends[0], "targetAnnotationId": ends[1]}


def _numbers(value: JsonValue, what: str, names: Sequence[str]) -> list[float]:
    numbers = as_list(value, what)
    if len(numbers) != len(names):
        msg = f"{what} is {shown(value)}, not {len(names)} numbers: {', '.join(names)}"
        raise ValueError(msg)
    return [as_number(number, name) for number, name in zip(numbers, names, strict=True)]


def _plain_points(points: Sequence[JsonValue]) -> Sequence[JsonValue]:
    """Return points of version 1 that are as they should be; nothing if there is anything to look at more closely."""
    try:
        found: list[JsonValue] = [[point["x"], point["y"]] for point in points if "z" not in point]  # type: ignore[index,operator,call-overload]
    except (TypeError, LookupError):
        return []
    return [*found] if len(found) == len(points) and _are_plain(found) else []


def _are_plain(points: Sequence[JsonValue]) -> TypeGuard[Sequence[Sequence[float]]]:
    """Whether points of version 2 are as nearly all are: lists of two finite numbers."""
    if not set(map(type, points)) <= LISTS:
        return False
    pairs = cast("Sequence[Sequence[float]]", points)
    numbers = [*chain.from_iterable(pairs)]
    return set(map(len, pairs)) <= {2} and set(map(type, numbers)) <= PLAIN and is_finite(sum(numbers))


def _point(value: JsonValue) -> list[float]:
    """Return the numbers of a point, however it is given; a third one is kept."""
    if isinstance(value, list | tuple):
        if len(value) not in {2, 3}:
            msg = f"a point is {shown(value)}, not two numbers"
            raise ValueError(msg)
        return [as_number(number, axis) for number, axis in zip(value, AXES, strict=False)]
    point = as_object(value, "a point")
    axes = AXES if "z" in point else AXES[:2]
    return [as_number(point.get(axis), axis) for axis in axes]

"""From one decoded annotation to one of the model."""

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Any

from synapse_sdk.formats.dm.masks import MaskReader
from synapse_sdk.formats.dm.place import Place
from synapse_sdk.formats.dm.reasons import REPEATED_ATTRIBUTE
from synapse_sdk.formats.dm.records import (
    Attr,
    BoxRecord,
    LabelRecord,
    MaskRecord,
    PointRecord,
    PolygonRecord,
    PolylineRecord,
    Record,
    RelationRecord,
)
from synapse_sdk.formats.dm.tools.image import rotation_and_rest, visibility_of
from synapse_sdk.formats.losses import Outcome
from synapse_sdk.formats.model import Annotation, Box, Keypoints, Polygon, Polyline, Relation, RotatedBox
from synapse_sdk.formats.reasons import INVALID_RECORD
from synapse_sdk.types import JsonValue

__all__ = ["Maker", "attributes_of", "makers"]

type Maker = Callable[[Any, Place], Annotation | None]
"""Makes an annotation of a record of one kind; None if there is none to be made, which the log says."""

CROWD = "iscrowd"
VISIBILITY = "visibility"
SEEN = 2
"""How well a joint is seen of which nobody says it."""
LEAST_OF_POLYGON, LEAST_OF_POLYLINE = 3, 2
"""Points."""


def makers(masks: MaskReader) -> Mapping[type[Record], Maker]:
    """Return what makes annotations of each kind of record.

    Args:
        masks: Reads masks.
    """

    def mask(record: MaskRecord, place: Place) -> Annotation | None:
        shape = masks.read(record, place)
        return None if shape is None else _made(record, place, shape=shape)

    return {
        BoxRecord: _box,
        PolygonRecord: _polygon,
        PolylineRecord: _polyline,
        PointRecord: _joint,
        MaskRecord: mask,
        LabelRecord: _label,
        RelationRecord: _relation,
    }


def attributes_of(attrs: Sequence[Attr], annotation: str, place: Place) -> dict[str, JsonValue]:
    """Return attributes by name; of several with one name the first."""
    attributes: dict[str, JsonValue] = {}
    for each in attrs:
        if each.name in attributes:
            words = f"attribute {each.name!r} is there twice"
            place.lose(Outcome.CHANGED, REPEATED_ATTRIBUTE, annotation, words)
        else:
            attributes[each.name] = each.value
    return attributes


def _box(record: BoxRecord, place: Place) -> Annotation:
    x, y, width, height = record.data
    attrs = record.attrs
    if not attrs:
        return Annotation(
            id=record.id, label=record.classification, box=Box(x, y, width, height), group=record.group_id
        )
    rotation, rest = rotation_and_rest([(each.name, each.value) for each in attrs])
    if rotation is not None:
        record.attrs = tuple(Attr(name, value) for name, value in rest)
    if not rotation:
        return _made(record, place, box=Box(x, y, width, height))
    return _made(record, place, shape=RotatedBox(x + width / 2, y + height / 2, width, height, rotation))


def _polygon(record: PolygonRecord, place: Place) -> Annotation | None:
    points = record.data
    if len(points) < LEAST_OF_POLYGON:
        place.lose(Outcome.FAILED, INVALID_RECORD, record.id, f"a polygon of {len(points)} points")
        return None
    shape = Polygon([[*chain.from_iterable(points)]])
    if record.attrs:
        return _made(record, place, shape=shape)
    return Annotation(id=record.id, label=record.classification, shape=shape, group=record.group_id)


def _polyline(record: PolylineRecord, place: Place) -> Annotation | None:
    points = record.data
    if len(points) < LEAST_OF_POLYLINE:
        place.lose(Outcome.FAILED, INVALID_RECORD, record.id, f"a polyline of {len(points)} points")
        return None
    return _made(record, place, shape=Polyline([*chain.from_iterable(points)]))


def _joint(record: PointRecord, place: Place) -> Annotation:
    """Return a joint as an object of its own: which belong together is seen when all are there."""
    x, y = record.data
    attrs, seen = record.attrs, visibility_of(record.visibility)
    if attrs:
        said = [visibility_of(each.value) for each in attrs if each.name == VISIBILITY]
        seen = said[0] if seen is None and said else seen
        record.attrs = tuple(each for each in attrs if each.name != VISIBILITY or visibility_of(each.value) is None)
    seen = SEEN if seen is None else seen
    points = (x, y, seen) if seen else (0.0, 0.0, 0)
    return _made(record, place, keypoints=Keypoints(points, (record.classification,)))


def _label(record: LabelRecord, place: Place) -> Annotation:
    if record.data:
        record.attrs = (*record.attrs, *(Attr(name, value) for name, value in record.data.items()))
    return _made(record, place)


def _relation(record: RelationRecord, place: Place) -> Annotation:
    return _made(record, place, shape=Relation(*record.data))


def _made(record: Record, place: Place, **shape: Any) -> Annotation:  # noqa: ANN401  # box, shape or keypoints
    is_crowd, attributes = False, {}
    if record.attrs:
        attributes = attributes_of(record.attrs, record.id, place)
        if CROWD in attributes and attributes[CROWD] in {True, "true"}:
            is_crowd = True
            del attributes[CROWD]
    return Annotation(
        id=record.id,
        label=record.classification,
        attributes=attributes,
        group=record.group_id,
        is_crowd=is_crowd,
        **shape,
    )

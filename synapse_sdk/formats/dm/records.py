"""The annotations of version 2 that are about images, as they are decoded."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec import Raw, Struct

from synapse_sdk.formats.dm.tools.image import visibility_of
from synapse_sdk.formats.dm.values import as_object, list_if_any

__all__ = [
    "BAD_JSON",
    "DECODERS",
    "BoxRecord",
    "GroupRecord",
    "ImageRecords",
    "LabelRecord",
    "MaskRecord",
    "PointRecord",
    "PolygonRecord",
    "PolylineRecord",
    "Record",
    "RelationRecord",
    "VerbatimRecord",
    "decode_any",
    "mended",
]

BAD_JSON = (ValueError, RecursionError)
"""What msgspec raises for JSON that is malformed, not of the type, not UTF-8, or too deep."""
PLANE = 2
"""Numbers of a point in the plane."""


class Attr(Struct, gc=False, forbid_unknown_fields=True):
    """An attribute."""

    name: str
    value: Any = None


class Record(Struct, gc=False, kw_only=True, forbid_unknown_fields=True):
    """What every annotation has. Whatever else is there makes decoding fail: see `mended`."""

    id: str = ""
    classification: str = ""
    attrs: tuple[Attr, ...] = ()
    group_id: str = ""


class BoxRecord(Record, gc=False, kw_only=True, forbid_unknown_fields=True):
    """A box."""

    data: tuple[float, float, float, float]


class PolygonRecord(Record, gc=False, kw_only=True, forbid_unknown_fields=True):
    """An outline."""

    data: list[tuple[float, float]]


class PolylineRecord(Record, gc=False, kw_only=True, forbid_unknown_fields=True):
    """A line."""

    data: list[tuple[float, float]]


class PointRecord(Record, gc=False, kw_only=True, forbid_unknown_fields=True):
    """A joint."""

    data: tuple[float, float]
    visibility: int | None = None


class MaskRecord(Record, gc=False, kw_only=True, forbid_unknown_fields=True):
    """A mask, as numbers of pixels or as runs of them."""

    data: list[Any]
    encoding: str | None = None
    isCompressed: bool | None = None  # noqa: N815  # as documents have it
    compressionFormat: str | None = None  # noqa: N815  # as above


class LabelRecord(Record, gc=False, kw_only=True, forbid_unknown_fields=True):
    """What an image as a whole is."""

    data: dict[str, Any] | None = None


class RelationRecord(Record, gc=False, kw_only=True, forbid_unknown_fields=True):
    """A link."""

    data: tuple[str, str]


class GroupRecord(Record, gc=False, kw_only=True, forbid_unknown_fields=True):
    """Annotations that belong together."""

    data: list[str]


class VerbatimRecord(Record, gc=False, kw_only=True, forbid_unknown_fields=True):
    """Anything."""

    data: Any = None


class ImageRecords(Struct, gc=False, forbid_unknown_fields=True):
    """All annotations of an image, in the order in which items have them."""

    bounding_box: list[BoxRecord] = []
    polygon: list[PolygonRecord] = []
    polyline: list[PolylineRecord] = []
    keypoint: list[PointRecord] = []
    segmentation: list[MaskRecord] = []
    classification: list[LabelRecord] = []
    relation: list[RelationRecord] = []
    group: list[GroupRecord] = []


RECORDS: dict[str, type[Record]] = {
    "bounding_box": BoxRecord,
    "polygon": PolygonRecord,
    "polyline": PolylineRecord,
    "keypoint": PointRecord,
    "segmentation": MaskRecord,
    "classification": LabelRecord,
    "relation": RelationRecord,
    "group": GroupRecord,
}
"""What the annotations of each tool are decoded as, in the same order."""
LINES = (PolygonRecord, PolylineRecord)
DECODERS: Mapping[str, Callable[[Raw], Record]] = {
    tool: msgspec.json.Decoder(kind).decode for tool, kind in RECORDS.items()
}
decode_any = msgspec.json.Decoder().decode


def mended(raw: Raw, tool: str) -> tuple[Record, bool]:
    """Decode an annotation that is not quite as it should be, and return whether its points lost a third number.

    What is not understood becomes an attribute.

    Args:
        raw: The annotation.
        tool: Its tool; of one that is none of images the data may be anything.

    Raises:
        ValueError: It cannot be understood.
    """
    kind = RECORDS.get(tool, VerbatimRecord)
    found: dict[str, Any] = dict(as_object(decode_any(raw), "an annotation"))
    if found.get("data", kind) is None:
        del found["data"]
    found["id"], found["classification"] = _text(found.get("id")), _text(found.get("classification"))
    found["group_id"] = _text(found.get("group_id"))
    attrs = [dict(as_object(each, "an attribute")) for each in list_if_any(found.get("attrs"), "attrs")]
    if kind is PointRecord and "visibility" in found:
        found["visibility"] = visibility_of(found["visibility"])
    unknown = [key for key in found if key not in kind.__struct_fields__]
    attrs += [{"name": key, "value": found.pop(key)} for key in unknown]
    found["attrs"] = [{"name": each.get("name"), "value": each.get("value")} for each in attrs]
    is_cut = _cut(found, kind)
    return msgspec.convert(found, type=kind), is_cut


def _text(value: object) -> object:
    if value is None:
        return ""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _cut(found: dict[str, Any], kind: type[Record]) -> bool:
    """Leave two numbers of each point that has more; return whether any had."""
    data = found.get("data")
    if not isinstance(data, list):
        return False
    if kind is PointRecord and len(data) > PLANE:
        found["data"] = data[:PLANE]
        return True
    if kind in LINES and any(isinstance(each, list) and len(each) > PLANE for each in data):
        found["data"] = [each[:PLANE] if isinstance(each, list) else each for each in data]
        return True
    return False

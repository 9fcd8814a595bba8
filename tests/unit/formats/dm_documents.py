"""DM documents for tests."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from synapse_sdk.formats.dm import DocumentLoss, convert_v1_to_v2, convert_v2_to_v1

__all__ = ["SAMPLE_V1", "SAMPLE_V2", "annotation", "codes", "fresh", "to_v1", "to_v2", "v1_of", "v2_of"]

SAMPLE_V1 = """
{"assignmentId": 77,
 "extra": {"image_1": {"width": 640, "height": 480}},
 "annotations": {"image_1": [
   {"id": "b1", "tool": "bounding_box", "isLocked": false, "isVisible": true, "isValid": false, "isDrawCompleted": true,
    "classification": {"class": "car", "color": "red"}, "label": ["car"]},
   {"id": "p1", "tool": "polygon", "classification": {"class": "road"}, "label": ["road"]},
   {"id": "r1", "tool": "relation", "classification": {"class": "part_of"}},
   {"id": "y1", "tool": "classification", "classification": {"class": "indoor", "light": "dim"}}]},
 "annotationsData": {"image_1": [
   {"id": "b1", "coordinate": {"x": 10, "y": 20, "width": 30, "height": 15, "rotation": 0.2}},
   {"id": "p1", "coordinate": [{"x": 1, "y": 2, "id": "pt0000001"}, {"x": 4, "y": 2, "id": "pt0000002"},
                               {"x": 4, "y": 6, "id": "pt0000003"}]},
   {"id": "r1", "annotationId": "b1", "targetAnnotationId": "p1"},
   {"id": "y1"}]},
 "relations": {"image_1": []},
 "annotationGroups": {"image_1": []}}
"""
SAMPLE_V2 = """
{"classification": {"bounding_box": ["car"], "classification": ["indoor"], "polygon": ["road"],
                    "relation": ["part_of"]},
 "images": [{
   "bounding_box": [{"id": "b1", "classification": "car", "attrs": [{"name": "rotation", "value": 0.2},
                     {"name": "color", "value": "red"}], "data": [10, 20, 30, 15]}],
   "polygon": [{"id": "p1", "classification": "road", "attrs": [], "data": [[1, 2], [4, 2], [4, 6]]}],
   "relation": [{"id": "r1", "classification": "part_of", "attrs": [], "data": ["b1", "p1"]}],
   "classification": [{"id": "y1", "classification": "indoor", "attrs": [{"name": "light", "value": "dim"}],
                       "data": {}}]}]}
"""


def fresh(text: str) -> dict[str, Any]:
    """Return a document that a test may change."""
    found: dict[str, Any] = json.loads(text)
    return found


def v1_of(media: Mapping[str, Sequence[tuple[Mapping[str, Any], Mapping[str, Any] | None]]], **more: Any) -> Any:  # noqa: ANN401  # JSON
    """Return a document of version 1.

    Args:
        media: The entry in `annotations`, and that in `annotationsData`, of each annotation of each medium.
        more: What else it says.
    """
    return {
        "assignmentId": None,
        "extra": {},
        "annotations": {name: [dict(entry) for entry, _ in pairs] for name, pairs in media.items()},
        "annotationsData": {
            name: [dict(payload) for _, payload in pairs if payload is not None] for name, pairs in media.items()
        },
        "relations": {},
        "annotationGroups": {},
        **more,
    }


def v2_of(*images: Mapping[str, Sequence[Mapping[str, Any]]], **more: Any) -> Any:  # noqa: ANN401  # JSON
    """Return a document of version 2 with images, each a list of annotations by tool."""
    return {"classification": {}, "images": [dict(image) for image in images], **more}


def annotation(name: str, label: str, data: Any, *attrs: tuple[str, Any], **more: Any) -> dict[str, Any]:  # noqa: ANN401  # JSON
    """Return an annotation of version 2."""
    return {
        "id": name,
        "classification": label,
        "attrs": [{"name": key, "value": value} for key, value in attrs],
        "data": data,
        **more,
    }


def to_v2(v1: Mapping[str, Any]) -> tuple[dict[str, Any], list[DocumentLoss]]:
    """Return the `annotation_data` of a document, and what was lost."""
    losses: list[DocumentLoss] = []
    return convert_v1_to_v2(v1, losses=losses)["annotation_data"], losses


def to_v1(v2: Mapping[str, Any], meta: Mapping[str, Any] | None = None) -> tuple[dict[str, Any], list[DocumentLoss]]:
    """Return the document of version 1, and what was lost."""
    losses: list[DocumentLoss] = []
    return convert_v2_to_v1(v2, meta, losses=losses), losses


def codes(losses: Sequence[DocumentLoss]) -> list[tuple[str, str, str, str]]:
    """Return outcome, code, medium and annotation of losses."""
    return [(loss.outcome.value, loss.reason.code, loss.media, loss.annotation) for loss in losses]

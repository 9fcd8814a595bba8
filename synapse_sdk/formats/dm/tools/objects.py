"""Tools whose data is an object: what version 1 says about them, version 2 says in the same words."""

from synapse_sdk.formats.dm.tools.base import ObjectTool
from synapse_sdk.formats.dm.values import as_object
from synapse_sdk.types import JsonObject, JsonValue

__all__ = [
    "AnswerTool",
    "BoundingBox3dTool",
    "ClassificationTool",
    "NamedEntityTool",
    "PromptTool",
    "Segmentation3dTool",
]

LOCKED = "isLocked"


class ClassificationTool(ObjectTool):
    """Says what a medium as a whole is."""

    tool_name = "classification"


class BoundingBox3dTool(ObjectTool):
    """Boxes in point clouds: position, scale and rotation."""

    tool_name = "3d_bounding_box"

    def to_v2(self, v1_annotation: JsonObject, v1_data: JsonObject) -> dict[str, JsonValue]:
        """Return an annotation of version 2, which says whether it is locked if version 1 does."""
        found = super().to_v2(v1_annotation, v1_data)
        return found | {LOCKED: v1_annotation[LOCKED]} if LOCKED in v1_annotation else found

    def data_of(self, v1_data: JsonObject) -> JsonValue:
        """Return position, scale and rotation."""
        return dict(as_object(v1_data.get("psr"), "psr"))

    def payload_of(self, v2_annotation: JsonObject) -> dict[str, JsonValue]:
        """Return the entry in `annotationsData`, but for its id."""
        return {"psr": super().payload_of(v2_annotation)}


class Segmentation3dTool(ObjectTool):
    """Sets of points of a point cloud."""

    tool_name = "3d_segmentation"


class NamedEntityTool(ObjectTool):
    """Passages of a text."""

    tool_name = "named_entity"


class PromptTool(ObjectTool):
    """What a model was asked."""

    tool_name = "prompt"
    is_named_in_payload = True


class AnswerTool(ObjectTool):
    """What a model has answered."""

    tool_name = "answer"
    is_named_in_payload = True

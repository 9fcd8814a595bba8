"""The tools of DM: what each kind of annotation looks like in both versions."""

from synapse_sdk.extensions import ExtensionPoint
from synapse_sdk.formats.dm.tools.base import BaseTool, ObjectTool, ToolProcessor

__all__ = ["DM_TOOLS", "BaseTool", "ObjectTool", "ToolProcessor"]

DM_TOOLS = ExtensionPoint[type[ToolProcessor]](
    "DM tool",
    "synapse.dm_tools",
    {
        "bounding_box": f"{__name__}.image:BoundingBoxTool",
        "polygon": f"{__name__}.image:PolygonTool",
        "polyline": f"{__name__}.image:PolylineTool",
        "keypoint": f"{__name__}.image:KeypointTool",
        "3d_bounding_box": f"{__name__}.objects:BoundingBox3dTool",
        "segmentation": f"{__name__}.segmentation:SegmentationTool",
        "3d_segmentation": f"{__name__}.objects:Segmentation3dTool",
        "named_entity": f"{__name__}.objects:NamedEntityTool",
        "classification": f"{__name__}.objects:ClassificationTool",
        "relation": f"{__name__}.image:RelationTool",
        "prompt": f"{__name__}.objects:PromptTool",
        "answer": f"{__name__}.objects:AnswerTool",
        "time_range": f"{__name__}.segmentation:TimeRangeTool",
    },
)
"""Tools by name. Each is a class that is made without arguments."""

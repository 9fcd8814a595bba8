"""Pipelines: several actions as one durable run."""

from typing import TYPE_CHECKING

from synapse_sdk.lazy import lazy_exports

if TYPE_CHECKING:
    from synapse_sdk.plugins.pipelines.action import PipelineAction
    from synapse_sdk.plugins.pipelines.part import Part
    from synapse_sdk.plugins.pipelines.pipeline import ActionPipeline
    from synapse_sdk.plugins.pipelines.result import PipelineResult

__all__ = ["ActionPipeline", "Part", "PipelineAction", "PipelineResult"]

__getattr__ = lazy_exports(
    __name__,
    {
        "ActionPipeline": "synapse_sdk.plugins.pipelines.pipeline",
        "Part": "synapse_sdk.plugins.pipelines.part",
        "PipelineAction": "synapse_sdk.plugins.pipelines.action",
        "PipelineResult": "synapse_sdk.plugins.pipelines.result",
    },
)

"""What can be exported: tasks, assignments, ground truths, and what installed packages add."""

from synapse_sdk.extensions import ExtensionPoint
from synapse_sdk.plugins.actions.export.targets.base import ExportItem, ItemFile, Results, TargetHandler

__all__ = ["TARGETS", "ExportItem", "ItemFile", "Results", "TargetHandler"]

_HERE = "synapse_sdk.plugins.actions.export.targets"

TARGETS = ExtensionPoint[type[TargetHandler]](
    "export target",
    "synapse.export_targets",
    {
        "task": f"{_HERE}.task:TaskHandler",
        "assignment": f"{_HERE}.assignment:AssignmentHandler",
        "ground_truth": f"{_HERE}.ground_truth:GroundTruthHandler",
    },
)
"""Handlers by the name of what they export."""

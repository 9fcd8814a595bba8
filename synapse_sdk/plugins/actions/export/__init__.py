"""The export action: tasks, assignments and ground truths become folders that people can use."""

from typing import TYPE_CHECKING

from synapse_sdk.lazy import lazy_exports

if TYPE_CHECKING:
    from synapse_sdk.plugins.actions.export.action import BaseExportAction, DefaultExportAction
    from synapse_sdk.plugins.actions.export.context import ExportContext
    from synapse_sdk.plugins.actions.export.exporter import (
        BaseExporter,
        ConvertedItem,
        ErrorList,
        ExportStatus,
    )
    from synapse_sdk.plugins.actions.export.params import ExportParams, TargetFormat, WhenTaken
    from synapse_sdk.plugins.actions.export.result import ExportResult, ItemFailure
    from synapse_sdk.plugins.actions.export.targets import ExportItem, ItemFile, Results, TargetHandler
    from synapse_sdk.plugins.actions.fields import OnError

__all__ = [
    "BaseExportAction",
    "BaseExporter",
    "ConvertedItem",
    "DefaultExportAction",
    "ErrorList",
    "ExportContext",
    "ExportItem",
    "ExportParams",
    "ExportResult",
    "ExportStatus",
    "ItemFailure",
    "ItemFile",
    "OnError",
    "Results",
    "TargetFormat",
    "TargetHandler",
    "WhenTaken",
]

_ACTION = "synapse_sdk.plugins.actions.export.action"
_EXPORTER = "synapse_sdk.plugins.actions.export.exporter"
_PARAMS = "synapse_sdk.plugins.actions.export.params"
_RESULT = "synapse_sdk.plugins.actions.export.result"
_TARGETS = "synapse_sdk.plugins.actions.export.targets"

__getattr__ = lazy_exports(
    __name__,
    {
        "BaseExportAction": _ACTION,
        "BaseExporter": _EXPORTER,
        "ConvertedItem": _EXPORTER,
        "DefaultExportAction": _ACTION,
        "ErrorList": _EXPORTER,
        "ExportContext": "synapse_sdk.plugins.actions.export.context",
        "ExportItem": _TARGETS,
        "ExportParams": _PARAMS,
        "ExportResult": _RESULT,
        "ExportStatus": _EXPORTER,
        "ItemFailure": _RESULT,
        "ItemFile": _TARGETS,
        "OnError": "synapse_sdk.plugins.actions.fields",
        "Results": _TARGETS,
        "TargetFormat": _PARAMS,
        "TargetHandler": _TARGETS,
        "WhenTaken": _PARAMS,
    },
)

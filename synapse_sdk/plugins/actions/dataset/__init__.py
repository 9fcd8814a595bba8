"""The dataset action: ground truths become datasets in folders, in the format that somebody needs."""

from typing import TYPE_CHECKING

from synapse_sdk.lazy import lazy_exports

if TYPE_CHECKING:
    from synapse_sdk.plugins.actions.dataset.action import DatasetAction
    from synapse_sdk.plugins.actions.dataset.context import DatasetContext, DatasetStepContext
    from synapse_sdk.plugins.actions.dataset.params import DatasetOperation, DatasetParams
    from synapse_sdk.plugins.actions.dataset.result import ConversionCounts, DatasetResult, DownloadCounts
    from synapse_sdk.plugins.actions.dataset.steps import ConvertDatasetStep, ExportDatasetStep, PlaceDatasetStep

__all__ = [
    "ConversionCounts",
    "ConvertDatasetStep",
    "DatasetAction",
    "DatasetContext",
    "DatasetOperation",
    "DatasetParams",
    "DatasetResult",
    "DatasetStepContext",
    "DownloadCounts",
    "ExportDatasetStep",
    "PlaceDatasetStep",
]

_CONTEXT = "synapse_sdk.plugins.actions.dataset.context"
_PARAMS = "synapse_sdk.plugins.actions.dataset.params"
_RESULT = "synapse_sdk.plugins.actions.dataset.result"
_STEPS = "synapse_sdk.plugins.actions.dataset.steps"

__getattr__ = lazy_exports(
    __name__,
    {
        "ConversionCounts": _RESULT,
        "ConvertDatasetStep": _STEPS,
        "DatasetAction": "synapse_sdk.plugins.actions.dataset.action",
        "DatasetContext": _CONTEXT,
        "DatasetOperation": _PARAMS,
        "DatasetParams": _PARAMS,
        "DatasetResult": _RESULT,
        "DatasetStepContext": _CONTEXT,
        "DownloadCounts": _RESULT,
        "ExportDatasetStep": _STEPS,
        "PlaceDatasetStep": _STEPS,
    },
)

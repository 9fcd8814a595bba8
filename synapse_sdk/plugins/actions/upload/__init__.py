"""The upload action: files of a folder, an archive or a storage become data units of a collection."""

from typing import TYPE_CHECKING

from synapse_sdk.lazy import lazy_exports

if TYPE_CHECKING:
    from synapse_sdk.plugins.actions.fields import OnError
    from synapse_sdk.plugins.actions.upload.action import BaseUploadAction, DefaultUploadAction
    from synapse_sdk.plugins.actions.upload.context import UploadContext
    from synapse_sdk.plugins.actions.upload.params import AssetParams, UploadParams
    from synapse_sdk.plugins.actions.upload.result import FileFailure, MetadataCounts, UnitCounts, UploadResult

__all__ = [
    "AssetParams",
    "BaseUploadAction",
    "DefaultUploadAction",
    "FileFailure",
    "MetadataCounts",
    "OnError",
    "UnitCounts",
    "UploadContext",
    "UploadParams",
    "UploadResult",
]

_ACTION = "synapse_sdk.plugins.actions.upload.action"
_PARAMS = "synapse_sdk.plugins.actions.upload.params"
_RESULT = "synapse_sdk.plugins.actions.upload.result"

__getattr__ = lazy_exports(
    __name__,
    {
        "AssetParams": _PARAMS,
        "BaseUploadAction": _ACTION,
        "DefaultUploadAction": _ACTION,
        "FileFailure": _RESULT,
        "MetadataCounts": _RESULT,
        "OnError": "synapse_sdk.plugins.actions.fields",
        "UnitCounts": _RESULT,
        "UploadContext": "synapse_sdk.plugins.actions.upload.context",
        "UploadParams": _PARAMS,
        "UploadResult": _RESULT,
    },
)

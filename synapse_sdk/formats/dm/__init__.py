"""DM: the platform's own documents, in both versions, and datasets of them."""

from typing import TYPE_CHECKING

from synapse_sdk.lazy import lazy_exports

if TYPE_CHECKING:
    from synapse_sdk.formats.dm.converter import DocumentConverter, convert_v1_to_v2, convert_v2_to_v1
    from synapse_sdk.formats.dm.document import DmDocument, Version
    from synapse_sdk.formats.dm.document_losses import DocumentLoss, DocumentLossWarning
    from synapse_sdk.formats.dm.format import DmV1Format, DmV2Format
    from synapse_sdk.formats.dm.tools import DM_TOOLS, BaseTool, ObjectTool, ToolProcessor

__all__ = [
    "DM_TOOLS",
    "BaseTool",
    "DmDocument",
    "DmV1Format",
    "DmV2Format",
    "DocumentConverter",
    "DocumentLoss",
    "DocumentLossWarning",
    "ObjectTool",
    "ToolProcessor",
    "Version",
    "convert_v1_to_v2",
    "convert_v2_to_v1",
]

HOMES = {
    "converter": ("DocumentConverter", "convert_v1_to_v2", "convert_v2_to_v1"),
    "document": ("DmDocument", "Version"),
    "document_losses": ("DocumentLoss", "DocumentLossWarning"),
    "format": ("DmV1Format", "DmV2Format"),
    "tools": ("DM_TOOLS", "BaseTool", "ObjectTool", "ToolProcessor"),
}
"""Modules, and what they define."""

__getattr__ = lazy_exports(
    __name__, {name: f"{__name__}.{module}" for module, names in HOMES.items() for name in names}
)

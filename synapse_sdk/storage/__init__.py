"""Storages: where objects are put, under keys, and taken back from."""

from typing import TYPE_CHECKING

from synapse_sdk.lazy import lazy_exports

if TYPE_CHECKING:
    from synapse_sdk.storage.base import Content, ObjectInfo, PutResult, Storage

__all__ = ["Content", "ObjectInfo", "PutResult", "Storage"]

__getattr__ = lazy_exports(
    __name__,
    {
        "Content": "synapse_sdk.storage.base",
        "ObjectInfo": "synapse_sdk.storage.base",
        "PutResult": "synapse_sdk.storage.base",
        "Storage": "synapse_sdk.storage.base",
    },
)

"""Storages: where objects are put, under keys, and taken back from."""

from typing import TYPE_CHECKING

from synapse_sdk.lazy import lazy_exports

if TYPE_CHECKING:
    from synapse_sdk.storage.address import absolute_url, place_of
    from synapse_sdk.storage.base import Content, ObjectInfo, PutResult, Storage
    from synapse_sdk.storage.local import LocalStorage
    from synapse_sdk.storage.memory import MemoryStorage
    from synapse_sdk.storage.open import open_storage

__all__ = [
    "Content",
    "LocalStorage",
    "MemoryStorage",
    "ObjectInfo",
    "PutResult",
    "Storage",
    "absolute_url",
    "open_storage",
    "place_of",
]

__getattr__ = lazy_exports(
    __name__,
    {
        "Content": "synapse_sdk.storage.base",
        "LocalStorage": "synapse_sdk.storage.local",
        "MemoryStorage": "synapse_sdk.storage.memory",
        "ObjectInfo": "synapse_sdk.storage.base",
        "PutResult": "synapse_sdk.storage.base",
        "Storage": "synapse_sdk.storage.base",
        "absolute_url": "synapse_sdk.storage.address",
        "open_storage": "synapse_sdk.storage.open",
        "place_of": "synapse_sdk.storage.address",
    },
)

"""Where the units of an upload go."""

from dataclasses import dataclass

from synapse_sdk.backend import CollectionId, Ingestion, StorageId
from synapse_sdk.storage import Storage

__all__ = ["Destination"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where units go."""

    storage: Storage
    ingestion: Ingestion
    run: str
    collection_id: CollectionId
    storage_id: StorageId
    prefix: str
    """What keys in the storage begin with."""

    def key_of(self, sha256: str) -> str:
        """Return the key of a content: it is known by its digest, so that nothing is stored twice."""
        return f"{self.prefix}/{sha256[:2]}/{sha256}"

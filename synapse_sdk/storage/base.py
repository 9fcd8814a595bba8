"""The port of storages: where objects are put, under keys, and taken back from."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

from synapse_sdk.errors import ObjectNotFoundError

__all__ = ["CHUNK", "Content", "ObjectInfo", "PutResult", "Storage"]

CHUNK = 1 << 20
"""Bytes that are read or written at a time."""

type Content = bytes | Iterable[bytes]
"""What an object consists of; several pieces are taken one after the other and never held all at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectInfo:
    """One object of a storage, without its content."""

    key: str
    size: int
    """Bytes."""
    modified_at: datetime
    """Aware, UTC; as the storage has it."""
    etag: str | None = None
    """What the storage calls this version of the object; None if it has no such thing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PutResult:
    """What came of putting an object."""

    key: str
    size: int
    """Bytes."""
    sha256: str
    """Hexadecimal; of what was sent, and, as far as the storage tells, of what it has."""
    is_new: bool
    """False if an object of the same content was there already."""


class Storage(ABC):
    """Keeps objects under keys.

    A key is text like `photos/2024/cat.jpg`: parts between slashes, none of them empty, `.` or `..`. Any other name
    that the storage can hold comes back exactly as it was given; one that it cannot hold is refused before anything
    happens.

    All methods may be called from several threads at a time. An object appears whole or not at all.

    Raises:
        InvalidKeyError: From every method that takes a key: the key cannot be used here.
        StorageDeniedError, StorageUnavailableError, StorageFullError: From every method, for what they say.
    """

    url: str
    """Where it is, without anything secret; `open_storage` opens it again, given the same credentials."""
    in_flight: int = 16
    """How many puts at a time are a good start; 1 where they are fastest one after the other."""
    links_files: bool = False
    """Whether `put` makes use of `source`."""
    keeps_parts_aside: bool = False
    """Whether any put that dies may leave something to be cleared away; else only one of content in pieces."""

    @abstractmethod
    def put(
        self,
        key: str,
        content: Content,
        *,
        size: int | None = None,
        sha256: str | None = None,
        overwrite: bool = False,
        source: Path | None = None,
    ) -> PutResult:
        """Store an object, verified. Safe to repeat: an equal object that is there already is success.

        Args:
            key: Where to.
            content: Its bytes.
            size: How many bytes there will be; needed for content in pieces.
            sha256: The digest that the content is known to have, in hexadecimal.
            overwrite: Replace an object of other content, instead of refusing.
            source: The file that `content` is read from, for storages that were told to link instead of writing.

        Raises:
            ObjectExistsError: There is an object of other content under this key.
            StorageIntegrityError: The content had another size or digest than announced, or the storage received
                something else than was sent; nothing is stored. Sending it again may help.
        """

    @abstractmethod
    def stream(self, key: str, *, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Yield the bytes of an object, from `start` up to but without `end`, in pieces of about `CHUNK` bytes.

        Raises:
            ObjectNotFoundError: There is none; raised before the first piece, at the latest.
            StorageIntegrityError: Fewer bytes came than the object has.
        """

    @abstractmethod
    def stat(self, key: str) -> ObjectInfo:
        """Return what is known of an object.

        Raises:
            ObjectNotFoundError: There is none.
        """

    @abstractmethod
    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Yield the objects whose keys begin with a prefix, in any order; what is unfinished is not among them."""

    @abstractmethod
    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects, many at a time where the storage can. Deleting what is not there is success.

        Raises:
            StorageError: Some could not be deleted; all others are. `where["keys"]` lists them.
        """

    @abstractmethod
    def copy(self, source: str, target: str, *, overwrite: bool = False) -> None:
        """Copy an object within the storage.

        Raises:
            ObjectNotFoundError: There is no source.
            ObjectExistsError: There is a target of other content.
        """

    def flush(self) -> None:  # noqa: B027  # most storages have nothing to do
        """Make everything that was put survive a loss of power; until then it may only have survived the process."""

    def abort_unfinished(self, prefix: str = "") -> int:  # as above
        """Clear away what puts that died have left below a prefix, such as parts, and return how many of them.

        Only call it when nobody is putting objects below the prefix.
        """
        return 0

    def abort_unfinished_of(self, keys: Iterable[str]) -> None:
        """Clear away what puts to these keys that died have left.

        Only call it when nobody is putting these objects.
        """
        for key in keys:
            self.abort_unfinished(key)

    def close(self) -> None:  # noqa: B027  # as above
        """Release connections; safe to call twice."""

    # On top of these

    def get(self, key: str) -> bytes:
        """Return a whole object. Raises as `stream` does."""
        return b"".join(self.stream(key))

    def exists(self, key: str) -> bool:
        """Whether there is an object of this key."""
        try:
            self.stat(key)
        except ObjectNotFoundError:
            return False
        return True

    def checksum(self, key: str) -> str:
        """Return the SHA-256 of an object in hexadecimal, by reading it. Raises as `stream` does."""
        digest = hashlib.sha256()
        for piece in self.stream(key):
            digest.update(piece)
        return digest.hexdigest()

    def __enter__(self) -> Self:
        """Use it for a while."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

"""A storage in the memory of this process: the complete twin of the others, for tests and small jobs."""

import secrets
import threading
import weakref
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from synapse_sdk.clock import SYSTEM_CLOCK, Clock
from synapse_sdk.errors import ObjectExistsError, ObjectNotFoundError
from synapse_sdk.storage.base import CHUNK, Content, ObjectInfo, PutResult, Storage
from synapse_sdk.storage.content import Meter, span
from synapse_sdk.storage.keys import KeyRules

__all__ = ["MemoryStorage"]

RULES = KeyRules()


@dataclass(frozen=True, slots=True)
class _Object:
    content: bytes
    sha256: str
    modified_at: datetime


class MemoryStorage(Storage):
    """Keeps objects in the memory of this process.

    Args:
        name: Storages of one name share their objects for as long as the process lives; without a name it is a new,
            empty one.
        clock: Where the time comes from.

    Example:
        >>> storage = MemoryStorage()
        >>> storage.put("photos/cat.jpg", b"meow").is_new
        True
        >>> storage.get("photos/cat.jpg")
        b'meow'
    """

    def __init__(self, name: str = "", *, clock: Clock = SYSTEM_CLOCK) -> None:
        self.url = f"memory://{name or secrets.token_hex(6)}"
        self._clock = clock
        self._box = _shared(self.url, keep=bool(name))

    def __repr__(self) -> str:
        return f"MemoryStorage({self.url!r})"

    def put(
        self,
        key: str,
        content: Content,
        *,
        size: int | None = None,
        sha256: str | None = None,
        overwrite: bool = False,
        source: Path | None = None,  # there is nothing to link
    ) -> PutResult:
        """Store an object; see `Storage.put`."""
        RULES.check(key)
        meter = Meter(key, content, size=size, sha256=sha256)
        new = _Object(meter.join(), meter.sha256, self._clock.now())
        with self._box.lock:
            old = self._box.objects.get(key)
            is_new = old is None or old.sha256 != new.sha256
            if old is not None and is_new and not overwrite:
                msg = f"{self.url} has another object under {key!r} already"
                raise ObjectExistsError(msg, fix="Choose another key, or say overwrite", key=key)
            if is_new:
                self._box.objects[key] = new
        return PutResult(key=key, size=meter.size, sha256=new.sha256, is_new=is_new)

    def stream(self, key: str, *, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Yield the bytes of an object; see `Storage.stream`."""
        content = self._find(key).content
        first, last = span(len(content), start, end)
        return (content[at : min(at + CHUNK, last)] for at in range(first, last, CHUNK))

    def stat(self, key: str) -> ObjectInfo:
        """Return what is known of an object; see `Storage.stat`."""
        return _info(key, self._find(key))

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Yield the objects whose keys begin with a prefix, as they are at this moment, in order."""
        with self._box.lock:
            found = sorted((key, each) for key, each in self._box.objects.items() if key.startswith(prefix))
        return (_info(key, each) for key, each in found)

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects; see `Storage.delete`."""
        wanted = [key for key in keys if RULES.check(key)]
        with self._box.lock:
            for key in wanted:
                self._box.objects.pop(key, None)

    def copy(self, source: str, target: str, *, overwrite: bool = False) -> None:
        """Copy an object; see `Storage.copy`."""
        RULES.check(target)
        self.put(target, self._find(source).content, overwrite=overwrite)

    def _find(self, key: str) -> _Object:
        RULES.check(key)
        with self._box.lock:
            found = self._box.objects.get(key)
        if found is None:
            msg = f"{self.url} has no object {key!r}"
            raise ObjectNotFoundError(msg, key=key)
        return found


class _Box:
    """What storages of one name share."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.objects: dict[str, _Object] = {}


_boxes: weakref.WeakValueDictionary[str, _Box] = weakref.WeakValueDictionary()
_kept: dict[str, _Box] = {}
_lock = threading.Lock()


def _shared(url: str, *, keep: bool) -> _Box:
    with _lock:
        box = _boxes.setdefault(url, _Box())
        if keep:
            _kept[url] = box
        return box


def _info(key: str, found: _Object) -> ObjectInfo:
    return ObjectInfo(key=key, size=len(found.content), modified_at=found.modified_at, etag=found.sha256)

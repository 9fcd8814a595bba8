"""A storage in an object store: S3 and what is compatible with it, Google Cloud Storage, Azure."""

import contextlib
import hashlib
import secrets
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import batched, chain
from pathlib import Path
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, PreconditionError

from synapse_sdk.clock import SYSTEM_CLOCK, Clock
from synapse_sdk.errors import (
    ObjectExistsError,
    ObjectNotFoundError,
    StorageError,
    StorageIntegrityError,
    StorageUnavailableError,
)
from synapse_sdk.retry import RetryPolicy, retry
from synapse_sdk.storage.base import CHUNK, Content, ObjectInfo, PutResult, Storage
from synapse_sdk.storage.content import Meter, span
from synapse_sdk.storage.handover import send_elsewhere
from synapse_sdk.storage.keys import KeyRules
from synapse_sdk.storage.object_store_errors import Answer, object_errors
from synapse_sdk.storage.parts import PartsDigest, part_size, parts_in_flight
from synapse_sdk.storage.undeleted import undeleted

if TYPE_CHECKING:
    from obstore import ObjectMeta
    from obstore.store import ObjectStore

    from synapse_sdk.storage.s3_uploads import S3Uploads

__all__ = ["ObjectStorage"]

SMALL = 8 << 20
"""Bytes up to which an object is sent in one request."""
BATCH = 250
"""Keys that are deleted in one request; S3 takes up to 1,000, which takes it longer than four requests side by side."""
DELETED_AT_A_TIME = 4
"""Requests that delete."""
SERVER_COPIES = 5 << 30
"""Bytes up to which S3 copies an object by itself."""
MARK = "synapseput"
"""The name of a note that each put leaves at its object, by which it knows it again."""
DELETES = RetryPolicy(max_attempts=5, delay=0.1, max_delay=5.0, jitter=0.5, retry_on=StorageUnavailableError)
"""How a request that deletes is repeated: obstore does not know that this one may be, and gives up when it is cut."""
PAUSES = (0.0, 0.05, 0.2, 0.5, 1.0)
"""Seconds before each try to make an object while somebody else is making it."""


@dataclass(frozen=True, slots=True)
class _Found:
    info: ObjectInfo
    mark: str | None


class _OvertakenError(Exception):
    """Somebody else has put the same content while it was being sent."""


class ObjectStorage(Storage):
    """Keeps objects in an object store.

    Up to 8 MiB travel in one request that the store refuses if there is an object already. More travel in parts,
    with at most 48 MiB of them in memory, and are completed only when size and digest are right; since the store
    does not refuse there, it is asked before the first part and after the last, and of two writers of different
    content who complete in the same instant the later one wins.

    What the store says it has received is compared with what was sent: by MD5 where its ETag is one, else by reading
    the object back. Only where S3 encrypts, so that ETags say nothing, the signed digest of the request has to do,
    from the second object on. What differs is deleted.

    An answer that was lost on its way is no conflict: each put marks its object (metadata `synapseput`), and so knows
    it again.

    Args:
        store: Of obstore.
        url: Without anything secret.
        prefix: What is put before each key; empty, or with a slash at its end.
        rules: Which keys it can hold.
        uploads: The unfinished uploads of the bucket, where they can be listed. Elsewhere Azure removes them after a
            week and Google Cloud Storage by the bucket's rules.
        secrets: What no message may show.
        signs_content: Whether requests carry a digest that the store checks.
        clock: What waits.
    """

    def __init__(
        self,
        store: "ObjectStore",
        url: str,
        *,
        prefix: str = "",
        rules: KeyRules,
        uploads: "S3Uploads | None" = None,
        secrets: Sequence[str] = (),
        signs_content: bool = False,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self.url = url
        self._store, self._prefix, self._rules, self._uploads = store, prefix, rules, uploads
        self._secrets, self._clock = tuple(secrets), clock
        self._signs_content = signs_content
        self._has_other_etags = False
        """Whether ETags have turned out to be something else than MD5s."""

    def __repr__(self) -> str:
        return f"ObjectStorage({self.url!r})"

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
        """Store an object; see `Storage.put`. It is durable on return."""
        self._rules.check(key, self._prefix)
        meter = Meter(key, content, size=size, sha256=sha256)
        with object_errors(self.url, key, self._secrets, meter):
            put = self._put_whole if meter.announced <= SMALL else self._put_parts
            is_new = put(key, meter, overwrite=overwrite)
        return PutResult(key=key, size=meter.size, sha256=meter.sha256, is_new=is_new)

    def _put_whole(self, key: str, meter: Meter, *, overwrite: bool) -> bool:
        body = meter.join()
        md5, mark = hashlib.md5(body, usedforsecurity=False).hexdigest(), secrets.token_hex(8)
        if overwrite and (found := self._find(key)) is not None and self._is_equal(key, found, meter, md5):
            return False
        etag = self._replace(key, body, mark) if overwrite else self._create(key, body, mark)
        if etag is None and (found := self._find(key)) is not None:
            if found.mark != mark:
                return self._refuse_unless_equal(key, found, meter, md5)
            etag = found.info.etag  # it was made here, and the answer was lost
        self._verify(key, meter, etag, md5, mark)
        return True

    def _replace(self, key: str, body: bytes, mark: str) -> str | None:
        return obstore.put(self._store, self._path(key), body, attributes={MARK: mark}, use_multipart=False)["e_tag"]

    def _create(self, key: str, body: bytes, mark: str) -> str | None:
        """Make an object unless there is one; return its ETag, or None if there is one, perhaps from here.

        obstore does not repeat such a request when the connection breaks, since nobody knows whether the store has
        acted. Here that is no matter: the mark tells.
        """
        for pause in PAUSES:
            if pause:
                self._clock.sleep(pause)
            is_last = pause == PAUSES[-1]
            try:
                return obstore.put(
                    self._store, self._path(key), body, mode="create", attributes={MARK: mark}, use_multipart=False
                )["e_tag"]
            except (AlreadyExistsError, PreconditionError):
                if self._find(key) is not None:
                    return None
                # 409: somebody else is about to make it, and nobody has yet
            except BaseError as error:
                answer = Answer(str(error))
                if is_last or answer.is_late or not answer.is_missing:
                    raise
        msg = f"{self.url} does not let {key!r} be made: others are at it again and again"
        raise StorageUnavailableError(msg, key=key)

    def _put_parts(self, key: str, meter: Meter, *, overwrite: bool) -> bool:
        if self._has_before(key, meter, overwrite=overwrite):
            return False
        size, mark = part_size(meter.announced), secrets.token_hex(8)
        digest = PartsDigest(size)

        def send(pieces: Iterator[bytes]) -> str | None:
            answer = obstore.put(
                self._store,
                self._path(key),
                pieces,
                attributes={MARK: mark},
                use_multipart=True,
                chunk_size=size,
                max_concurrency=parts_in_flight(size),
            )
            return answer["e_tag"]

        def ask_again() -> None:
            if not overwrite and (other := self._find(key)) is not None:
                raise _OvertakenError if self._has_content(key, other, meter) else self._exists(key)

        try:
            etag = send_elsewhere(digest.reading(meter), send, ask_again)
        except _OvertakenError:
            return False
        except (BaseError, FileNotFoundError):
            found = self._find(key)
            if found is None or found.mark != mark:
                raise
            etag = found.info.etag  # it was completed, and the answer was lost
        self._verify(key, meter, etag, digest.etag, mark)
        return True

    def _has_before(self, key: str, meter: Meter, *, overwrite: bool) -> bool:
        """Whether the content is there before it is sent, as far as that can be known."""
        found = self._find(key)
        if found is None or (overwrite and meter.announced_sha256 is None):
            return False
        if not overwrite and found.info.size == meter.announced:
            meter.drain()
        is_equal = self._has_content(key, found, meter)
        if not is_equal and not overwrite:
            raise self._exists(key)
        return is_equal

    def _verify(self, key: str, meter: Meter, etag: str | None, expected: str, mark: str) -> None:
        """Compare what the store has with what was sent, and delete it if it differs."""
        if (etag or "").strip('"') == expected or self._has_other_etags:
            return
        if self.checksum(key) == meter.sha256:
            self._has_other_etags = self._signs_content and etag is not None
            return
        found = self._find(key)
        if found is not None and found.mark == mark:
            obstore.delete(self._store, [self._path(key)])
        msg = f"{self.url} has received something else than was sent for {key!r}; it was deleted again"
        raise StorageIntegrityError(msg, fix="Send it again", key=key)

    def _refuse_unless_equal(self, key: str, found: _Found, meter: Meter, md5: str) -> bool:
        if self._is_equal(key, found, meter, md5):
            return False
        raise self._exists(key)

    def _is_equal(self, key: str, found: _Found, meter: Meter, md5: str) -> bool:
        is_same = (found.info.etag or "").strip('"') == md5
        return found.info.size == meter.size and (is_same or self.checksum(key) == meter.sha256)

    def _has_content(self, key: str, found: _Found, meter: Meter) -> bool:
        """Whether an object is what has been read or, before that, what was announced."""
        sha256 = meter.sha256 if meter.size else meter.announced_sha256
        return found.info.size == meter.announced and self.checksum(key) == sha256

    def _find(self, key: str) -> _Found | None:
        """Ask for an object without its content; None if there is none."""
        try:
            answer = obstore.get(self._store, self._path(key), options={"head": True})
        except FileNotFoundError:
            return None
        mark = answer.attributes.get(MARK)
        return _Found(self._info(key, answer.meta), mark)

    def stream(self, key: str, *, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Yield the bytes of an object; see `Storage.stream`."""
        self._rules.check(key, self._prefix)
        span(0, start, end)  # refuses what is no range
        with self._errors(key):
            if start or end is not None:
                first, last = span(self.stat(key).size, start, end)
                if first == last:
                    return
                answer = obstore.get(self._store, self._path(key), options={"range": (first, last)})
            else:
                answer = obstore.get(self._store, self._path(key))
                first, last = 0, answer.meta["size"]
            came = 0
            for piece in answer.stream(min_chunk_size=CHUNK):
                came += len(piece)
                yield bytes(piece)
            if came != last - first:
                msg = f"{self.url} has sent {came} of {last - first} bytes of {key!r}"
                raise StorageIntegrityError(msg, fix="Read it again", key=key)

    def stat(self, key: str) -> ObjectInfo:
        """Return what is known of an object; see `Storage.stat`."""
        self._rules.check(key, self._prefix)
        with self._errors(key):
            return self._info(key, obstore.head(self._store, self._path(key)))

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Yield the objects whose keys begin with a prefix, as the store lists them, page by page."""
        whole = self._prefix + prefix
        folder, _, rest = whole.rpartition("/")
        with self._errors(prefix):
            offset = whole[:-1] if len(rest) > 1 and rest[:-1] not in {".", ".."} else None
            for meta in chain.from_iterable(obstore.list(self._store, folder or None, offset=offset)):
                if meta["path"].startswith(whole):
                    yield self._info(meta["path"].removeprefix(self._prefix), meta)

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects, many in a request; see `Storage.delete`."""
        wanted = [key for key in keys if self._rules.check(key, self._prefix)]
        failed: dict[str, StorageError] = {}
        with ThreadPoolExecutor(DELETED_AT_A_TIME) as pool:
            for some in pool.map(self._delete_some, batched(wanted, BATCH)):
                failed |= some
        if failed:
            raise undeleted(self.url, failed)

    def _delete_some(self, keys: Sequence[str]) -> dict[str, StorageError]:
        """Delete objects, in one request if that is possible, and return those that could not be deleted."""
        try:
            retry(partial(self._delete_batch, keys), DELETES, clock=self._clock)
        except StorageUnavailableError:
            raise
        except StorageError:  # of one of them, or because it is not there: which ones only shows one by one
            return self._delete_each(keys)
        return {}

    def _delete_batch(self, keys: Sequence[str]) -> None:
        with self._errors(keys[0]):
            obstore.delete(self._store, [self._path(key) for key in keys])

    def _delete_each(self, keys: Sequence[str]) -> dict[str, StorageError]:
        """Delete objects one by one, several at a time, and return those that could not be deleted."""

        def attempt(key: str) -> StorageError | None:
            try:
                with self._errors(key):
                    obstore.delete(self._store, self._path(key))
            except ObjectNotFoundError:
                return None
            except StorageError as error:
                return error
            return None

        with ThreadPoolExecutor(8) as pool:
            outcomes = zip(keys, pool.map(attempt, keys), strict=True)
            return {key: error for key, error in outcomes if error is not None}

    def copy(self, source: str, target: str, *, overwrite: bool = False) -> None:
        """Copy an object, within the store if it is large; see `Storage.copy`."""
        self._rules.check(target, self._prefix)
        info = self.stat(source)
        if not SMALL < info.size <= SERVER_COPIES:
            self.put(target, self.stream(source), size=info.size, overwrite=overwrite)
            return
        with self._errors(target):
            found = self._find(target)
            if found is not None and not overwrite:
                if found.info.size == info.size and self.checksum(target) == self.checksum(source):
                    return
                raise self._exists(target)
            obstore.copy(self._store, self._path(source), self._path(target))

    def abort_unfinished(self, prefix: str = "") -> int:
        """Abort unfinished uploads below a prefix; see `Storage.abort_unfinished`.

        Only on S3, and not where obstore fetches the credentials itself: there a rule of the bucket has to do it
        (`AbortIncompleteMultipartUpload`). Azure and Google Cloud Storage clear them away by themselves.
        """
        if self._uploads is None:
            return 0
        count = 0
        for key, upload_id in tuple(self._uploads.unfinished(self._prefix + prefix)):
            self._uploads.abort(key, upload_id)
            count += 1
        return count

    def _path(self, key: str) -> str:
        return self._prefix + key

    def _info(self, key: str, meta: "ObjectMeta") -> ObjectInfo:
        return ObjectInfo(key=key, size=meta["size"], modified_at=meta["last_modified"], etag=meta["e_tag"])

    def _exists(self, key: str) -> ObjectExistsError:
        msg = f"{self.url} has another object under {key!r} already"
        return ObjectExistsError(msg, fix="Choose another key, or say overwrite", key=key)

    def _errors(self, key: str) -> contextlib.AbstractContextManager[None]:
        return object_errors(self.url, key, self._secrets)

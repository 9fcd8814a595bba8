"""Reading one file and putting it into a storage: what happens in a worker thread."""

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Event
from typing import Any

from synapse_sdk.backend import DataUnit
from synapse_sdk.errors import StorageDeniedError
from synapse_sdk.plugins.actions.upload.accounting import FileRefusedError, Reason
from synapse_sdk.plugins.actions.upload.sources import OpenFile, Source
from synapse_sdk.storage import PutResult, Storage
from synapse_sdk.storage.content import Digested

__all__ = ["SMALL", "FileJob", "UnitJob", "clear_leftovers", "may_leave_parts", "put_file", "read_file"]

SMALL = 8 << 20
"""Files of at most so many bytes are read once and kept until they are sent; larger ones are read again to be sent."""


@dataclass(slots=True, eq=False)
class UnitJob:
    """A data unit on its way."""

    unit: dict[str, Any]
    """As in `UploadContext.data_units`."""
    files: "list[FileJob]" = field(default_factory=list)
    waiting: int = 0
    """Files that are neither there nor failed."""
    has_failed: bool = False
    known: DataUnit | None = None
    """The live unit of another run that has its key already: nothing of it is sent, whatever is in its files."""

    @property
    def is_known(self) -> bool:
        """Whether the unit that is there already has the same files; to be asked once all of them are read."""
        there = {} if self.known is None else {name: file.sha256 for name, file in self.known.files.items()}
        return there == {file.specification: file.sha256 for file in self.files}


@dataclass(slots=True, eq=False)
class FileJob:
    """A file on its way."""

    unit: UnitJob
    specification: str
    path: str
    """As the context knows it."""
    source: Source
    inside: str
    """Its path in the source."""
    checked: tuple[int, int] | None
    """Size and version when the file was checked; None for one that a step has added since."""
    weight: int = SMALL
    """What it counts for while it is on its way, in bytes of memory."""
    size: int = 0
    content: Digested | None = None
    """The bytes of a small file, from when they were read until they were sent."""
    sha256: str = ""
    hashed: int = 0
    """Bytes of a large file that its digest has been worked out of so far; does not fall when it is read again."""
    file_id: int = 0
    key: str = ""
    is_retried: bool = False
    """Whether an earlier worker may have left a part of it in the storage."""
    is_sent: bool = False
    """Whether this run has put it."""
    attempts: int = 0
    under_way: int = 0
    """Bytes of a large file that the storage has taken so far."""
    refusal: FileRefusedError | None = None
    """Why reading it failed in the middle of being sent."""

    @property
    def name(self) -> str:
        """What the file is called below the folder of its specification."""
        return self.path.rpartition("/")[2] if self.path.startswith("/") else self.path.partition("/")[2]

    @property
    def is_large(self) -> bool:
        """Whether it is read again when it is sent."""
        return self.size > SMALL


def read_file(job: FileJob, stop: Event) -> None:
    """Read a file and work out its digest; a small one is kept. A large one is left in the middle once `stop` is set.

    Raises:
        FileRefusedError: It cannot be read, or is not what it was when it was checked.
    """
    with job.source.open(job.inside) as file:
        if job.checked is not None and job.checked != (file.size, file.version):
            raise FileRefusedError(Reason.FILE_CHANGED, "it has changed since it was checked")
        if file.size == 0:
            raise FileRefusedError(Reason.EMPTY_FILE, "it has no bytes")
        job.checked, job.size = (file.size, file.version), file.size
        if file.size <= SMALL:
            job.content = Digested(file.read())
            job.sha256 = job.content.sha256
            return
        digest, hashed = hashlib.sha256(), 0
        for piece in _until(stop, file.pieces()):
            digest.update(piece)
            hashed += len(piece)
            job.hashed = max(job.hashed, hashed)
        job.sha256 = digest.hexdigest()


def put_file(job: FileJob, storage: Storage, stop: Event) -> PutResult:
    """Put a file that was read. A large one is left in the middle, with nothing in the storage, once `stop` is set.

    Raises:
        FileRefusedError: A large file is not any more what it was when it was read.
        StorageError: As `Storage.put`.
    """
    if job.is_retried or job.attempts:  # where an answer was lost, there may be parts that nobody knows of
        clear_leftovers(storage, job.key, job.size)
    if job.content is not None and not storage.links_files:
        return storage.put(job.key, job.content, size=job.size, sha256=job.sha256)
    with job.source.open(job.inside) as file:
        if job.checked != (file.size, file.version):
            raise FileRefusedError(Reason.FILE_CHANGED, "it has changed since it was read")
        try:
            pieces = _until(stop, _counted(job, file))
            result = storage.put(job.key, pieces, size=job.size, sha256=job.sha256, source=file.local_path)
        except Exception as error:
            if job.refusal is not None:  # storages wrap what the content raises
                raise job.refusal from error
            raise
    if job.is_large and not storage.keeps_parts_aside:
        with suppress(StorageDeniedError):  # whoever may not list unfinished uploads has a rule that ends them
            storage.abort_unfinished(job.key)  # one whose very beginning was answered in vain is begun again
    return result


def clear_leftovers(storage: Storage, key: str, size: int) -> None:
    """Clear away what a put that died may have left of an object."""
    if may_leave_parts(storage, size):
        storage.abort_unfinished(key)


def may_leave_parts(storage: Storage, size: int) -> bool:
    """Whether a put of so many bytes that dies may leave something."""
    return size > SMALL or storage.keeps_parts_aside


def _until(stop: Event, pieces: Iterator[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        if stop.is_set():
            raise FileRefusedError(Reason.UPLOAD_FAILED, "the upload was stopped")
        yield piece


def _counted(job: FileJob, file: OpenFile) -> Iterator[bytes]:
    """Yield the content of a large file, and keep account of how much of it is under way."""
    job.under_way, job.refusal = 0, None
    try:
        for piece in file.pieces():
            yield piece
            job.under_way += len(piece)
    except FileRefusedError as refusal:
        job.refusal = refusal
        raise

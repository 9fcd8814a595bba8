"""From a file to the archive it holds, by its content."""

import bz2
import gzip
import lzma
import os
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import BinaryIO, cast

from synapse_sdk.documents.archives.limits import ArchiveLimits, Budget, refusal
from synapse_sdk.documents.archives.members import ArchiveMember, Source
from synapse_sdk.documents.archives.tarred import TarSource
from synapse_sdk.documents.archives.zipped import ZipSource
from synapse_sdk.documents.regular import open_regular

__all__ = ["list_archive", "open_source"]

ZIP = (b"PK\x03\x04", b"PK\x05\x06")
ZSTD = b"\x28\xb5\x2f\xfd"
OPENERS: dict[bytes, Callable[[BinaryIO], object]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\x00": lzma.open,
}
"""What a compressed file begins with, and what unpacks it."""
FIX = "Use a .zip, or a .tar that may be compressed as .gz, .bz2 or .xz"


def list_archive(
    path: str | os.PathLike[str], limits: ArchiveLimits | None = None, *, encoding: str = "cp437"
) -> Iterator[ArchiveMember]:
    """Yield the files and folders of a zip or tar archive, as they would be unpacked.

    Args:
        path: The archive; its content says what it is. A tar may be compressed with gzip, bzip2, xz or, from Python
            3.14 on, zstd.
        limits: What may come out of it; by default `ArchiveLimits()`.
        encoding: In what names of a zip are that are not UTF-8; cp949 for archives from Korean Windows.

    Raises:
        UnsafeArchiveError: It cannot be read, is damaged, is no archive, holds something other than files and folders
            with safe names, or exceeds a limit. Also raised while members are yielded.
    """
    with open_source(path, limits or ArchiveLimits(), encoding) as (source, _):
        for entry in source.entries():
            yield entry.member


@contextmanager
def open_source(path: str | os.PathLike[str], limits: ArchiveLimits, encoding: str) -> Iterator[tuple[Source, Budget]]:
    """Open an archive; yield it, and what may come out of it.

    Raises:
        UnsafeArchiveError: It cannot be read, or is no archive.
    """
    archive = os.fspath(path)
    with open_regular(Path(path), partial(refusal, archive)) as file:
        budget = Budget(archive, os.fstat(file.fileno()).st_size, limits)
        yield _source(file, budget, encoding), budget


def _source(file: BinaryIO, budget: Budget, encoding: str) -> Source:
    head = file.read(tarfile.BLOCKSIZE)
    file.seek(0)
    if head.startswith(ZIP):
        return ZipSource(file, budget, encoding)
    opener = next((opener for magic, opener in OPENERS.items() if head.startswith(magic)), None)
    if head.startswith(ZSTD):
        opener = _zstd(budget.archive)
    if opener is not None:
        return TarSource(cast("BinaryIO", opener(file)), budget, is_compressed=True)
    if _begins_tar(head):
        return TarSource(file, budget, is_compressed=False)
    raise refusal(budget.archive, "it is no archive" if head else "it is empty", FIX)


def _begins_tar(head: bytes) -> bool:
    """Whether a block has the checksum of a header of tar; the oldest ones have nothing else to tell them by."""
    try:
        tarfile.TarInfo.frombuf(head, "utf-8", "surrogateescape")
    except tarfile.TarError:
        return False
    return True


def _zstd(archive: str) -> Callable[[BinaryIO], object]:
    try:
        module = import_module("compression.zstd")
    except ImportError as error:
        raise refusal(archive, "it is compressed with zstd, which Python has from 3.14 on", FIX) from error
    opener: Callable[[BinaryIO], object] = module.open
    return opener

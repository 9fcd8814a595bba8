"""Zip archives."""

import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from functools import partial
from lzma import LZMAError
from typing import BinaryIO

from synapse_sdk.documents.archives.limits import Budget, refusal
from synapse_sdk.documents.archives.members import ArchiveMember, Entry
from synapse_sdk.documents.archives.names import Names

__all__ = ["ZipSource"]

BLOCK = 256 * 1024
ENCRYPTED, IS_UTF_8 = 0x1, 0x800
UNICODE_PATH = 0x7075
EXTRA_HEADER = struct.Struct("<HH")
PATH_HEADER = struct.Struct("<BL")
END = struct.Struct("<4s4H2LH")
END_MAGIC, END_64_MAGIC = b"PK\x05\x06", b"PK\x06\x06"
TAIL = 65_536 + END.size + 128
BYTES_OF_AN_ENTRY = 1024
"""Bytes of the directory that an entry may take on the average; a usual one takes 100."""
DAMAGED = "Fetch it again, or pack it anew"
BROKEN = (zipfile.BadZipFile, zlib.error, LZMAError, EOFError, NotImplementedError, RuntimeError, OSError, ValueError)
"""What the zip and compression modules raise about data they cannot read."""


class ZipSource:
    """An open zip archive.

    Args:
        file: The archive.
        budget: What may come out of it.
        encoding: In what names are that neither say that they are UTF-8, nor are.
    """

    def __init__(self, file: BinaryIO, budget: Budget, encoding: str) -> None:
        self._budget = budget
        self._archive = budget.archive
        self._encoding = encoding
        self._check_directory(file)
        try:
            self._zip = zipfile.ZipFile(file)
        except (*BROKEN, struct.error) as error:
            raise refusal(self._archive, f"it is damaged or cut off ({error})", DAMAGED) from error

    def entries(self) -> Iterator[Entry]:
        """Yield all entries; raises what `Source.entries` says."""
        names = Names(self._archive)
        budget = self._budget.again()
        for info in self._zip.infolist():
            name = decoded_name(info, self._encoding)
            self._check_kind(info, name)
            is_folder = name.endswith("/") or stat.S_ISDIR(info.external_attr >> 16)
            path = names.add(name, is_folder=is_folder)
            if not path:
                continue
            size = 0 if is_folder else info.file_size
            budget.count_member(path, size)
            member = ArchiveMember(name=path, size=size, is_folder=is_folder, crc=None if is_folder else info.CRC)
            yield Entry(member, partial(self._blocks, info, member))

    def _blocks(self, info: zipfile.ZipInfo, member: ArchiveMember) -> Iterator[bytes]:
        size = 0
        try:
            with self._zip.open(info) as content:
                while block := content.read(BLOCK):
                    size += len(block)
                    yield block
        except BROKEN as error:
            raise refusal(self._archive, f"it is damaged ({error})", DAMAGED, member=member.name) from error
        if size != info.file_size:
            why = f"it has {size:,} bytes instead of {info.file_size:,}"
            raise refusal(self._archive, why, DAMAGED, member=member.name)

    def _check_kind(self, info: zipfile.ZipInfo, name: str) -> None:
        if info.flag_bits & ENCRYPTED:
            raise refusal(self._archive, "it is encrypted", "Pack it without a password", member=name)
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
            what = "a link" if kind == stat.S_IFLNK else "a device, pipe or socket"
            raise refusal(self._archive, f"it is {what}", "Pack files and folders only", member=name)

    def _check_directory(self, file: BinaryIO) -> None:
        """Refuse a directory of millions of entries before it is loaded."""
        size = file.seek(0, 2)
        file.seek(max(0, size - TAIL))
        tail = file.read(TAIL)
        file.seek(0)
        begin = tail.rfind(END_MAGIC)
        if begin < 0 or len(tail) - begin < END.size:
            raise refusal(self._archive, "it is cut off: its directory is missing", DAMAGED)
        directory = END.unpack_from(tail, begin)[5]
        begin_64 = tail.rfind(END_64_MAGIC)
        if 0 <= begin_64 <= len(tail) - 56:
            directory = max(directory % 0xFFFFFFFF, struct.unpack_from("<Q", tail, begin_64 + 40)[0])
        limits = self._budget.limits
        if min(directory, size) > limits.entries * BYTES_OF_AN_ENTRY:
            most = min(directory, size) // BYTES_OF_AN_ENTRY
            self._budget.refuse("entries", limits.entries, most, "its directory is as large as {actual} entries", None)


def decoded_name(info: zipfile.ZipInfo, encoding: str) -> str:
    """Return the name of a member as its author meant it, as far as that can be known.

    In this order: what says that it is UTF-8; the Unicode path that some programs add; what is valid UTF-8 although it
    does not say so; and else the encoding.
    """
    name = info.orig_filename
    if info.flag_bits & IS_UTF_8 or name.isascii():
        return name
    raw = name.encode("cp437")
    told = _unicode_path(info.extra, raw)
    if told is not None:
        return told
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode(encoding, "surrogateescape")


def _unicode_path(extra: bytes, raw: bytes) -> str | None:
    """Return the name in the Unicode path field, if it is about this very name."""
    while len(extra) >= EXTRA_HEADER.size:
        kind, length = EXTRA_HEADER.unpack_from(extra)
        content = extra[EXTRA_HEADER.size : EXTRA_HEADER.size + length]
        extra = extra[EXTRA_HEADER.size + length :]
        if kind == UNICODE_PATH and len(content) > PATH_HEADER.size:
            version, checksum = PATH_HEADER.unpack_from(content)
            if version == 1 and checksum == zlib.crc32(raw):
                return content[PATH_HEADER.size :].decode("utf-8", "surrogateescape")
    return None

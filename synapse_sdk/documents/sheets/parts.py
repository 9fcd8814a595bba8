"""The parts of an .xlsx file, unpacked under a cap on what really comes out, before anybody else looks at them."""

import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from synapse_sdk.documents.sheets.limits import SheetLimits, excess, refusal

__all__ = ["Parts"]

LOCAL_HEADER = struct.Struct("<4s5H3L2H")
LOCAL_MAGIC = b"PK\x03\x04"
ENCRYPTED = 0x1
BLOCK = 256 * 1024
DAMAGED = "Open it in a spreadsheet program and save it anew"
WORKBOOK = "xl/workbook.xml"
OTHERS = {
    "xl/workbook.bin": "it is a binary workbook (.xlsb)",
    "word/document.xml": "it is a Word document",
    "ppt/presentation.xml": "it is a presentation",
    "content.xml": "it is an OpenDocument file (.ods)",
    "index/document.iwa": "it is a Numbers file",
}
"""What else comes as a zip file, by a part that gives it away."""


@dataclass(slots=True)
class Parts:
    """The parts of a workbook.

    Sizes are counted, never believed: another reader of the same file may not stop where a header says that it should.
    """

    origin: str
    limits: SheetLimits
    file: BinaryIO
    infos: dict[str, zipfile.ZipInfo]
    """By name, in the order of the file."""
    unpacked: int = 0
    """Bytes that have come out so far."""

    @classmethod
    def of(cls, file: BinaryIO, origin: str, limits: SheetLimits) -> "Parts":
        """List the parts.

        Raises:
            InvalidSheetError: It is damaged, encrypted, no workbook, or has too many parts.
        """
        try:
            with zipfile.ZipFile(file) as archive:
                listed = archive.infolist()
        except (zipfile.BadZipFile, NotImplementedError, UnicodeError, struct.error, ValueError) as error:
            raise refusal(origin, f"it is damaged or cut off ({error})", DAMAGED) from error
        if len(listed) > limits.parts:
            raise excess(origin, "parts", limits.parts, len(listed))
        infos = {info.filename: info for info in listed}
        if len(infos) < len(listed):
            raise refusal(origin, "it has two parts of one name", DAMAGED)
        if any(info.flag_bits & ENCRYPTED for info in listed):
            raise refusal(origin, "it is encrypted", "Save it without a password")
        lowered = {name.lower(): name for name in infos}
        if WORKBOOK not in lowered:
            what = next((what for name, what in OTHERS.items() if name in lowered), "it is a zip file, and no workbook")
            raise refusal(origin, what, "Save it as .xlsx or .csv")
        return cls(origin, limits, file, infos)

    def blocks(self, info: zipfile.ZipInfo) -> Iterator[bytes]:
        """Unpack a part, block by block.

        Raises:
            InvalidSheetError: It is damaged, or more comes out than is allowed.
        """
        checksum = size = 0
        for block in self._unpacked(info):
            checksum = zlib.crc32(block, checksum)
            size += len(block)
            self.unpacked += len(block)
            if self.unpacked > self.limits.decompressed_bytes:
                raise excess(self.origin, "decompressed", self.limits.decompressed_bytes, self.unpacked)
            yield block
        if size != info.file_size or checksum != info.CRC:
            raise self._damaged(info, "it does not hold what its header says")

    def _unpacked(self, info: zipfile.ZipInfo) -> Iterator[bytes]:
        packed = self._packed(info)
        if info.compress_type == zipfile.ZIP_STORED:
            yield from packed
            return
        if info.compress_type != zipfile.ZIP_DEFLATED:
            raise self._damaged(info, f"it is compressed in the unusual way {info.compress_type}")
        unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            for block in packed:
                waiting = block
                while waiting and not unpacker.eof:
                    yield unpacker.decompress(waiting, BLOCK)
                    waiting = unpacker.unconsumed_tail
            while not unpacker.eof:
                rest = unpacker.decompress(unpacker.unconsumed_tail, BLOCK)
                if not rest:
                    raise self._damaged(info, "it is cut off")
                yield rest
        except zlib.error as error:
            raise self._damaged(info, str(error)) from error

    def _packed(self, info: zipfile.ZipInfo) -> Iterator[bytes]:
        self.file.seek(info.header_offset)
        header = self.file.read(LOCAL_HEADER.size)
        if len(header) < LOCAL_HEADER.size or not header.startswith(LOCAL_MAGIC):
            raise self._damaged(info, "it has no header")
        name_length, extra_length = LOCAL_HEADER.unpack(header)[-2:]
        self.file.seek(name_length + extra_length, 1)
        left = info.compress_size
        while left:
            block = self.file.read(min(left, BLOCK))
            if not block:
                raise self._damaged(info, "it is cut off")
            left -= len(block)
            yield block

    def _damaged(self, info: zipfile.ZipInfo, why: str) -> Exception:
        return refusal(self.origin, f"its part {info.filename:.100} is damaged: {why}", DAMAGED)

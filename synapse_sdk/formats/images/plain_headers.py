"""The headers of plain JPEG and PNG files, read without Pillow: a few kilobytes of each, in a sixth of the time.

Whatever is unusual about a header is left to Pillow, so that both always say the same. Nothing is read without bound.
"""

import os
from collections.abc import Iterator
from struct import Struct
from struct import error as StructError  # noqa: N812  # a class, whatever its name says
from typing import NamedTuple
from zlib import crc32

__all__ = ["ORIENTATION", "ORIENTATIONS", "HeaderSource", "PlainHeader", "read_plain_header"]

ORIENTATION = 0x0112
"""The tag that says which way up an image is (CIPA DC-008)."""
ORIENTATIONS = range(1, 9)
WINDOW = 4096
"""Bytes that are read at a time: in most files all that is of interest."""
MOST_PARTS = 100
"""Segments or chunks that a plain header has at the most."""
LARGEST_CHUNK = 2**16

JPEG, PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
EXIF = b"Exif\0\0"
SEGMENT = Struct(">BBH")
"""The beginning of a JPEG segment: a mark, the kind, and the length from there on without these two."""
MARK = 0xFF
FRAMES = frozenset((0xC0, 0xC1, 0xC2))
"""Kinds of segments that say the size: of baseline, extended and progressive JPEG."""
FRAME = Struct(">BHHB")
"""Bits of a sample, height, width, components."""
TABLES, SCAN = 0xDB, 0xDA
SKIPPED = frozenset((0xC4, 0xDD, 0xFE, *range(0xE3, 0xED), 0xEF))
"""Tables of codes, restart intervals, comments, and data of applications that nobody looks into."""
APP1 = 0xE1
APPLICATIONS = frozenset((0xE0, APP1, 0xE2, 0xEE))
NAMES = {b"JFIF": 7, b"ICC_PROFILE\0": 14, b"Adobe": 7, b"http://ns.adobe.com/xap/1.0/\0": 0}
"""How data of applications begins, and how long it is at least."""
XMP = b"http:"
UNUSUAL_NAMES = (b"MPF\0", b"Photoshop 3.0\0", EXIF)

CHUNK = Struct(">I4s")
"""The beginning of a PNG chunk: the length of its data, and the kind."""
HEADER = Struct(">IIBBBBB")
"""Width, height, bits, kind of colours, and three more."""
CHUNKS = {
    b"IHDR": 13,
    b"PLTE": 0,
    b"gAMA": 4,
    b"cHRM": 32,
    b"sRGB": 1,
    b"pHYs": 9,
    b"bKGD": 0,
    b"sBIT": 0,
    b"tIME": 0,
    b"eXIf": 0,
}
"""The plain chunks before the pixels, and how long they are at least."""
BANDS = {
    **dict.fromkeys(((1, 0), (2, 0), (4, 0), (8, 0), (16, 0), (1, 3), (2, 3), (4, 3), (8, 3)), 1),
    **dict.fromkeys(((8, 2), (16, 2)), 3),
    **dict.fromkeys(((16, 4), (8, 6), (16, 6)), 4),
    (8, 4): 2,
}
"""How many bands pixels have for Pillow, by bits and kind of colours."""

EXIF_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}
"""In which order the bytes of numbers come in Exif data that begins so."""
IFD_START = {order: Struct(f"{order}I") for order in "<>"}
IFD_COUNT = {order: Struct(f"{order}H") for order in "<>"}
IFD_ENTRY = {order: Struct(f"{order}HHII") for order in "<>"}
"""A tag of Exif: number, type, count, and the value or where it is."""
SHORT = 3
TYPE_SIZES = {1: 1, 2: 1, SHORT: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}


class PlainHeader(NamedTuple):
    """What a header says."""

    width: int
    """Pixels, as stored."""
    height: int
    orientation: int
    bands: int


class _UnusualError(Exception):
    """A header is not of the plain kind."""


class HeaderSource:
    """The beginning of a file, of which little is read."""

    def __init__(self, file: int) -> None:
        self._file = file
        self._start = 0
        self._window = os.pread(file, WINDOW, 0)
        self.length = os.fstat(file).st_size

    def read(self, at: int, count: int) -> bytes:
        """Return bytes of the file, fewer at its end."""
        start = at - self._start
        if start < 0 or start + count > len(self._window):
            self._window = os.pread(self._file, max(count, WINDOW), at)
            self._start, start = at, 0
        return self._window[start : start + count]


def read_plain_header(source: HeaderSource) -> PlainHeader | None:
    """Return what the header of a JPEG or PNG file says; None if it is none, or an unusual one."""
    head = source.read(0, len(PNG))
    try:
        if head.startswith(JPEG):
            return _header_of_jpeg(source)
        if head.startswith(PNG):
            return _header_of_png(source)
    except (_UnusualError, StructError):
        pass
    return None


def _header_of_jpeg(source: HeaderSource) -> PlainHeader:
    frame: tuple[int, int, int] | None = None
    exif, has_xmp = b"", False
    for kind, start, size in _segments(source):
        if kind in SKIPPED:
            continue
        if kind == TABLES:
            _check_tables(source.read(start, size))
        elif kind in FRAMES and frame is None:
            frame = _frame(source.read(start, size))
        elif kind in APPLICATIONS:
            name = source.read(start, min(size, 32))
            if kind == APP1 and name.startswith(EXIF) and not exif:
                exif = source.read(start, size)
            else:
                _check_application(name)
                has_xmp = has_xmp or name.startswith(XMP)
        else:
            raise _UnusualError
    if frame is None:
        raise _UnusualError
    orientation = _orientation(exif[len(EXIF) :]) if exif else 1
    if orientation == 0 and has_xmp:  # where Pillow looks for it then
        raise _UnusualError
    return PlainHeader(frame[0], frame[1], orientation or 1, frame[2])


def _segments(source: HeaderSource) -> Iterator[tuple[int, int, int]]:
    """Yield the kind of each segment before the pixels, and where its data is and how long."""
    at = 2
    for _ in range(MOST_PARTS):
        mark, kind, size = SEGMENT.unpack(source.read(at, 4))
        if mark != MARK or size < 2 or at + 2 + size > source.length:  # noqa: PLR2004  # the length is part of it
            break
        if kind == SCAN:
            return
        yield kind, at + 4, size - 2
        at += 2 + size
    raise _UnusualError


def _frame(data: bytes) -> tuple[int, int, int]:
    bits, height, width, components = FRAME.unpack_from(data)
    if bits != 8 or components not in {1, 3, 4} or len(data) != FRAME.size + 3 * components or not (width and height):  # noqa: PLR2004
        raise _UnusualError
    return width, height, components


def _check_tables(data: bytes) -> None:
    """Check that quantisation tables are complete: of 64 numbers, each of one or two bytes."""
    at = 0
    while at < len(data):
        at += 65 if data[at] < 16 else 129  # noqa: PLR2004  # as said above, and the byte that tells
    if at != len(data):
        raise _UnusualError


def _check_application(name: bytes) -> None:
    if name.startswith(UNUSUAL_NAMES) or any(name.startswith(known) and len(name) < NAMES[known] for known in NAMES):
        raise _UnusualError


def _header_of_png(source: HeaderSource) -> PlainHeader:
    at, found = len(PNG), dict[bytes, bytes]()
    for _ in range(MOST_PARTS):
        size, kind = CHUNK.unpack(source.read(at, CHUNK.size))
        if kind == b"IDAT":
            break
        if kind not in CHUNKS or kind in found or not CHUNKS[kind] <= size <= LARGEST_CHUNK:
            raise _UnusualError
        data = source.read(at + CHUNK.size, size)
        if source.read(at + CHUNK.size + size, 4) != crc32(data, crc32(kind)).to_bytes(4):
            raise _UnusualError
        found[kind] = data
        at += CHUNK.size + size + 4
    else:
        raise _UnusualError
    width, height, bits, colors, _, filtering, _ = HEADER.unpack(found.get(b"IHDR", b""))
    if filtering or (bits, colors) not in BANDS or not (width and height):
        raise _UnusualError
    exif = found.get(b"eXIf", b"")
    return PlainHeader(width, height, (_orientation(exif) if exif else 1) or 1, BANDS[bits, colors])


def _orientation(exif: bytes) -> int:
    """Return which way up an image is; 0 if the data does not say so."""
    order = EXIF_ORDERS.get(exif[:4])
    if order is None:
        raise _UnusualError
    (at,) = IFD_START[order].unpack_from(exif, 4)
    (count,) = IFD_COUNT[order].unpack_from(exif, at)
    found = total = 0
    for start in range(at + 2, at + 2 + 12 * count, 12):
        tag, kind, items, value = IFD_ENTRY[order].unpack_from(exif, start)
        size = items * TYPE_SIZES.get(kind, len(exif))
        total += size
        if total > len(exif) or (size > 4 and value + size > len(exif)):  # noqa: PLR2004  # else it is the value itself
            raise _UnusualError
        if tag == ORIENTATION:
            if found or kind != SHORT or items != 1:
                raise _UnusualError
            value = value & 0xFFFF if order == "<" else value >> 16
            found = value if value in ORIENTATIONS else 1
    return found

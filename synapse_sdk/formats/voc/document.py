"""One XML file: read within limits, and without whatever could make it grow or reach out."""

import os
import re
from dataclasses import dataclass
from xml.etree import ElementTree as ET  # the usual name; document types are refused below

__all__ = ["MAX_BYTES", "Fault", "read_document", "read_names"]

MAX_BYTES = 8 * 1024 * 1024
"""Size that a file may have: some 25,000 objects."""
FIRST_BYTES = 64 * 1024
"""Nearly every file is smaller, and read at once."""
ROOT = "annotation"
POSITION = re.compile(r": line \d+, column \d+$")


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a file could not be read."""

    words: str
    position: str = ""
    """`:line:column`, if there is one."""


def read_document(path: str) -> ET.Element | Fault:
    """Return the root of an annotation file, or why there is none.

    A document type declaration is refused, whatever is in it: with entities, a kilobyte becomes gigabytes, or another
    file is read. No other format of annotations needs one either.
    """
    try:
        data = _read(path)
    except OSError as error:
        return Fault(error.strerror or str(error))
    if len(data) > MAX_BYTES:
        return Fault(f"it has more than {MAX_BYTES:,} bytes")
    if b"<!DOCTYPE" in data or b"\0" in data:
        # In UTF-16 the declaration looks different, but is text like any other. All other encodings that expat takes
        # have these characters where ASCII has them.
        at = _declaration(data)
        if at:
            return Fault("it declares a document type, which is refused", at)
    try:
        root = ET.XML(data)  # see above
    except ET.ParseError as error:
        line, column = error.position
        return Fault(POSITION.sub("", str(error)), f":{line}:{column + 1}")
    except (ValueError, LookupError) as error:  # an encoding that expat does not know
        return Fault(str(error))
    return root if root.tag == ROOT else Fault(f"its root is {root.tag!r}, not {ROOT!r}", ":1")


def read_names(path: str) -> set[str]:
    """Return the names of the classes that a file speaks of; none if it cannot be read, which is reported elsewhere."""
    root = read_document(path)
    if isinstance(root, Fault):
        return set()
    objects = root.findall("object")
    named = [*objects, *(part for each in objects for part in each.findall("part"))]
    return {name for each in named if (name := (each.findtext("name") or "").strip())}


def _read(path: str) -> bytes:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        data = os.read(descriptor, FIRST_BYTES)
        if len(data) < FIRST_BYTES:
            return data
        pieces = [data]
        size = len(data)
        while data and size <= MAX_BYTES:
            data = os.read(descriptor, FIRST_BYTES)
            pieces.append(data)
            size += len(data)
        return b"".join(pieces)
    finally:
        os.close(descriptor)


def _declaration(data: bytes) -> str:
    """Return where a document type is declared; empty if none is."""
    text = data.decode("latin-1")
    if "\0" in text:
        # Expat takes a file without mark for UTF-16 if its second or first byte is nothing.
        encoding = (
            "utf-16" if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-16-be" if data[:1] == b"\0" else "utf-16-le"
        )
        text = data.decode(encoding, "replace")
    offset = text.find("<!DOCTYPE")
    return f":{text.count('\n', 0, offset) + 1}:{offset - text.rfind('\n', 0, offset)}" if offset >= 0 else ""

"""One COCO file: mapped into memory, to be cut into records."""

import contextlib
import mmap
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Raw, Struct

from synapse_sdk.errors import InvalidDatasetError
from synapse_sdk.formats.coco.record_list import BAD_JSON, ListIndex, RecordList

if TYPE_CHECKING:
    from synapse_sdk.types import JsonValue

__all__ = ["BAD_JSON", "Document", "looks_like_coco"]

BEGINNING = 64 * 1024
"""Bytes of a file that are searched for what shows that it is COCO."""
SIGNS = re.compile(rb'"annotations"\s*:\s*\[|"file_name"\s*:')
CLASSES = re.compile(rb'"categories"\s*:\s*\[')
"""What COCO may begin with, and all that there is in the `notes.json` of a YOLO dataset of Label Studio."""
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
STEP = 16 * 1024 * 1024
"""Bytes that are looked at in one go when a position becomes a line."""
NOT_JSON = re.compile(rb"NaN|[+-]?Infinity|nan|[+-]?inf|None|True|False|undefined|'")
"""What people find in place of a JSON value."""
EMPTY_OBJECT = Raw(b"{}")
EMPTY_LIST = Raw(b"[]")
NULL = Raw(b"null")


class _Top(Struct, gc=False):
    """What is looked for in a file."""

    images: Raw = NULL
    annotations: Raw = NULL
    categories: list[Raw] | None = None
    info: Raw = EMPTY_OBJECT
    licenses: Raw = EMPTY_LIST


_cut = msgspec.json.Decoder(_Top).decode


class Document:
    """The records of one COCO file. They stay in the file until somebody decodes them.

    Args:
        path: The file.
        name: Names it in losses: its path below the dataset.

    Raises:
        InvalidDatasetError: It cannot be read, is not JSON, or not COCO.
    """

    def __init__(self, path: Path, name: str) -> None:
        self.name, self._path = name, path
        self._map = _mapped(path)
        start = len(BYTE_ORDER_MARK) if self._map[: len(BYTE_ORDER_MARK)] == BYTE_ORDER_MARK else 0
        try:
            top = _cut(memoryview(self._map)[start:])
        except BAD_JSON as error:
            raise _refusal(path, self._map, error, start) from error
        self.images, self.annotations = _lists(path, top)
        self.categories: list[Raw] = top.categories or []
        self.notes: dict[str, JsonValue] = {}
        """What it says about itself under `info` and `licenses`, where it says anything."""
        for key, raw in (("info", top.info), ("licenses", top.licenses)):
            with contextlib.suppress(*BAD_JSON):  # nothing that anybody needs
                if value := msgspec.json.decode(raw):
                    self.notes[key] = value

    def take_over(self, images: Iterable[ListIndex], annotations: Iterable[ListIndex]) -> None:
        """Take over where other processes have found records.

        Raises:
            InvalidDatasetError: The file is another one by now.
        """
        try:
            for each in images:
                self.images.take_over(each)
            for each in annotations:
                self.annotations.take_over(each)
        except ValueError as error:
            raise _changed(self._path, str(error)) from error

    def close(self) -> None:
        """Let go of the records; the file is unmapped with the last of them."""
        self.categories = []
        self.images.close()
        self.annotations.close()
        with contextlib.suppress(BufferError):  # somebody still holds a record
            self._map.close()


def _lists(path: Path, top: _Top) -> tuple[RecordList, RecordList]:
    """Return the images and the annotations of a file, which need not have annotations if it has categories."""
    has_images, has_annotations = top.images != NULL, top.annotations != NULL
    if not has_images or not (has_annotations or top.categories is not None):
        missing = "annotations" if has_images else "images"
        raise _not_coco(path, f"It has no {missing!r}")
    try:
        return RecordList(top.images), RecordList(top.annotations if has_annotations else EMPTY_LIST)
    except ValueError as error:
        raise _not_coco(path, str(error)) from error


def looks_like_coco(path: Path) -> bool:
    """Whether the beginning of a file is that of a COCO file."""
    try:
        with path.open("rb") as file:
            beginning = file.read(BEGINNING)
    except OSError:
        return False
    text = beginning.removeprefix(BYTE_ORDER_MARK).lstrip()
    if not text.startswith(b"{"):
        return False
    may_follow = len(beginning) == BEGINNING or b'"images"' in text
    return SIGNS.search(text) is not None or (may_follow and CLASSES.search(text) is not None)


def _mapped(path: Path) -> mmap.mmap:
    try:
        with path.open("rb") as file:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:  # a file without a byte cannot be mapped
        why = error.strerror if isinstance(error, OSError) else "It is empty"
        msg = f"Cannot read {str(path)!r}"
        raise InvalidDatasetError(msg, why=why, fix="Put the file of the dataset there", path=str(path)) from error


def _refusal(path: Path, content: mmap.mmap, error: Exception, start: int) -> InvalidDatasetError:
    """Return the error that says where a file stops being JSON, or COCO."""
    if isinstance(error, RecursionError):
        why, fix = "Lists and objects are too deep within one another", "Mend the file"
        return InvalidDatasetError(f"Cannot read {str(path)!r}", why=why, fix=fix, path=str(path))
    if isinstance(error, msgspec.ValidationError):
        return _not_coco(path, str(error))
    at = re.search(r"\(byte (\d+)\)", str(error))
    offset = len(content) if at is None else int(at[1]) + start
    why = re.sub(r" \(byte \d+\)", "", str(error))
    if at is None and "truncated" in why:
        why = "It ends before its last list, object or text does"
    elif found := NOT_JSON.match(content[max(0, offset) : offset + 16]):
        why = f"{found[0].decode()} is not JSON"
    line, column = _place(content, offset)
    msg = f"Cannot read {str(path)!r} (line {line}, column {column})"
    fix = "Write the file anew, as JSON (RFC 8259)"
    return InvalidDatasetError(msg, why=why, fix=fix, path=str(path), line=line, column=column)


def _not_coco(path: Path, why: str) -> InvalidDatasetError:
    fix = "Name a file with 'images', 'annotations' and 'categories'"
    return InvalidDatasetError(f"{str(path)!r} is not COCO", why=why, fix=fix, path=str(path))


def _changed(path: Path, why: str) -> InvalidDatasetError:
    msg = f"{str(path)!r} was changed while it was read"
    return InvalidDatasetError(msg, why=why, fix="Convert it again when nobody changes it", path=str(path))


def _place(content: mmap.mmap, offset: int) -> tuple[int, int]:
    """Return the line and the column, in bytes, of an offset, both from 1."""
    lines = sum(content[at : min(at + STEP, offset)].count(b"\n") for at in range(0, offset, STEP))
    return lines + 1, offset - content.rfind(b"\n", 0, offset)

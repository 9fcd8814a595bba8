"""Reads documents: from their bytes to annotations of an item."""

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Raw, Struct

from synapse_sdk.errors import InvalidDocumentError
from synapse_sdk.formats.dm.annotations import AnnotationReader, Tools, with_ids
from synapse_sdk.formats.dm.converter import DocumentConverter
from synapse_sdk.formats.dm.document import BYTE_ORDER_MARK, DATA, media_of_v1, size_in
from synapse_sdk.formats.dm.media import BUCKETS
from synapse_sdk.formats.dm.place import Place
from synapse_sdk.formats.dm.reasons import UNREADABLE_DOCUMENT
from synapse_sdk.formats.dm.records import BAD_JSON, ImageRecords, decode_any
from synapse_sdk.formats.losses import LossLog, Reason
from synapse_sdk.formats.model import Annotation, Item
from synapse_sdk.formats.reasons import NOT_A_NUMBER
from synapse_sdk.types import JsonObject

if TYPE_CHECKING:
    from synapse_sdk.formats.dm.document_losses import DocumentLoss

__all__ = ["NOTHING", "DocumentReader", "Unreadable"]

NUMBERS = (b"NaN", b"Infinity", b"-Infinity")
"""What is no JSON, and is meant as a number."""
NOTHING = Raw(b"")


class Top(Struct, gc=False):
    """What a document may have at its top, whichever version it is of."""

    classification: Raw = NOTHING
    images: list[dict[str, list[Raw] | None]] | None = None
    videos: list[dict[str, list[Raw] | None]] | None = None
    pcds: list[dict[str, list[Raw] | None]] | None = None
    texts: list[dict[str, list[Raw] | None]] | None = None
    audios: list[dict[str, list[Raw] | None]] | None = None
    prompts: list[dict[str, list[Raw] | None]] | None = None
    datas: list[dict[str, list[Raw] | None]] | None = None
    annotation_data: Raw = NOTHING
    annotation_meta: Raw = NOTHING
    annotations: Raw = NOTHING
    annotationsData: Raw = NOTHING  # noqa: N815  # as documents have it
    assignmentId: Raw = NOTHING  # noqa: N815  # as above
    extra: Raw = NOTHING
    relations: Raw = NOTHING
    annotationGroups: Raw = NOTHING  # noqa: N815  # as above


class UsualTop(Struct, gc=False, forbid_unknown_fields=True):
    """A document of version 2 as nearly all are: it has one image, and nothing else."""

    classification: Raw = NOTHING
    images: list[ImageRecords] = []


class StrictTop(Top, gc=False, forbid_unknown_fields=True):
    """A document without anything else."""


decode_usual_top = msgspec.json.Decoder(UsualTop).decode
decode_top = msgspec.json.Decoder(Top).decode
decode_strict_top = msgspec.json.Decoder(StrictTop).decode
decode_raws = msgspec.json.Decoder(dict[str, Raw]).decode
decode_media = msgspec.json.Decoder(list[dict[str, list[Raw]]]).decode
EMPTY = re.compile(rb"\{\s*\}")
"""An object without anything in it."""
OTHERS = tuple((kind, bucket) for kind, bucket in BUCKETS.items() if kind != "image")


class Unreadable(Exception):  # noqa: N818  # no error of ours: it becomes a loss
    """A document cannot be read."""

    def __init__(self, reason: Reason, words: str, position: str = "") -> None:
        super().__init__(words)
        self.reason, self.words, self.position = reason, words, position


class DocumentReader:
    """Reads documents of either version.

    Args:
        annotations: Reads annotations.
        losses: Takes down what cannot be read.
    """

    def __init__(self, annotations: AnnotationReader, losses: LossLog) -> None:
        self._annotations, self._losses = annotations, losses
        self._converter = DocumentConverter(is_strict=False)

    def read(self, content: bytes, item: Item, where: str) -> None:
        """Give an item the annotations that a document has, its size if that is said, and notes.

        Args:
            content: The document.
            item: The item.
            where: The document below the dataset.

        Raises:
            Unreadable: It is no DM document.
        """
        place = Place(item, where, self._losses)
        try:
            usual = decode_usual_top(content)
            if len(usual.images) == 1:
                item.annotations = self._annotations.read_records(usual.images[0], place)
                return
        except BAD_JSON:
            pass  # a closer look finds out
        try:
            content.decode()  # what is not decoded closer would never be missed
            top = self._top(content.removeprefix(BYTE_ORDER_MARK), place)
        except (*BAD_JSON, InvalidDocumentError) as error:
            raise _unreadable(content, error) from error
        images = top.images
        found = self._annotations.read_image(images[0], place) if images else []
        others = [*_others(top)]
        if others or item.annotations:
            for media, tools in others:
                found += self._read_media(media, tools, place)
            found = with_ids(found + item.annotations, place)
        item.annotations = found

    def _read_media(self, media: str, tools: Tools, place: Place) -> Iterator[Annotation]:
        for tool, raws in tools.items():
            if raws:
                yield from self._annotations.read_other(media, tool, raws, place)

    def _top(self, content: bytes, place: Place) -> Top:
        """Return a document as one of version 2, without what is around it."""
        top = self._decoded(content, place)
        if top.annotation_data is not NOTHING:
            _measure(top.annotation_meta, place.item)
            if EMPTY.fullmatch(bytes(top.annotation_data)):
                raise Unreadable(UNREADABLE_DOCUMENT, "there is nothing in its annotation_data")
            return self._decoded(bytes(top.annotation_data), place)
        if top.annotations is not NOTHING or top.annotationsData is not NOTHING:
            return decode_top(self._upgraded(content, place))
        if top.classification is NOTHING and top.images is None and not any(getattr(top, each) for _, each in OTHERS):
            raise Unreadable(UNREADABLE_DOCUMENT, "there are neither annotations nor media in it")
        return top

    def _decoded(self, content: bytes, place: Place) -> Top:
        try:
            return decode_strict_top(content)
        except msgspec.ValidationError:
            top = decode_top(content)
        for key, raw in decode_raws(content).items():
            if key not in Top.__struct_fields__:
                self._read_unknown(key, raw, place)
        return top

    def _read_unknown(self, key: str, raw: Raw, place: Place) -> None:
        """Take in what nobody knows: a list of media as annotations, anything else as a note about the item."""
        item = place.item
        try:
            media = decode_media(raw)
        except BAD_JSON:
            item.notes = {**item.notes, key: decode_any(raw)}
            return
        for number, tools in enumerate(media, 1):
            item.annotations += self._read_media(f"{key}_{number}", tools, place)

    def _upgraded(self, content: bytes, place: Place) -> bytes:
        """Convert a document of version 1, and return the bytes."""
        document: Any = decode_any(content)
        losses: list[DocumentLoss] = []
        found = self._converter.to_v2(document, losses)[DATA]
        _set_size(document, place.item)
        for loss in losses:
            words = f"{loss.media}: {loss.words or loss.reason.words}"
            place.lose(loss.outcome, loss.reason, loss.annotation, words)
        return msgspec.json.encode(found)


def _others(top: Top) -> Iterator[tuple[str, Tools]]:
    """Yield all media but the first image."""
    for number, tools in enumerate(top.images or ()):
        if number:
            yield f"image_{number + 1}", tools
    for kind, bucket in OTHERS:
        for number, tools in enumerate(getattr(top, bucket) or (), 1):
            yield f"{kind}_{number}", tools


def _measure(meta: Raw, item: Item) -> None:
    """Give an item the size that the document of version 1 beside its document says."""
    with suppress(*BAD_JSON):  # it is another document, and nothing else of it matters
        document: Any = decode_any(meta) if meta is not NOTHING else None
        if isinstance(document, dict):
            _set_size(document, item)


def _set_size(document: JsonObject, item: Item) -> None:
    images = (media for media in media_of_v1(document) if media.startswith("image_"))
    if (first := next(images, None)) is not None and (size := size_in(document, first)) is not None:
        item.width, item.height = size


def _unreadable(content: bytes, error: Exception) -> Unreadable:
    """Say where a document stops being one."""
    if isinstance(error, msgspec.ValidationError):
        return Unreadable(UNREADABLE_DOCUMENT, str(error))
    if isinstance(error, RecursionError):
        return Unreadable(UNREADABLE_DOCUMENT, "lists and objects are too deep within one another")
    if isinstance(error, InvalidDocumentError):
        return Unreadable(UNREADABLE_DOCUMENT, str(error))
    if isinstance(error, UnicodeDecodeError):
        return Unreadable(UNREADABLE_DOCUMENT, "it is not UTF-8", _line(content, error.start))
    at = re.search(r" \(byte (\d+)\)", str(error))
    if at is None and "truncated" in str(error):
        return Unreadable(
            UNREADABLE_DOCUMENT, "it ends before its last list, object or text does", _line(content, len(content))
        )
    offset = int(at[1]) if at else 0
    start = len(BYTE_ORDER_MARK) if content.startswith(BYTE_ORDER_MARK) else 0
    is_number = content[start + offset :].startswith(NUMBERS)
    words = re.sub(r" \(byte \d+\)", "", str(error))
    return Unreadable(NOT_A_NUMBER if is_number else UNREADABLE_DOCUMENT, words, _line(content, start + offset))


def _line(content: bytes, offset: int) -> str:
    return f":{content.count(b'\n', 0, offset) + 1}"

"""DM documents: which version one is of, and what is where in it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from synapse_sdk.errors import InvalidDocumentError
from synapse_sdk.formats.dm.media import BUCKETS, KINDS, in_natural_order, is_media_id
from synapse_sdk.formats.dm.values import as_object, list_if_any, object_if_any, shown
from synapse_sdk.types import JsonObject, JsonValue

__all__ = [
    "ANNOTATIONS",
    "BYTE_ORDER_MARK",
    "DATA",
    "DEFAULTS",
    "EXTRA",
    "GROUPS",
    "META",
    "PAYLOADS",
    "RELATIONS",
    "DmDocument",
    "Version",
    "media_of_v1",
    "media_of_v2",
    "refusal",
    "size_in",
    "version_of",
]

DATA, META = "annotation_data", "annotation_meta"
"""What the result of a conversion to version 2 has."""
ANNOTATIONS, PAYLOADS, EXTRA = "annotations", "annotationsData", "extra"
RELATIONS, GROUPS = "relations", "annotationGroups"
CLASSES = "classification"
MAPS = (ANNOTATIONS, PAYLOADS, EXTRA, RELATIONS, GROUPS)
"""What version 1 keeps by the ids of media."""
DEFAULTS: JsonObject = {"assignmentId": None, EXTRA: {}, ANNOTATIONS: {}, PAYLOADS: {}, RELATIONS: {}, GROUPS: {}}
"""A document of version 1 about nothing."""


BYTE_ORDER_MARK = b"\xef\xbb\xbf"
FIRST_KEY = re.compile(rb'\A(?:\xef\xbb\xbf)?\s*\{\s*"([^"\\]*)"')
ANY_KEY = re.compile(rb'"(\w+)"\s*:')


class Version(StrEnum):
    """Versions of DM documents."""

    V1 = "v1"
    """What the annotation editor saves."""
    V2 = "v2"
    """What datasets hold."""


@dataclass(frozen=True, slots=True)
class DmDocument:
    """A document of either version, with everything that is in it.

    Example:
        >>> document = DmDocument.of({"images": [{"polygon": [{"id": "p1", "data": [[1, 2], [4, 2], [4, 6]]}]}]})
        >>> document.version.value, [(media, tool) for media, tool, _ in document.records()]
        ('v2', [('image_1', 'polygon')])
    """

    version: Version
    content: JsonObject
    """The document of version 1, or the `annotation_data` of version 2."""
    meta: JsonObject | None = None
    """The document of version 1 that it was converted from, if it has that beside it."""
    is_wrapped: bool = False
    """Whether it was found in `annotation_data`."""

    @classmethod
    def of(cls, document: JsonValue) -> Self:
        """Look at a document, and see that everything has its place in it.

        Raises:
            InvalidDocumentError: It is none.
        """
        found = cls.unwrapped(document)
        try:
            for _ in found.records():
                pass
        except ValueError as error:
            raise refusal(error) from error
        return found

    @classmethod
    def unwrapped(cls, document: JsonValue) -> Self:
        """Look at a document no further than to see what it is.

        Raises:
            InvalidDocumentError: It is none.
        """
        try:
            return cls._unwrapped(as_object(document, "it"))
        except ValueError as error:
            raise refusal(error) from error

    def dump(self) -> dict[str, Any]:
        """Return it as it was."""
        return {DATA: self.content, META: self.meta} if self.is_wrapped else dict(self.content)

    def records(self) -> Iterator[tuple[str, str, JsonObject]]:
        """Yield every annotation: medium, tool, and what it says; of version 1 both of its entries in one."""
        if self.version is Version.V2:
            yield from _v2_records(self.content)
            return
        entries, payloads = (object_if_any(self.content.get(key), key) for key in (ANNOTATIONS, PAYLOADS))
        for media in in_natural_order({*entries, *payloads}):
            by_id = {str(payload.get("id")): payload for payload in _objects(payloads.get(media), media)}
            for entry in _objects(entries.get(media), media):
                yield media, str(entry.get("tool")), {**by_id.get(str(entry.get("id")), {}), **entry}

    @classmethod
    def _unwrapped(cls, document: JsonObject) -> Self:
        if DATA in document:
            meta = document.get(META)
            content = as_object(document[DATA], DATA)
            return cls(Version.V2, content, None if not meta else as_object(meta, META), is_wrapped=True)
        if ANNOTATIONS in document or PAYLOADS in document:
            return cls(Version.V1, document)
        if CLASSES in document or KINDS.keys() & document.keys():
            return cls(Version.V2, document)
        msg = f"it is {shown(document)}, which has none of {ANNOTATIONS}, {DATA}, {CLASSES} and {', '.join(KINDS)}"
        raise ValueError(msg)


V1_KEYS = frozenset(key.encode() for key in DEFAULTS)
V2_KEYS = frozenset(key.encode() for key in (DATA, META, CLASSES, *KINDS))


def version_of(beginning: bytes, *, is_guess: bool = False) -> Version | None:
    """Return the version of a document by its first key; None if that does not tell.

    Args:
        beginning: Its first bytes.
        is_guess: Whether to go by all other keys as well, if the first one does not tell.
    """
    first = FIRST_KEY.match(beginning)
    if first is None:
        return None
    keys = {first[1]}
    if is_guess and not keys & (V1_KEYS | V2_KEYS):
        keys = set(ANY_KEY.findall(beginning))
    if keys & V1_KEYS:
        return Version.V1
    return Version.V2 if keys & V2_KEYS else None


def size_in(document: JsonObject | None, media: str) -> tuple[int, int] | None:
    """Return width and height of a medium, if a document of version 1 says them."""
    extra = None if document is None else document.get(EXTRA)
    size = extra.get(media) if isinstance(extra, Mapping) else None
    if not isinstance(size, Mapping):
        return None
    width, height = size.get("width"), size.get("height")
    if type(width) is int and type(height) is int and width > 0 and height > 0:
        return width, height
    return None


def media_of_v1(document: JsonObject) -> list[str]:
    """Return the ids of all media that a document of version 1 speaks of, in their order.

    Raises:
        ValueError: A part that goes by media does not.
    """
    found: set[str] = set()
    for key in MAPS:
        there = object_if_any(document.get(key), key)
        # Elsewhere there may be keys that are none of media.
        found.update(there if key in {ANNOTATIONS, PAYLOADS} else filter(is_media_id, there))
    return in_natural_order(found)


def media_of_v2(content: JsonObject) -> Iterator[tuple[str, str, JsonObject]]:
    """Yield kind, id and annotations of every medium of version 2, by tool.

    Raises:
        ValueError: A bucket is none.
    """
    for kind, bucket in BUCKETS.items():
        for number, media in enumerate(list_if_any(content.get(bucket), bucket), 1):
            yield kind, f"{kind}_{number}", as_object(media, f"{bucket}[{number - 1}]")


def refusal(error: ValueError) -> InvalidDocumentError:
    """Return the error that says that something is no DM document."""
    fix = "Take a document as the annotation editor saves it, or as the json folder of a dataset has it"
    return InvalidDocumentError("This is no DM document", why=str(error), fix=fix)


def _v2_records(content: JsonObject) -> Iterator[tuple[str, str, JsonObject]]:
    for _, media, tools in media_of_v2(content):
        for tool, annotations in tools.items():
            for annotation in _objects(annotations, media):
                yield media, tool, annotation


def _objects(values: JsonValue, media: str) -> Iterator[JsonObject]:
    for value in list_if_any(values, f"what {media} has"):
        yield as_object(value, f"an annotation of {media}")

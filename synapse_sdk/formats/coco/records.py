"""The records of a COCO file, as they are decoded; and those that are not quite as they should be."""

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import UNSET, Raw, Struct

from synapse_sdk.formats.coco.document import BAD_JSON
from synapse_sdk.types import JsonValue

__all__ = ["Extension", "IdKey", "ImageKey", "OwnerKey", "Record", "RecordDecoder", "Rle"]

MOST_EXTRAS = 64
"""Keys that COCO does not know, and records are still decoded in one step with."""


class ImageKey(Struct, gc=False):
    """What tells an image from others."""

    id: int | float | str
    file_name: str


class IdKey(Struct, gc=False):
    """What tells an annotation from others."""

    id: int | str | None = None


class OwnerKey(Struct, gc=False):
    """Which image an annotation belongs to."""

    image_id: int | float | str


class Rle(Struct, gc=False):
    """A mask as run lengths."""

    size: tuple[int, int]
    """Height and width."""
    counts: list[int] | str


class Extension(Struct, gc=False, omit_defaults=True):
    """What we write beside COCO's own fields, under the key `synapse`, so that nothing is lost on the way back."""

    id: str | None = None
    """The id of the annotation, where that is no number, or one that was taken."""
    group: str = ""
    is_box_derived: bool = False
    """Whether the annotation had no box: `bbox` is there for trainers, which want one."""
    rotated_box: tuple[float, float, float, float, float] | None = None
    """Centre x and y, width, height and angle of a rotated box, whose corners are the segmentation."""


class Record(Struct, gc=False, forbid_unknown_fields=True):
    """An annotation."""

    image_id: int | float | str
    category_id: int
    id: int | str | None = None
    bbox: tuple[float, float, float, float] | None = None
    segmentation: list[list[float]] | Rle | None = None
    iscrowd: int | bool | None = 0
    keypoints: list[float] | None = None
    num_keypoints: int | None = None
    attributes: dict[str, Any] | None = None
    synapse: Extension | None = None
    area: Any = None


WHOLE = frozenset(("category_id", "id", "iscrowd", "num_keypoints"))
"""Fields of whole numbers, which some tools write as `1.0` or `"1"`."""
FIELDS = {
    each.name: msgspec.json.Decoder(each.type, strict=each.name not in WHOLE).decode
    for each in msgspec.structs.fields(Record)
}
"""Decodes the value of each field."""
NEEDED = ("image_id", "category_id")

_cut: Callable[[bytes], dict[str, Raw]] = msgspec.json.Decoder(dict[str, Raw]).decode
_decode_any: Callable[[Raw], Any] = msgspec.json.Decoder(Any).decode


class RecordDecoder:
    """Decodes annotations, in one step as long as they are sound.

    Keys that COCO does not know are learnt when they are first seen.
    """

    def __init__(self) -> None:
        self.decode: Callable[[bytes], Record] = msgspec.json.Decoder(Record).decode
        """Returns an annotation. Anything unexpected is one of `document.BAD_JSON`: `decode_faulty` knows more."""
        self.decode_all: Callable[[bytes], list[Record]] = msgspec.json.Decoder(list[Record]).decode
        """Returns a list of annotations; the same."""
        self.extras: dict[str, str] = {}
        """The keys that were learnt, by the names of their fields."""

    def extras_of(self, record: Record) -> dict[str, JsonValue]:
        """Return what an annotation says under keys that COCO does not know."""
        values = ((key, getattr(record, field, None)) for field, key in self.extras.items())
        return {key: value for key, value in values if value is not UNSET and value is not None}

    def decode_faulty(self, raw: bytes) -> tuple[Record, dict[str, JsonValue], list[str]]:
        """Return what can be used of an annotation, what it says under other keys, and what is wrong with it.

        Raises:
            ValueError: It cannot be used at all.
            RecursionError: It is too deep.
        """
        sound: dict[str, Any] = {}
        extras: dict[str, JsonValue] = {}
        faults: list[str] = []
        for key, value in _cut(raw).items():
            try:
                if key in FIELDS:
                    sound[key] = FIELDS[key](value)
                else:
                    extras[key] = _decode_any(value)
            except BAD_JSON as error:
                if key not in NEEDED and _is_empty(value):
                    continue
                if key in {*NEEDED, "bbox"}:
                    msg = f"{key}: {error}"
                    raise ValueError(msg) from error
                faults.append(f"{key}: {error}")
        for name in NEEDED:
            if name not in sound:
                msg = f"it has no {name}"
                raise ValueError(msg)
        self._learn(extras)
        return Record(**sound), {key: value for key, value in extras.items() if value is not None}, faults

    def _learn(self, extras: dict[str, JsonValue]) -> None:
        """Decode records with these keys in one step from now on."""
        known = {*self.extras.values()}
        new = [key for key in extras if key not in known]
        if not new or len(known) + len(new) > MOST_EXTRAS:
            return
        for key in new:
            self.extras[f"extra_{len(self.extras)}"] = key
        fields = [(field, Any, UNSET) for field in self.extras]
        wider = msgspec.defstruct(
            "WiderRecord", fields, bases=(Record,), rename=self.extras, gc=False, forbid_unknown_fields=True
        )
        self.decode = msgspec.json.Decoder[Record](wider).decode
        self.decode_all = msgspec.json.Decoder[list[Record]](list[wider]).decode  # type: ignore[valid-type]


def _is_empty(value: Raw) -> bool:
    """Whether a value is a list, object or text without anything in it: it says nothing, and so is not wrong."""
    try:
        return _decode_any(value) in ([], {}, "")
    except BAD_JSON:
        return False

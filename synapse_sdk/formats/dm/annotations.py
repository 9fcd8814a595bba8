"""From the annotations of a document of version 2 to those of the model."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count

from msgspec import Raw
from msgspec.structs import replace

from synapse_sdk.formats.dm.joints import UNNAMED
from synapse_sdk.formats.dm.masks import MaskReader
from synapse_sdk.formats.dm.merging import Said, merge
from synapse_sdk.formats.dm.place import Place
from synapse_sdk.formats.dm.reasons import POINTS, UNNAMED_OBJECT
from synapse_sdk.formats.dm.records import (
    BAD_JSON,
    DECODERS,
    GroupRecord,
    ImageRecords,
    Record,
    VerbatimRecord,
    decode_any,
    mended,
)
from synapse_sdk.formats.dm.shapes import attributes_of, makers
from synapse_sdk.formats.losses import Outcome, Reason
from synapse_sdk.formats.model import Annotation, Verbatim
from synapse_sdk.formats.reasons import DUPLICATE_ID, INVALID_RECORD, NOT_A_NUMBER

__all__ = ["AnnotationReader", "Tools", "with_ids"]

type Tools = Mapping[str, list[Raw] | None]
"""The annotations of a medium by tool, not yet decoded."""

IMAGE = "image_1"
IN_A_ROW = tuple(tool for tool in DECODERS if tool != "group")


class AnnotationReader:
    """Reads the annotations of documents.

    Args:
        masks: Reads masks.
    """

    def __init__(self, masks: MaskReader) -> None:
        self._makers = makers(masks)

    def read_records(self, image: ImageRecords, place: Place) -> list[Annotation]:
        """Return the annotations of the image of an item, all of which are as they should be.

        Args:
            image: The annotations.
            place: The document.
        """
        found: list[Annotation] = []
        append, make_of = found.append, self._makers
        for tool in IN_A_ROW:
            for record in getattr(image, tool):
                annotation = make_of[type(record)](record, place)
                if annotation is not None:
                    append(annotation)
        return _finished(found, image.group, place)

    def read_image(self, tools: Tools, place: Place) -> list[Annotation]:
        """Return the annotations of the image of an item, whatever is wrong with some of them.

        Args:
            tools: The annotations.
            place: The document.
        """
        found: list[Annotation] = []
        groups: list[GroupRecord] = []
        for tool, decode in DECODERS.items():
            for record in _records(tools.get(tool) or (), tool, decode, place):
                if isinstance(record, GroupRecord):
                    groups.append(record)
                elif (annotation := self._makers[type(record)](record, place)) is not None:
                    found.append(annotation)
        for tool, raws in tools.items():
            if tool not in DECODERS:
                found += self.read_other(IMAGE, tool, raws or (), place)
        return _finished(found, groups, place)

    def read_other(self, media: str, tool: str, raws: Sequence[Raw], place: Place) -> list[Annotation]:
        """Return annotations that only DM understands.

        Args:
            media: What they are on.
            tool: Their tool.
            raws: The annotations.
            place: The document.
        """
        found = []
        for raw in raws:
            try:
                record, _ = mended(raw, "")
            except BAD_JSON as error:
                _fail(raw, INVALID_RECORD, f"{media}: {error}", place)
                continue
            data = record.data if isinstance(record, VerbatimRecord) else None
            found.append(
                Annotation(
                    id=record.id,
                    label=record.classification,
                    shape=Verbatim(tool, media, data),
                    attributes=attributes_of(record.attrs, record.id, place),
                    group=record.group_id,
                )
            )
        return found


def with_ids(found: list[Annotation], place: Place) -> list[Annotation]:
    """Return annotations each of which has an id of its own; those without are numbered."""
    taken = {each.id for each in found}
    if len(taken) == len(found) and "" not in taken:
        return found
    seen: set[str] = set()
    numbers = (str(number) for number in count(1))
    result = []
    for each in found:
        old = new = each.id
        if not old:
            new = next(name for name in numbers if name not in taken)
        elif old in seen:
            new = next(name for number in count(2) if (name := f"{old}_{number}") not in taken)
            words = f"{old!r} is there twice, and this one is {new!r} now"
            place.lose(Outcome.NOTED, DUPLICATE_ID, new, words)
        taken.add(new)
        seen.add(new)
        result.append(each if new == old else replace(each, id=new))
    return result


def _finished(found: list[Annotation], groups: Sequence[GroupRecord], place: Place) -> list[Annotation]:
    found = with_ids(found, place)
    if groups or any([each.group for each in found]):  # noqa: C419  # a list is faster
        return _merged(found, groups, place)
    return found


def _merged(found: list[Annotation], groups: Sequence[GroupRecord], place: Place) -> list[Annotation]:
    said = [
        Said(
            id=each.id,
            label=each.classification,
            members=each.data,
            attributes=attributes_of(each.attrs, each.id, place),
        )
        for each in groups
    ]
    merged = with_ids(merge(found, said, IMAGE), place)
    for each in merged:
        if each.label == UNNAMED and each.keypoints is not None:
            place.lose(Outcome.NOTED, UNNAMED_OBJECT, each.id)
    return merged


def _records(raws: Sequence[Raw], tool: str, decode: Callable[[Raw], Record], place: Place) -> Iterator[Record]:
    for raw in raws:
        try:
            yield decode(raw)
        except BAD_JSON as error:
            record = _mended(raw, tool, error, place)
            if record is not None:
                yield record


def _mended(raw: Raw, tool: str, error: Exception, place: Place) -> Record | None:
    """Return an annotation that could not be decoded as it is; None if it cannot be at all, which the log says."""
    try:
        record, is_cut = mended(raw, tool)
    except BAD_JSON as second:
        is_number = "out of range" in f"{error} {second}"
        _fail(raw, NOT_A_NUMBER if is_number else INVALID_RECORD, f"{tool}: {second}", place)
        return None
    if is_cut:
        place.lose(Outcome.CHANGED, POINTS, record.id)
    return record


def _fail(raw: Raw, reason: Reason, words: str, place: Place) -> None:
    try:
        found = decode_any(raw)
    except BAD_JSON:
        found = None
    name = found.get("id") if isinstance(found, dict) else None
    place.lose(Outcome.FAILED, reason, name if isinstance(name, str) else "", words)

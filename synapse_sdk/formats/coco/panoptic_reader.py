"""Segments of a panoptic COCO file, as every format has annotations."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec
from msgspec import Raw, Struct

from synapse_sdk.formats.coco.document import BAD_JSON, Document
from synapse_sdk.formats.coco.reasons import SEGMENT
from synapse_sdk.formats.losses import LossLog, Outcome, Reason
from synapse_sdk.formats.model import Annotation, Box, Item
from synapse_sdk.formats.reasons import DUPLICATE_ID, INVALID_RECORD, UNKNOWN_CLASS, UNKNOWN_IMAGE

if TYPE_CHECKING:
    from synapse_sdk.formats.coco.panoptic_images import PanopticImages, SegmentIds
    from synapse_sdk.types import JsonObject

__all__ = ["PanopticReader", "is_panoptic"]

LONGEST_WORDS = 300
"""Of what is found in files, and shown."""
MOST_UNKNOWN = 100
"""Ids of an image that are named one by one; a photo in place of that image has a hundred thousand."""
IS_THING = "isthing"
"""What COCO calls it that a category is countable; the attribute of segments that are not is called so, too."""


class _Segments(Struct, gc=False):
    """An annotation: all segments of one image."""

    image_id: int | float | str
    file_name: str
    """The image whose pixels have the ids of segments."""
    segments_info: list[Raw]


class _Segment(Struct, gc=False):
    """One object, or one region of stuff."""

    id: int
    category_id: int
    bbox: tuple[float, float, float, float] | None = None
    area: int | float | None = None
    iscrowd: int | bool | None = 0


class _Category(Struct, gc=False):
    id: int
    isthing: int | bool | None = 1


_decode = msgspec.json.Decoder(_Segments).decode
_decode_segment = msgspec.json.Decoder(_Segment).decode
_decode_category = msgspec.json.Decoder(_Category).decode
_keys_of = msgspec.json.Decoder(dict[str, Raw]).decode


def is_panoptic(document: Document) -> bool:
    """Whether the first annotation of a file is that of a panoptic file."""
    try:
        return bool(document.annotations) and "segments_info" in _keys_of(document.annotations[0])
    except BAD_JSON:
        return False


class PanopticReader:
    """Reads the annotations of one panoptic file: each segment is an annotation with a mask.

    Things have the box that the file gives them. Stuff, such as sky, is no object: it has a mask only, and the
    attribute `isthing`, which is false. A segment whose pixels cannot be read keeps its box.

    Args:
        document: The file.
        labels: The class behind each category id.
        folders: Where the images of segments may be, the likeliest place first.
        losses: Takes down what cannot be read.
    """

    def __init__(self, document: Document, labels: Mapping[int, str], folders: Sequence[str], losses: LossLog) -> None:
        self._file, self._records = document.name, document.annotations
        self._labels, self._folders, self._losses = labels, folders, losses
        self._stuff = {*_stuff_of(document.categories)}
        # The segment that is being read, for the log.
        self._item, self._where, self._id = Item(name=""), "", ""

    def read_into(self, item: Item, numbers: Iterable[int]) -> None:
        """Give an item its segments; the log says which cannot be read.

        Args:
            item: The item.
            numbers: The numbers of its annotations in the file, from 0.
        """
        for number in numbers:
            self._item, self._where, self._id = item, f"{self._file}:annotations[{number}]", ""
            try:
                record = _decode(self._records[number])
            except BAD_JSON as error:
                self._tell(Outcome.FAILED, INVALID_RECORD, str(error))
                continue
            self._read(record, item)

    def refuse(self, number: int, split: str) -> None:
        """Take down that an annotation is of no image: so none of its segments is."""
        self._item, self._where, self._id = Item(name="", split=split), f"{self._file}:annotations[{number}]", ""
        try:
            record = _decode(self._records[number])
        except BAD_JSON as error:
            self._tell(Outcome.FAILED, INVALID_RECORD, str(error))
            return
        words = f"image {record.image_id!r} is not in the list of images"
        for _ in range(max(1, len(record.segments_info))):
            self._tell(Outcome.FAILED, UNKNOWN_IMAGE, words)

    @cached_property
    def _images(self) -> "PanopticImages":
        from synapse_sdk.formats.coco.panoptic_images import PanopticImages  # noqa: PLC0415  # loads numpy and Pillow

        return PanopticImages(self._folders)

    def _read(self, record: _Segments, item: Item) -> None:
        """Give an item the segments of one annotation."""
        fault, pixels, above = "", None, self._where
        try:
            pixels = self._images.read(record.file_name, item.width, item.height)
        except ValueError as error:
            fault = str(error)
        areas = {} if pixels is None else _areas(pixels)
        known: set[int] = set()
        for number, raw in enumerate(record.segments_info):
            self._where, self._id = f"{above}.segments_info[{number}]", ""
            try:
                segment = _decode_segment(raw)
            except BAD_JSON as error:
                self._tell(Outcome.FAILED, INVALID_RECORD, str(error))
                continue
            self._id = str(segment.id)
            if segment.id in known:
                self._id = ""
                self._tell(Outcome.FAILED, DUPLICATE_ID, f"segment {segment.id} is there already")
                continue
            known.add(segment.id)
            if pixels is None:
                self._add_box(segment, fault)
            else:
                self._add(segment, pixels, areas)
        self._where, self._id = above, ""
        self._tell_unknown(sorted(areas.keys() - known - {0}), areas, record.file_name)

    def _tell_unknown(self, ids: Sequence[int], areas: Mapping[int, int], name: str) -> None:
        """Report pixels of segments that the file does not know."""
        for id_ in ids[:MOST_UNKNOWN]:
            words = f"{areas[id_]:,} pixels of {name!r:.200} have the id {id_}, which is not in the file"
            self._tell(Outcome.FAILED, SEGMENT, words)
        if len(ids) > MOST_UNKNOWN:
            words = f"{len(ids) - MOST_UNKNOWN:,} more ids of pixels of {name!r:.200} are not in the file"
            self._tell(Outcome.FAILED, SEGMENT, words)

    def _add(self, segment: _Segment, pixels: "SegmentIds", areas: Mapping[int, int]) -> None:
        from synapse_sdk.formats.masks import mask_of_array  # noqa: PLC0415  # loads numpy

        label = self._label_of(segment)
        if label is None:
            return
        area = areas.get(segment.id, 0)
        if not area or not segment.id:
            self._tell(Outcome.FAILED, SEGMENT, f"no pixel has the id {segment.id}")
            return
        if segment.area is not None and segment.area != area:
            self._tell(Outcome.NOTED, SEGMENT, f"its area is {segment.area:g}, and {area} pixels have its id")
        is_stuff = segment.category_id in self._stuff
        attributes: JsonObject = {IS_THING: False} if is_stuff else {}
        annotation = Annotation(
            id=self._id,
            label=label,
            box=None if is_stuff or segment.bbox is None else Box(*segment.bbox),
            shape=mask_of_array(pixels == segment.id),
            attributes=attributes,
            is_crowd=bool(segment.iscrowd),
        )
        self._item.annotations.append(annotation)

    def _add_box(self, segment: _Segment, fault: str) -> None:
        """Add a segment whose pixels cannot be read."""
        label = self._label_of(segment)
        if label is None:
            return
        if segment.bbox is None or segment.category_id in self._stuff:
            self._tell(Outcome.FAILED, SEGMENT, fault)
            return
        self._tell(Outcome.CHANGED, SEGMENT, fault)
        box, is_crowd = Box(*segment.bbox), bool(segment.iscrowd)
        self._item.annotations.append(Annotation(id=self._id, label=label, box=box, is_crowd=is_crowd))

    def _label_of(self, segment: _Segment) -> str | None:
        label = self._labels.get(segment.category_id)
        if label is None:
            words = f"category {segment.category_id} is not in the list of categories"
            self._tell(Outcome.FAILED, UNKNOWN_CLASS, words)
        return label

    def _tell(self, outcome: Outcome, reason: Reason, words: str) -> None:
        item = self._item
        self._losses.of_annotation(
            outcome,
            reason,
            item=item.name,
            split=item.split,
            annotation=self._id,
            where=self._where,
            words=words[:LONGEST_WORDS],
        )


def _stuff_of(categories: Iterable[Raw]) -> Iterable[int]:
    """Yield the ids of categories that are not countable; `categories.Classes` reports those that make no sense."""
    for raw in categories:
        try:
            category = _decode_category(raw)
        except BAD_JSON:
            continue
        if category.isthing is not None and not category.isthing:
            yield category.id


def _areas(pixels: "SegmentIds") -> dict[int, int]:
    import numpy as np  # noqa: PLC0415  # as above

    ids, counts = np.unique(pixels, return_counts=True)
    return dict(zip(ids.tolist(), counts.tolist(), strict=True))

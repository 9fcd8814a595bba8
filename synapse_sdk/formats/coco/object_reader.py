"""Annotations of a COCO file, as every format has them."""

from collections.abc import Mapping, Sequence
from contextlib import suppress

from synapse_sdk.formats.coco.document import BAD_JSON, Document
from synapse_sdk.formats.coco.reasons import JOINTS, NOT_LABELLED
from synapse_sdk.formats.coco.record_list import tried
from synapse_sdk.formats.coco.records import Extension, Record, RecordDecoder, Rle
from synapse_sdk.formats.coco.shapes import are_rings, as_rotated_box, joints_of, mask_of, places_of_unlabelled
from synapse_sdk.formats.losses import LossLog, Outcome, Reason
from synapse_sdk.formats.model import Annotation, Box, Item, Keypoints, Polygon, Shape
from synapse_sdk.formats.reasons import INVALID_RECORD, UNKNOWN_CLASS, UNKNOWN_IMAGE
from synapse_sdk.types import JsonValue

__all__ = ["ObjectReader"]

LONGEST_WORDS = 300
"""Of what is found in files, and shown."""


class ObjectReader:
    """Reads the annotations of one file.

    Args:
        document: The file.
        labels: The class behind each category id.
        joints: How many joints the objects of a class have, where it says so.
        losses: Takes down what cannot be read.
    """

    def __init__(
        self, document: Document, labels: Mapping[int, str], joints: Mapping[str, int], losses: LossLog
    ) -> None:
        self._file, self._records = document.name, document.annotations
        self._labels, self._joints, self._losses = labels, joints, losses
        self._decoder = RecordDecoder()
        # The record that is being read, for the log.
        self._item, self._number, self._id = Item(name=""), 0, ""

    def read_into(self, item: Item, numbers: Sequence[int]) -> None:
        """Give an item its annotations; the log says which cannot be read.

        Args:
            item: The item.
            numbers: The numbers of its annotations in the file, from 0.
        """
        label_of, annotations = self._labels.get, item.annotations
        has_extras = bool(self._decoder.extras)
        for number, record in zip(numbers, self._decoded(numbers), strict=True):
            if record is None:
                annotations += self._read_faulty(item, number)
                continue
            # Nearly all have a box, perhaps an outline, and nothing else.
            bbox, outline, label = record.bbox, record.segmentation, label_of(record.category_id)
            has_more = has_extras or record.keypoints or record.attributes or record.synapse or record.iscrowd
            if bbox is None or label is None or record.id is None or has_more:
                annotations += self._read(record, None, item, number)
            elif not outline:
                annotations.append(Annotation(id=str(record.id), label=label, box=Box(*bbox)))
            elif are_rings(outline):
                shape = Polygon(outline)
                annotations.append(Annotation(id=str(record.id), label=label, box=Box(*bbox), shape=shape))
            else:
                annotations += self._read(record, None, item, number)

    def refuse(self, number: int, split: str) -> None:
        """Take down that an annotation is of no image."""
        self._item, self._number, self._id = Item(name="", split=split), number, ""
        try:
            record, _, _ = self._decoder.decode_faulty(self._records[number])
        except BAD_JSON as error:
            self._tell(Outcome.FAILED, INVALID_RECORD, str(error))
            return
        self._id = "" if record.id is None else str(record.id)
        words = f"image {record.image_id!r} is not in the list of images"
        self._tell(Outcome.FAILED, UNKNOWN_IMAGE, words)

    def _decoded(self, numbers: Sequence[int]) -> Sequence[Record | None]:
        """Return records that are as they should be, all of an item in one step if they are; None for others."""
        with suppress(*BAD_JSON):
            return self._decoder.decode_all(self._records.together(numbers))
        return [tried(self._decoder.decode, self._records[number]) for number in numbers]

    def _read_faulty(self, item: Item, number: int) -> Sequence[Annotation]:
        """Return an annotation with what can be used of a record that is not as it should be, if anything."""
        self._item, self._number, self._id = item, number, ""
        try:
            record, extras, faults = self._decoder.decode_faulty(self._records[number])
        except BAD_JSON as error:
            self._tell(Outcome.FAILED, INVALID_RECORD, str(error))
            return ()
        self._id = _id_of(record, item)
        for fault in faults:
            self._tell(Outcome.CHANGED, INVALID_RECORD, fault)
        return self._read(record, extras, item, number)

    def _read(
        self, record: Record, extras: dict[str, JsonValue] | None, item: Item, number: int
    ) -> Sequence[Annotation]:
        """Return the annotation of a record that may have everything, or lack it; nothing if it lacks too much."""
        self._item, self._number, self._id = item, number, _id_of(record, item)
        label = self._labels.get(record.category_id)
        if label is None:
            words = f"category {record.category_id} is not in the list of categories"
            self._tell(Outcome.FAILED, UNKNOWN_CLASS, words)
            return ()
        more = record.synapse or Extension()
        box = None if record.bbox is None else Box(*record.bbox)
        shape = self._shape(record.segmentation) if record.segmentation else None
        if more.rotated_box is not None and isinstance(shape, Polygon):
            shape = as_rotated_box(shape, more.rotated_box)
        keypoints = self._keypoints(record, label) if record.keypoints else None
        if box is None and shape is None and keypoints is None:
            self._tell(Outcome.FAILED, INVALID_RECORD, "nothing says where it is")
            return ()
        annotation = Annotation(
            id=self._id,
            label=label,
            box=None if more.is_box_derived else box,
            shape=shape,
            keypoints=keypoints,
            attributes=self._attributes(record, self._decoder.extras_of(record) if extras is None else extras),
            group=more.group,
            is_crowd=bool(record.iscrowd),
        )
        return (annotation,)

    def _attributes(self, record: Record, extras: dict[str, JsonValue]) -> dict[str, JsonValue]:
        attributes = record.attributes or {}
        for key in sorted(extras.keys() & attributes.keys()):
            self._tell(Outcome.CHANGED, INVALID_RECORD, f"{key!r} is there twice: that of 'attributes' is taken")
        # In an order that does not depend on the records that were there before.
        return {**dict(sorted(extras.items())), **attributes}

    def _shape(self, outline: list[list[float]] | Rle) -> Shape | None:
        if isinstance(outline, list):
            rings = [ring for ring in outline if are_rings([ring])]
            if len(rings) < len(outline):
                words = f"segmentation: {len(outline) - len(rings)} of {len(outline)} rings have an odd number of "
                self._tell(Outcome.CHANGED, INVALID_RECORD, f"{words}coordinates, or less than three points")
            return Polygon(rings) if rings else None
        try:
            return mask_of(outline, self._item.width, self._item.height)
        except ValueError as error:
            self._tell(Outcome.CHANGED, INVALID_RECORD, f"segmentation: {error}")
            return None

    def _keypoints(self, record: Record, label: str) -> Keypoints | None:
        points = record.keypoints or []
        try:
            keypoints, labelled = joints_of(points, self._joints.get(label))
        except ValueError as error:
            self._tell(Outcome.CHANGED, JOINTS, str(error))
            return None
        if record.num_keypoints is not None and record.num_keypoints != labelled:
            words = f"num_keypoints is {record.num_keypoints}, and {labelled} keypoints are labelled"
            self._tell(Outcome.NOTED, INVALID_RECORD, words)
        if placed := places_of_unlabelled(points):
            x, y = points[3 * placed[0] : 3 * placed[0] + 2]
            words = f"{len(placed)} of {len(points) // 3} joints, the first at {x:g}, {y:g}"
            self._tell(Outcome.CHANGED, NOT_LABELLED, words)
        return keypoints

    def _tell(self, outcome: Outcome, reason: Reason, words: str) -> None:
        item = self._item
        self._losses.of_annotation(
            outcome,
            reason,
            item=item.name,
            split=item.split,
            annotation=self._id,
            where=f"{self._file}:annotations[{self._number}]",
            words=words[:LONGEST_WORDS],
        )


def _id_of(record: Record, item: Item) -> str:
    """Return the id of an annotation; one without is numbered within its item."""
    if record.synapse is not None and record.synapse.id is not None:
        return record.synapse.id
    return str(len(item.annotations) + 1 if record.id is None else record.id)

"""Which classes a dataset has: a look at all of its documents that decodes little else."""

from collections.abc import Sequence
from contextlib import suppress

import msgspec
from msgspec import Raw, Struct, field
from msgspec.structs import replace

from synapse_sdk.formats.base import ExifPolicy
from synapse_sdk.formats.dm.annotations import AnnotationReader
from synapse_sdk.formats.dm.document_reader import NOTHING, DocumentReader, Unreadable
from synapse_sdk.formats.dm.joints import with_joints
from synapse_sdk.formats.dm.masks import MaskReader
from synapse_sdk.formats.dm.media import in_natural_order
from synapse_sdk.formats.dm.place import Place
from synapse_sdk.formats.dm.records import MaskRecord
from synapse_sdk.formats.losses import LossLog
from synapse_sdk.formats.model import ClassSpec, Item, Mask, Relation, Verbatim

__all__ = ["Found", "Labels"]

NOT_OBJECTS = frozenset(("keypoint", "relation", "group"))
"""Tools whose labels are no classes of objects; those of joints are, where they are not parts of something."""
ANY_MASK = Mask(1, 1, b"1")


class Label(Struct, gc=False):
    """What is needed of an annotation."""

    classification: str = ""


class Labelled(Struct, gc=False):
    """What is needed of an image."""

    bounding_box: list[Label] = []
    polygon: list[Label] = []
    polyline: list[Label] = []
    segmentation: list[Label] = []
    classification: list[Label] = []
    keypoint: list[Raw] = []
    group: list[Raw] = []


class Glance(Struct, gc=False):
    """What is needed of a document."""

    classification: dict[str, list[str]] = {}
    images: list[Labelled] = []
    annotation_data: Raw = NOTHING
    annotations: Raw = NOTHING
    annotationsData: Raw = NOTHING  # noqa: N815  # as documents have it


class V1Class(Struct, gc=False):
    """What is needed of a classification."""

    label: str | None = field(default=None, name="class")


class V1Label(Struct, gc=False):
    """What is needed of an annotation of version 1."""

    tool: str = ""
    classification: V1Class | None = None


class V1Glance(Struct, gc=False):
    """What is needed of a document of version 1."""

    annotations: dict[str, list[V1Label]] = {}


glance_v1 = msgspec.json.Decoder(V1Glance).decode
glance = msgspec.json.Decoder(Glance).decode


class Found(Struct, frozen=True):
    """What was collected."""

    names: list[str]
    joints: dict[str, list[str]]
    """The joints of the objects of each class, in the order in which documents speak of them."""


class Labels:
    """Collects the classes of documents, and the joints of their objects."""

    def __init__(self) -> None:
        unheard = LossLog()
        self._names: set[str] = set()
        self._joints: dict[str, dict[str, None]] = {}
        self._reader = DocumentReader(AnnotationReader(_AnyMask(ExifPolicy.APPLY, unheard)), unheard)

    def add(self, content: bytes) -> None:
        """Take in what a document says; one that cannot be read says nothing."""
        try:
            found = glance(content)
            if found.annotation_data is not NOTHING:
                found = glance(found.annotation_data)
        except (ValueError, RecursionError):
            self._read(content)
            return
        if found.annotations is not NOTHING or found.annotationsData is not NOTHING:
            self._add_v1(content)
            return
        names, images = self._names, found.images
        if images:
            for tool, labels in found.classification.items():
                if tool not in NOT_OBJECTS:
                    names.update(labels)
            image = images[0]
            if image.keypoint or image.group:
                self._read(content)
                return
            for each in image.bounding_box, image.polygon, image.polyline, image.segmentation, image.classification:
                if each:
                    names.update([label.classification for label in each])

    @property
    def found(self) -> Found:
        """What was collected so far."""
        return Found(sorted(self._names), {label: [*joints] for label, joints in self._joints.items()})

    def join(self, found: Found) -> None:
        """Take in what was collected of documents that come after those of before."""
        self._names.update(found.names)
        for label, joints in found.joints.items():
            self._joints.setdefault(label, {}).update(dict.fromkeys(joints))

    def _add_v1(self, content: bytes) -> None:
        try:
            annotations = glance_v1(content).annotations
        except (ValueError, RecursionError):
            annotations = {}
        images = (media for media in in_natural_order(annotations) if media.startswith("image_"))
        found = annotations.get(next(images, ""), [])
        if not found or any(each.tool == "keypoint" for each in found):
            self._read(content)
            return
        labels = (each.classification for each in found if each.tool not in NOT_OBJECTS)
        self._names.update(each.label for each in labels if each is not None and each.label)

    def specs(self, listed: Sequence[ClassSpec]) -> tuple[ClassSpec, ...]:
        """Return the classes: those that the dataset lists, in that order, and all others by name.

        Args:
            listed: What the dataset lists.
        """
        known = {spec.name for spec in listed}
        others = sorted(self._names - known - {""})
        return tuple(self._spec(spec) for spec in (*listed, *(ClassSpec(name=name) for name in others)))

    def _spec(self, spec: ClassSpec) -> ClassSpec:
        found = tuple(self._joints.get(spec.name, ()))
        if not found:
            return spec
        if not spec.joints:
            seen = with_joints(spec.name, found)
            return replace(spec, joints=seen.joints, skeleton=seen.skeleton, flip=seen.flip)
        more = tuple(name for name in found if name not in spec.joints)
        # Of joints that nobody has listed it is not known which is the mirror image of which.
        return replace(spec, joints=spec.joints + more, flip=()) if more else spec

    def _read(self, content: bytes) -> None:
        item = Item(name="")
        with suppress(Unreadable):  # which is said when its item is read
            self._reader.read(content, item, "")
        for each in item.annotations:
            if isinstance(each.shape, Relation | Verbatim):
                continue
            self._names.add(each.label)
            if each.keypoints is not None:
                self._joints.setdefault(each.label, {}).update(dict.fromkeys(each.keypoints.names))


class _AnyMask(MaskReader):
    """Makes the same mask of all: only labels matter."""

    def read(self, record: MaskRecord, place: Place) -> Mask | None:
        """Return a mask."""
        return ANY_MASK

"""Reads one item of a Pascal VOC dataset."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from xml.etree import ElementTree as ET  # only elements that `document` has read

from synapse_sdk.formats.images import is_safe_name
from synapse_sdk.formats.losses import LossLog, Outcome, Reason
from synapse_sdk.formats.model import Item
from synapse_sdk.formats.readable import readable
from synapse_sdk.formats.reasons import INVALID_RECORD, NAME_TAKEN, UNKNOWN_CLASS, UNSAFE_NAME
from synapse_sdk.formats.voc.document import Fault, read_document
from synapse_sdk.formats.voc.image_index import ImageIndex, stem_of
from synapse_sdk.formats.voc.layout import Part
from synapse_sdk.formats.voc.objects import ObjectReader
from synapse_sdk.formats.voc.reasons import MASK, OTHER_FILE, UNLABELLED
from synapse_sdk.formats.voc.segmentation import MaskImages, attach

__all__ = ["ItemReader"]

HEAD = frozenset(("folder", "filename", "path", "source", "owner", "size", "segmented"))
LONGEST_EDGE = 1_000_000
"""Pixels; whoever writes a larger number has no such image."""
UNKNOWN = "Unknown"
"""What tools write as the database that an image is from."""


class ItemReader:
    """Reads the items of one part of a dataset.

    Args:
        part: The part.
        root: The dataset, in whose terms losses say where.
        images: Where the image of each name is.
        objects: Reads objects.
        classes: The classes as masks number them; None if nobody knows.
        losses: Takes down what cannot be read.
        skips: Whether an item of a name is not wanted.
    """

    def __init__(
        self,
        part: Part,
        root: Path,
        images: Mapping[str, str],
        *,
        objects: ObjectReader,
        classes: Sequence[str] | None,
        losses: LossLog,
        skips: Callable[[str], bool],
    ) -> None:
        folder = part.folder / part.documents
        above = folder.relative_to(root).as_posix()
        self._folder, self._where = str(folder), "" if above == "." else f"{above}/"
        self.images = ImageIndex(images)
        self._objects, self._classes, self._losses, self._skips = objects, classes, losses, skips
        with readable():
            self._object_masks = MaskImages(part.masks_of_objects, root, losses)
            self._class_masks = MaskImages(part.masks_of_classes, root, losses)

    def read(self, document: str, split: str) -> Item | None:
        """Return what an XML file says; None if it cannot be read, which the log says, or is not wanted.

        Args:
            document: Its name below the folder of such files.
            split: The split of its image.
        """
        stem, where = document[:-4], f"{self._where}{document}"
        root = read_document(f"{self._folder}/{document}")
        if isinstance(root, Fault):
            self._lose(INVALID_RECORD, stem, split, where + root.position, root.words)
            # An image whose annotations cannot be read is none without annotations.
            for name in self.images.named(stem):
                self.images.take(name)
            return None
        head: dict[str, ET.Element] = {}
        objects: list[ET.Element] = []
        for child in root:
            if child.tag == "object":
                objects.append(child)
            else:
                head[child.tag] = child
        name = self._name(stem, _file_name(head.get("filename")), split, where)
        if not name:
            return None
        is_skipped = self._skips(name)
        item = Item(name=name, split=split, path=self.images.path(name))
        item.width, item.height = _size(head.get("size"))
        self._read_rest(item, head, where)
        if is_skipped:  # all but the masks is read, since some things are noted where they are seen first
            self._objects.read(objects, item, where, {})
            return None
        self._annotate(item, stem, objects, where)
        return item

    def unlabelled(self, name: str, split: str) -> Item | None:
        """Return the item for an image that no XML file speaks of; None if it is not wanted."""
        self.images.take(name)
        if self._skips(name):
            return None
        item = Item(name=name, split=split, path=self.images.path(name))
        self._losses.of_item(Outcome.NOTED, UNLABELLED, item=name, split=split)
        self._annotate(item, stem_of(name), (), "")
        return item

    def _name(self, stem: str, file_name: str, split: str, where: str) -> str:
        """Return the name of the item; empty if it has none, which the log says."""
        found = self.images.find(stem, file_name)
        if len(found) > 1:
            self._lose(INVALID_RECORD, stem, split, where, f"it may be about {' or '.join(map(repr, found))}")
            for each in found:
                self.images.take(each)
            return ""
        name = found[0] if found else file_name
        if not found:
            above = stem.rpartition("/")[0]
            name = stem if not file_name else file_name if "/" in file_name or not above else f"{above}/{file_name}"
        if not is_safe_name(name):
            self._lose(UNSAFE_NAME, name, split, where, f"file name {file_name!r:.200}")
            return ""
        if not self.images.take(name):
            self._lose(NAME_TAKEN, name, split, where, "another XML is about this image, too")
            return ""
        if found and stem_of(name) != stem and (others := self.images.named(stem)):
            words = f"it says {file_name!r:.200}, and there is {others[0]!r}, too"
            self._losses.of_item(Outcome.NOTED, OTHER_FILE, item=name, split=split, where=where, words=words)
        return name

    def _read_rest(self, item: Item, head: Mapping[str, ET.Element], where: str) -> None:
        for tag in head:
            if tag not in HEAD:
                self._objects.note(tag, item, where)
        source = head.get("source")
        database = "" if source is None else _text(source.find("database"))
        if database not in {"", UNKNOWN}:
            item.notes = {"database": database}

    def _annotate(self, item: Item, stem: str, objects: Sequence[ET.Element], where: str) -> None:
        """Give an item its annotations: the objects, with their masks if there are any."""
        has_object_masks = stem in self._object_masks
        masks = self._object_masks.read(item, stem) if has_object_masks else {}
        item.annotations, count = self._objects.read(objects, item, where, masks)
        for number in masks:
            if number > len(objects):
                self._fail(item, MASK, self._object_masks.where(stem), f"number {number} of {len(objects)} objects")
        if not has_object_masks and stem in self._class_masks:
            place = self._class_masks.where(stem)
            if self._classes is None:
                self._fail(item, UNKNOWN_CLASS, place, "masks number classes, and there is no classes.txt")
                return
            for words in attach(item.annotations, self._class_masks.read(item, stem), self._classes, count):
                self._fail(item, UNKNOWN_CLASS, place, words)

    def _lose(self, reason: Reason, name: str, split: str, where: str, words: str) -> None:
        self._losses.of_item(Outcome.FAILED, reason, item=name, split=split, where=where, words=words)

    def _fail(self, item: Item, reason: Reason, where: str, words: str) -> None:
        self._losses.of_annotation(Outcome.FAILED, reason, item=item.name, split=item.split, where=where, words=words)


def _text(element: ET.Element | None) -> str:
    return "" if element is None else (element.text or "").strip()


def _file_name(element: ET.Element | None) -> str:
    """Return a file name as it is, spaces included, but for lines that were broken around it."""
    text = "" if element is None else element.text or ""
    return text.strip() if "\n" in text else text


def _size(element: ET.Element | None) -> tuple[int, int]:
    """Return width and height, if a file says both; what it says wrong, the image itself will say right."""
    if element is None:
        return 0, 0
    values = {each.tag: each.text or "" for each in element}
    width, height = _pixels(values.get("width", "")), _pixels(values.get("height", ""))
    return (width, height) if width and height else (0, 0)


def _pixels(text: str) -> int:
    try:
        value = float(text)
    except ValueError:
        return 0
    return int(value) if 0 < value <= LONGEST_EDGE and value.is_integer() else 0

"""Reads Pascal VOC: one XML file an image, and images of masks where there are any."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path

import msgspec

from synapse_sdk.errors import InvalidDatasetError
from synapse_sdk.formats.base import FormatOptions, Reader
from synapse_sdk.formats.class_lists import read_class_list
from synapse_sdk.formats.images import Images, PassedOver, images_below
from synapse_sdk.formats.losses import LossLog, Outcome
from synapse_sdk.formats.model import ClassSpec, DatasetInfo, Item
from synapse_sdk.formats.name_lists import NameList
from synapse_sdk.formats.readable import readable
from synapse_sdk.formats.reasons import UNKNOWN_IMAGE
from synapse_sdk.formats.voc.document import read_names
from synapse_sdk.formats.voc.image_index import stem_of
from synapse_sdk.formats.voc.item_reader import ItemReader
from synapse_sdk.formats.voc.layout import LISTS, SUFFIX, Part, documents_below, find_parts
from synapse_sdk.formats.voc.objects import ClassNames, ObjectReader
from synapse_sdk.formats.voc.reasons import SPLIT_TWICE, UNLISTED
from synapse_sdk.formats.voc.segmentation import VOC_CLASSES

__all__ = ["PascalReader"]

LARGE = 5_000
"""XML files that it takes a good part of a second to look into."""
MARKS = frozenset(("1", "0", "-1"))
"""What lists of the images of a class say behind each name: it is there, hard to tell, or not there."""


class PascalReader(Reader):
    """Reads a dataset; see `PascalFormat` for what may be where.

    Args:
        folder: The dataset.
        options: What was chosen.
        losses: Takes down what cannot be read.

    Raises:
        InvalidDatasetError: There is no XML file, or two folders for one thing.
    """

    asks = True

    def __init__(self, folder: Path, options: FormatOptions, losses: LossLog) -> None:
        super().__init__(folder, options, losses)
        with readable():
            self._parts = find_parts(folder)
            listed = [documents_below(str(part.folder / part.documents)) for part in self._parts]
        self._documents = [documents for documents, _ in listed]
        for part, (_, passed_over) in zip(self._parts, listed, strict=True):
            for each in passed_over:
                if not part.is_one_folder or each.name.lower().endswith(SUFFIX):
                    self._tell(Outcome.FAILED, each, part)
        if not any(self._documents):
            msg = f"{str(folder)!r} is no Pascal VOC dataset"
            why = "there is no XML file in a folder Annotations, nor in one of a split, nor beside images"
            raise InvalidDatasetError(msg, why=why, fix="Name the folder that has them", path=str(folder))
        self._images: list[Images] = []
        self._info: DatasetInfo | None = None
        self._found: set[str] | None = None
        """The classes that XML files speak of, as soon as somebody has looked."""
        self._numbered: Sequence[str] | None = None

    @property
    def info(self) -> DatasetInfo:
        """Classes as `classes.txt` lists them, else all that the XML files speak of, by name."""
        if self._info is None:
            with readable():
                self._images = [_images(part) for part in self._parts]
            splits = tuple(
                split for part in self._parts for split in part.lists or ([part.split] if part.split else [])
            )
            classes = tuple(ClassSpec(name=name) for name in self._find_classes())
            self._info = DatasetInfo(classes=classes, splits=splits, count=self._count())
        return self._info

    def is_large(self) -> bool:
        """Whether there are many XML files to look into."""
        return sum(map(len, self._documents)) >= LARGE and self._listed_classes is None

    def survey(self, begin: float, end: float) -> bytes:
        """Find the classes that a stretch of the XML files speaks of, unless they are listed."""
        if self._listed_classes is not None:
            return b""
        found = self._names_in(begin, end) if self._found is None else self._found
        return msgspec.msgpack.encode(sorted(found))

    def know(self, surveys: Sequence[bytes]) -> None:
        """Take over the classes that were found."""
        self._found = {name for each in surveys if each for name in msgspec.msgpack.decode(each, type=list[str])}

    def items(self) -> Iterator[Item]:
        """Yield the items in the order of their XML files, then images that have none."""
        names = ClassNames([spec.name for spec in self.info.classes])
        objects = ObjectReader(names, self.options.voc_origin, self.losses)
        for part, documents, images in zip(self._parts, self._documents, self._images, strict=True):
            paths = {name: f"{part.folder / part.images}/{name}" for name in images.found}
            reader = ItemReader(
                part, self.folder, paths, objects=objects, classes=self._numbered, losses=self.losses, skips=self.skips
            )
            yield from self._listed(part, documents, reader) if part.lists else _all(part, documents, reader)
            self._tell_passed_over(part, documents, images)

    @cached_property
    def _listed_classes(self) -> Sequence[str] | None:
        return read_class_list(self.folder)

    def _find_classes(self) -> Sequence[str]:
        if self._listed_classes is not None:
            self._numbered = self._listed_classes
            return self._listed_classes
        found = self._found = self._names_in(0, 1) if self._found is None else self._found
        if found.issubset(VOC_CLASSES) and any(part.masks_of_classes for part in self._parts):
            self._numbered = VOC_CLASSES
            return VOC_CLASSES
        return sorted(found)

    def _names_in(self, begin: float, end: float) -> set[str]:
        """Return the classes that a stretch of the XML files speaks of."""
        parts = zip(self._parts, self._documents, strict=True)
        paths = (f"{part.folder / part.documents}/{name}" for part, documents in parts for name in documents)
        count = sum(map(len, self._documents))
        return set().union(*map(read_names, islice(paths, int(begin * count), int(end * count))))

    def _count(self) -> int:
        """Return how many items there are if all can be read."""
        count = 0
        for part, documents, images in zip(self._parts, self._documents, self._images, strict=True):
            if part.lists:
                count += len({name for names in part.lists.values() for name in names})
            else:
                stems = {document[:-4] for document in documents}
                count += len(documents) + sum(stem_of(name) not in stems for name in images.found)
        return count

    def _listed(self, part: Part, documents: Sequence[str], reader: ItemReader) -> Iterator[Item]:
        """Yield the items that lists name, each once; report all others."""
        known = {document[:-4]: document for document in documents}
        seen: dict[str, str] = {}
        for split, names in part.lists.items():
            for stem in sorted({_resolved(name, known, reader) for name in names}):
                if stem in seen:
                    words = f"listed in {seen[stem]} and {split}"
                    self.losses.of_item(Outcome.CHANGED, SPLIT_TWICE, item=stem, split=seen[stem], words=words)
                    continue
                seen[stem] = split
                item = self._named(stem, split, known, reader)
                if item is not None:
                    yield item
        unlisted = [stem for stem in known if stem not in seen]
        for stem in unlisted + [name for name in reader.images.left() if stem_of(name) not in known]:
            self.losses.of_item(Outcome.FAILED, UNLISTED, item=stem)

    def _tell_passed_over(self, part: Part, documents: Sequence[str], images: Images) -> None:
        """Report links and folders that were not followed. Images that an XML is about are missing there already."""
        stems = {document[:-4] for document in documents}
        for each in images.passed_over:
            if part.is_one_folder and each.name.lower().endswith(SUFFIX):
                continue  # it was told with the XML files
            self._tell(Outcome.NOTED if stem_of(each.name) in stems else Outcome.FAILED, each, part)

    def _tell(self, outcome: Outcome, found: PassedOver, part: Part) -> None:
        where = Path(found.path).relative_to(self.folder).as_posix()
        self.losses.of_item(outcome, found.reason, item=found.name, split=part.split, where=where, words=found.words)

    def _named(self, stem: str, split: str, known: dict[str, str], reader: ItemReader) -> Item | None:
        if stem in known:
            return reader.read(known[stem], split)
        images = reader.images.named(stem)
        if len(images) == 1:
            return reader.unlabelled(images[0], split)
        words = f"it may be {' or '.join(images)}" if images else "there is neither an XML file nor an image of it"
        self.losses.of_item(Outcome.FAILED, UNKNOWN_IMAGE, item=stem, split=split, where=LISTS.as_posix(), words=words)
        return None


def _all(part: Part, documents: Sequence[str], reader: ItemReader) -> Iterator[Item]:
    for document in documents:
        item = reader.read(document, part.split)
        if item is not None:
            yield item
    for name in reader.images.left():
        item = reader.unlabelled(name, part.split)
        if item is not None:
            yield item


def _images(part: Part) -> Images:
    return images_below(part.folder / part.images) if part.images else Images(NameList(), [])


def _resolved(name: str, known: dict[str, str], reader: ItemReader) -> str:
    """Return what a line of a list names; names may have spaces, and marks may stand behind names."""
    if name in known or reader.images.named(name):
        return name
    before, _, mark = name.rpartition(" ")
    return before.rstrip() if mark in MARKS and before else name

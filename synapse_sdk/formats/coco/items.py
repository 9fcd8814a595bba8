"""The images of one split with their annotations, one after the other."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from msgspec import Struct
from msgspec.structs import replace

from synapse_sdk.formats.coco.document import Document
from synapse_sdk.formats.coco.images import ImageFinder, ImageList
from synapse_sdk.formats.coco.object_reader import ObjectReader
from synapse_sdk.formats.coco.owners import OwnerIndex, OwnerRuns, Owners
from synapse_sdk.formats.coco.panoptic_reader import PanopticReader, is_panoptic
from synapse_sdk.formats.coco.reasons import BACKSLASHES
from synapse_sdk.formats.coco.record_list import ListIndex
from synapse_sdk.formats.images import is_safe_name
from synapse_sdk.formats.losses import LossLog, Outcome
from synapse_sdk.formats.model import Item
from synapse_sdk.formats.reasons import DUPLICATE_ID

__all__ = ["File", "Part", "PartIndex", "Stretch"]


class Stretch(Struct, frozen=True):
    """What was found in a stretch of a file, for another process."""

    annotations: ListIndex
    owners: OwnerRuns

    @classmethod
    def of(cls, document: Document, begin: float, end: float) -> "Stretch":
        """Find out where annotations are, and which images they are of.

        Raises:
            ValueError: The stretch begins or ends within an annotation.
        """
        annotations = document.annotations.stretch(begin, end)
        owners = OwnerRuns.of(annotations)
        return cls(annotations.index, owners)


class FileIndex(Struct, frozen=True):
    """What was found in a file, for another process."""

    images: ListIndex
    annotations: ListIndex
    owners: OwnerIndex


class PartIndex(Struct, frozen=True):
    """What was found in the files of a split, for another process."""

    left_out: list[int]
    """The positions of images that are left out."""
    files: list[FileIndex]


@dataclass(frozen=True, slots=True)
class File:
    """A file that is open."""

    document: Document
    labels: Mapping[int, str]
    """The class behind each category id."""
    segments: tuple[str, ...]
    """Where the images of segments may be, which a panoptic file names."""


class Part:
    """A split: its images with their annotations.

    Args:
        files: What is said about them; the first one lists them.
        split: Its name.
        losses: Takes down what cannot be read.
        index: What another process has found in the files.
        stretches: What others have found in stretches of each file.

    Raises:
        InvalidDatasetError: A file has changed since others have looked at it.
    """

    def __init__(
        self,
        files: Sequence[File],
        split: str,
        losses: LossLog,
        *,
        index: PartIndex | None = None,
        stretches: Sequence[Sequence[Stretch]] = (),
    ) -> None:
        self.files, self._losses = files, losses
        found = stretches or [()] * len(files)
        known = [None] * len(files) if index is None else index.files
        for file, each, parts in zip(files, known, found, strict=True):
            if each is not None:
                file.document.take_over([each.images], [each.annotations])
            elif parts:
                file.document.take_over((), [part.annotations for part in parts])
        document = files[0].document
        self._images = ImageList(document, split, losses, None if index is None else index.left_out)
        self._owners = [
            Owners(
                file.document.annotations,
                self._images.positions,
                len(document.images),
                found=[part.owners for part in parts],
                index=None if each is None else each.owners,
            )
            for file, each, parts in zip(files, known, found, strict=True)
        ]
        self._images.forget_ids()  # only these needed them

    @property
    def index(self) -> PartIndex:
        """What was found in its files."""
        files = [
            FileIndex(file.document.images.index, file.document.annotations.index, owners.index)
            for file, owners in zip(self.files, self._owners, strict=True)
        ]
        return PartIndex(sorted(self._images.left_out), files)

    def items(self, finder: ImageFinder, joints: Mapping[str, int], *, skips: Callable[[str], bool]) -> Iterator[Item]:
        """Yield the images.

        Args:
            finder: Finds images.
            joints: How many joints the objects of a class have, where it says so.
            skips: Whether an item of a name is not wanted.
        """
        images, losses, file = self._images, self._losses, self.files[0].document.name
        sources = [
            _Annotations(each, owners, images.split, joints, losses)
            for each, owners in zip(self.files, self._owners, strict=True)
        ]
        main, others = sources[0], sources[1:]
        owned_by, read_into, find = main.owners.of, main.read_into, finder.find
        for position, item in images.items():
            if not is_safe_name(item.name) and not _is_renamed(item, file, losses):
                images.refuse(position, item, sum(len(each.owners.of(position)) for each in sources))
                continue
            if skips(item.name):
                continue
            item.path = find(item.name)
            read_into(item, owned_by(position))
            for other in others:
                other.join_into(item, position)
            if len({each.id for each in item.annotations}) < len(item.annotations):
                _tell_apart(item, file, losses)
            yield item


class _Annotations:
    """The annotations of one file, by image."""

    def __init__(self, file: File, owners: Owners, split: str, joints: Mapping[str, int], losses: LossLog) -> None:
        document = file.document
        reader: ObjectReader | PanopticReader
        if is_panoptic(document):
            reader = PanopticReader(document, file.labels, file.segments, losses)
        else:
            reader = ObjectReader(document, file.labels, joints, losses)
        self.read_into, self.owners = reader.read_into, owners
        for number in owners.of_no_image:
            reader.refuse(number, split)

    def join_into(self, item: Item, position: int) -> None:
        """Give the annotations of an item the joints that this file knows, and the item those it does not have."""
        other = Item(name=item.name, split=item.split, width=item.width, height=item.height)
        self.read_into(other, self.owners.of(position))
        places = {each.id: place for place, each in enumerate(item.annotations)}
        for annotation in other.annotations:
            place = places.get(annotation.id)
            if place is not None and item.annotations[place].label == annotation.label:
                item.annotations[place] = replace(item.annotations[place], keypoints=annotation.keypoints)
            else:
                item.annotations.append(annotation)


def _is_renamed(item: Item, file: str, losses: LossLog) -> bool:
    """Give an item whose name Windows has written the one that others would; return whether it is safe now."""
    name = item.name.replace("\\", "/")
    if not is_safe_name(name):
        return False
    words = f"it is called {item.name!r:.300}"
    losses.of_item(Outcome.NOTED, BACKSLASHES, item=name, split=item.split, where=file, words=words)
    item.name = name
    return True


def _tell_apart(item: Item, file: str, losses: LossLog) -> None:
    """Give the annotations of an item ids of their own."""
    taken = {each.id for each in item.annotations}
    seen: set[str] = set()
    numbers: defaultdict[str, count[int]] = defaultdict(lambda: count(2))
    for place, annotation in enumerate(item.annotations):
        id_ = annotation.id
        if id_ in seen:
            new = next(name for number in numbers[id_] if (name := f"{id_}_{number}") not in taken)
            taken.add(new)
            item.annotations[place] = replace(annotation, id=new)
            losses.of_annotation(
                Outcome.NOTED,
                DUPLICATE_ID,
                item=item.name,
                split=item.split,
                annotation=new,
                where=file,
                words=f"{id_} is there twice, and {new} now",
            )
        seen.add(id_)

"""The images of one split with their annotations, one after the other."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from msgspec.structs import replace

from synapse_sdk.formats.coco.document import Document
from synapse_sdk.formats.coco.images import ImageFinder, ImageList
from synapse_sdk.formats.coco.object_reader import ObjectReader
from synapse_sdk.formats.coco.owners import Owners
from synapse_sdk.formats.coco.panoptic_reader import PanopticReader, is_panoptic
from synapse_sdk.formats.coco.reasons import BACKSLASHES
from synapse_sdk.formats.images import is_safe_name
from synapse_sdk.formats.losses import LossLog, Outcome
from synapse_sdk.formats.model import Item
from synapse_sdk.formats.reasons import DUPLICATE_ID

__all__ = ["File", "read_items"]


@dataclass(frozen=True, slots=True)
class File:
    """A file that is open."""

    document: Document
    labels: Mapping[int, str]
    """The class behind each category id."""
    segments: tuple[str, ...]
    """Where the images of segments may be, which a panoptic file names."""


def read_items(
    files: Sequence[File],
    split: str,
    finder: ImageFinder,
    joints: Mapping[str, int],
    losses: LossLog,
    *,
    skips: Callable[[str], bool],
) -> Iterator[Item]:
    """Yield the images of a split.

    Args:
        files: What is said about them; the first one lists them.
        split: Its name.
        finder: Finds images.
        joints: How many joints the objects of a class have, where it says so.
        losses: Takes down what cannot be read.
        skips: Whether an item of a name is not wanted.
    """
    images = ImageList(files[0].document, split, losses)
    sources = [_Annotations(file, images, joints, losses) for file in files]
    images.forget_ids()  # only these needed them
    main, others = sources[0], sources[1:]
    owned_by, read_into, find = main.owners.of, main.read_into, finder.find
    for position, item in images.items():
        if not is_safe_name(item.name) and not _is_renamed(item, files[0].document.name, losses):
            images.refuse(position, item, sum(len(each.owners.of(position)) for each in sources))
            continue
        if skips(item.name):
            continue
        item.path = find(item.name)
        read_into(item, owned_by(position))
        for other in others:
            other.join_into(item, position)
        if len({each.id for each in item.annotations}) < len(item.annotations):
            _tell_apart(item, files[0].document.name, losses)
        yield item


class _Annotations:
    """The annotations of one file, by image."""

    def __init__(self, file: File, images: ImageList, joints: Mapping[str, int], losses: LossLog) -> None:
        document = file.document
        reader: ObjectReader | PanopticReader
        if is_panoptic(document):
            reader = PanopticReader(document, file.labels, file.segments, losses)
        else:
            reader = ObjectReader(document, file.labels, joints, losses)
        self.read_into, self._file, self._losses = reader.read_into, document.name, losses
        self.owners = Owners(document.annotations, images.positions, len(document.images))
        for number in self.owners.of_no_image:
            reader.refuse(number, images.split)

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

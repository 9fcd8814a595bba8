"""Writing COCO, an image at a time."""

from pathlib import Path

import msgspec

from synapse_sdk.formats.base import FormatOptions, Writer
from synapse_sdk.formats.bounds import Fitter
from synapse_sdk.formats.coco.categories import written_category
from synapse_sdk.formats.coco.joints import JointOrder
from synapse_sdk.formats.coco.layout import ANNOTATIONS
from synapse_sdk.formats.coco.object_writer import ObjectWriter, WrittenObject, without_negative_zeros
from synapse_sdk.formats.coco.split_file import SplitFile
from synapse_sdk.formats.images import ImagePlacer, ImageSizes, is_safe_name
from synapse_sdk.formats.losses import LossLog
from synapse_sdk.formats.model import DatasetInfo, Item
from synapse_sdk.formats.reasons import NAME_TAKEN, UNSAFE_NAME
from synapse_sdk.formats.splits import target_split
from synapse_sdk.types import JsonValue

__all__ = ["CocoWriter"]

NOTES: dict[str, JsonValue] = {"info": {"description": ""}, "licenses": []}
"""What a file says about itself, where nothing is known."""

_encode = msgspec.json.Encoder().encode


class _Part:
    """One split that is being written."""

    def __init__(self, prefix: str, file: SplitFile, objects: ObjectWriter) -> None:
        self.prefix, self.file, self.objects = prefix, file, objects
        self.images = 0


class CocoWriter(Writer):
    """Writes `annotations.json` beside the images, one for each split.

    Categories and images are numbered from 1. An annotation keeps an id that is a whole number and not taken in its
    split; another one gets the lowest number that is free, and its own id is kept beside that, unless the ids of an
    image only count its annotations. What COCO has no place for is under `synapse`, see `records.Extension`.
    """

    def __init__(self, folder: Path, info: DatasetInfo, options: FormatOptions, losses: LossLog) -> None:
        super().__init__(folder, info, options, losses)
        self._categories = {spec.name: number for number, spec in enumerate(info.classes, 1)}
        self._joints = JointOrder(info.classes)
        self._fitter = None if options.bounds is None else Fitter(options.bounds, losses)
        self._placer = ImagePlacer(folder, options.images, losses)
        self._sizes = ImageSizes()
        self._parts: dict[str, _Part] = {}
        for split in info.splits or ("",):
            self._open(split)

    def write(self, item: Item) -> bool:
        """Write an item, and bring its image to its place."""
        part = self._parts.get(item.split) or self._open(item.split)
        name = item.name
        if not is_safe_name(name):
            return self.drop(item, UNSAFE_NAME)
        if name == ANNOTATIONS:
            return self.drop(item, NAME_TAKEN)
        if not (item.width and item.height) and not self._sizes.measure(item, self.options.exif, self.losses):
            return False
        self._placer.place(item, part.prefix + name)
        part.images += 1
        image = {**item.notes, "id": part.images, "file_name": name, "width": item.width, "height": item.height}
        objects = part.objects.write(item, part.images)
        part.file.add(_encode(image), _encode_objects(objects))
        return True

    def finish(self) -> None:
        """Write the files."""
        notes = {key: self.info.notes.get(key) or default for key, default in NOTES.items()}
        classes = enumerate(self.info.classes, 1)
        categories = [written_category(number, spec, self._joints.names) for number, spec in classes]
        for part in {id(each): each for each in self._parts.values()}.values():
            part.objects.count(self.written)
            part.file.finish(notes, categories)

    def close(self) -> None:
        """Release what was opened."""
        for part in self._parts.values():
            part.file.close()

    def _open(self, name: str) -> _Part:
        split = target_split(name, self._parts, "COCO")
        same = self._parts.get(split)
        if same is None:
            objects = ObjectWriter(self._categories, self._joints, self._fitter, self.losses)
            same = _Part(f"{split}/" if split else "", SplitFile(self.folder / split), objects)
            self._parts[split] = same
        self._parts[name] = same
        return same


def _encode_objects(objects: list[WrittenObject]) -> bytes:
    encoded = _encode(objects)
    # 0.0 equals -0.0, which some readers trip over; only text of few objects has it in another meaning, as in -0.05.
    return _encode([without_negative_zeros(each) for each in objects]) if b"-0.0" in encoded else encoded

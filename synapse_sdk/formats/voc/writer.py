"""Writes Pascal VOC: one XML file an image, images of masks where there are any, and the list of classes."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from synapse_sdk.formats.base import FormatOptions, Writer
from synapse_sdk.formats.class_lists import write_class_list
from synapse_sdk.formats.images import UNREADABLE_IMAGE, ImagePlacer, ImageSizes, is_safe_name
from synapse_sdk.formats.losses import LossLog, Outcome, Reason
from synapse_sdk.formats.model import Annotation, DatasetInfo, Item, Mask, Tool
from synapse_sdk.formats.new_files import NewFiles
from synapse_sdk.formats.reasons import NAME_TAKEN, SHAPE, UNSAFE_NAME
from synapse_sdk.formats.voc.drawing import draw_masks, save
from synapse_sdk.formats.voc.extras import fits_xml
from synapse_sdk.formats.voc.fitting import Fitted, PascalFitter
from synapse_sdk.formats.voc.image_index import stem_of
from synapse_sdk.formats.voc.layout import MASKS_OF_CLASSES, MASKS_OF_OBJECTS
from synapse_sdk.formats.voc.reasons import NOT_XML, OVERLAP
from synapse_sdk.formats.voc.segmentation import BORDER
from synapse_sdk.formats.voc.text import document_text, object_text, part_text, plain_text

__all__ = ["PascalWriter"]

DOCUMENTS = "Annotations"
IMAGES = "Images"
PART_OF = "part_of"
"""The attribute of a part that has the id of its object."""
UNKNOWN = "Unknown"
USUAL_DEPTH = 3


class PascalWriter(Writer):
    """Writes a dataset; see `PascalFormat` for what is where.

    Args:
        folder: Where to write.
        info: Classes and splits.
        options: What was chosen.
        losses: Takes down what cannot be written, or not as it is.
    """

    def __init__(self, folder: Path, info: DatasetInfo, options: FormatOptions, losses: LossLog) -> None:
        super().__init__(folder, info, options, losses)
        self._fitter = PascalFitter(options, losses)
        self._sizes = ImageSizes()
        self._placer = ImagePlacer(folder, options.images, losses)
        self._files = NewFiles(folder)
        self._classes = {spec.name: number for number, spec in enumerate(info.classes, 1)}

    def write(self, item: Item) -> bool:
        """Write the XML file of an item, its masks, and its image."""
        name, split = item.name, item.split
        if not is_safe_name(f"{split}/{name}" if split else name):
            return self.drop(item, UNSAFE_NAME)
        if not fits_xml(name):
            return self.drop(item, NOT_XML, f"{name!r:.300}")
        if not self._sizes.measure(item, self.options.exif, self.losses):
            return False
        above = f"{split}/" if split else ""
        try:
            descriptor = self._files.open(f"{above}{DOCUMENTS}/{stem_of(name)}.xml")
        except (FileExistsError, NotADirectoryError):
            return self.drop(item, NAME_TAKEN, f"{stem_of(name)}.xml")
        try:
            rest = self._text(item, above).encode()
            while rest:
                rest = rest[os.write(descriptor, rest) :]
        finally:
            os.close(descriptor)
        self._placer.place(item, f"{above}{IMAGES}/{name}")
        return True

    def is_divisible(self) -> bool:
        """Yes: every item has files of its own."""
        return True

    def finish(self) -> None:
        """Write `classes.txt`: the classes of the dataset, and any others that were written."""
        names = {**self._classes, **dict.fromkeys(label for label, _ in self.written)}
        write_class_list(self.folder, filter(fits_xml, names))

    def _text(self, item: Item, above: str) -> str:
        """Write the masks of an item, and return the text of its XML file."""
        fit = self._fitter.fit
        kept = [fitted for each in item.annotations if (fitted := fit(item, each)) is not None]
        parts: Mapping[str, list[Fitted]] = {}
        if any(PART_OF in each.source.attributes for each in kept):
            kept, parts = _with_parts(kept)
        masks = [(number, each) for number, each in enumerate(kept, 1) if each.mask is not None]
        return document_text(
            item.name,
            folder=IMAGES,
            database=str(item.notes.get("database") or UNKNOWN),
            size=(item.width, item.height, self._depth(item)),
            has_masks=bool(masks) and self._draw(item, masks, above),
            objects=self._objects(item, kept, parts),
        )

    def _objects(self, item: Item, kept: Sequence[Fitted], parts: Mapping[str, Sequence[Fitted]]) -> list[str]:
        origin, written = self.options.voc_origin, self.written
        texts = []
        for each in kept:
            annotation = each.source
            written[annotation.label, Tool.BOX] += 1
            if annotation.attributes or parts or each.is_derived:
                own = [self._part(item, part) for part in parts.get(annotation.id, ())]
                texts.append(object_text(each, origin, own))
            else:
                texts.append(plain_text(each.name, each.box, origin))
        return texts

    def _part(self, item: Item, part: Fitted) -> str:
        annotation = part.source
        self.written[annotation.label, Tool.BOX] += 1
        if part.mask is not None:
            self._change(item, annotation.id, SHAPE, "mask of a part of an object")
        rest = {key: value for key, value in annotation.attributes.items() if key != PART_OF}
        return part_text(part.name, part.box, self.options.voc_origin, rest)

    def _draw(self, item: Item, masks: Sequence[tuple[int, Fitted]], above: str) -> bool:
        """Write the images of the masks of an item, by the number of their object; return whether there are any."""
        drawn: dict[int, tuple[Annotation, int, Mask]] = {}
        for number, fitted in masks:
            annotation, mask = fitted.source, fitted.mask
            class_number = self._classes.setdefault(annotation.label, len(self._classes) + 1)
            if number >= BORDER or class_number >= BORDER or mask is None:
                words = f"mask of object {number} of class {class_number}: images of masks count to {BORDER - 1}"
                self._change(item, annotation.id, SHAPE, words)
            else:
                drawn[number] = (annotation, class_number, mask)
        if not drawn:
            return False
        drawing = draw_masks(item, [(number, kind, mask) for number, (_, kind, mask) in drawn.items()])
        for number, (annotation, _, _) in drawn.items():
            self.written[annotation.label, Tool.MASK] += 1
            if number in drawing.covered:
                self._change(item, annotation.id, OVERLAP)
        for folder, numbers in ((MASKS_OF_OBJECTS, drawing.objects), (MASKS_OF_CLASSES, drawing.classes)):
            path = self.folder / f"{above}{folder}/{stem_of(item.name)}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            save(numbers, path)
        return True

    def _depth(self, item: Item) -> int:
        """Return the number of channels of an image; three if nobody can tell."""
        if not item.path:
            return USUAL_DEPTH
        try:
            return self._sizes.facts(item.path).bands
        except (OSError, ValueError) as error:
            words = getattr(error, "strerror", None) or str(error)
            self.losses.of_item(Outcome.NOTED, UNREADABLE_IMAGE, item=item.name, split=item.split, words=words)
            return USUAL_DEPTH

    def _change(self, item: Item, annotation: str, reason: Reason, words: str = "") -> None:
        self.losses.of_annotation(
            Outcome.CHANGED, reason, item=item.name, split=item.split, annotation=annotation, words=words
        )


def _with_parts(kept: Sequence[Fitted]) -> tuple[list[Fitted], dict[str, list[Fitted]]]:
    """Return objects, and the parts of each by its id. A part of what is not there is an object of its own."""
    whole = {each.source.id for each in kept if PART_OF not in each.source.attributes}
    objects: list[Fitted] = []
    parts: dict[str, list[Fitted]] = {}
    for each in kept:
        owner = each.source.attributes.get(PART_OF)
        if isinstance(owner, str) and owner in whole:
            parts.setdefault(owner, []).append(each)
        else:
            objects.append(each)
    return objects, parts

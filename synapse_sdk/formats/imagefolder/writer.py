"""Writes image folders: each image into the folder of its class."""

from pathlib import Path

from synapse_sdk.errors import InvalidDatasetError
from synapse_sdk.formats.base import FormatOptions, Writer
from synapse_sdk.formats.class_lists import CLASSES_FILE, fits_class_list, write_class_list
from synapse_sdk.formats.imagefolder.layout import class_of, target_name
from synapse_sdk.formats.imagefolder.reasons import CLASS_NAME, CLASS_RENAMED, NO_LABEL, SEVERAL_LABELS
from synapse_sdk.formats.images import MISSING_IMAGE, ImagePlacer, is_safe_name
from synapse_sdk.formats.losses import LossLog, Outcome, Reason
from synapse_sdk.formats.model import Annotation, DatasetInfo, Item, Tool, tools_of
from synapse_sdk.formats.reasons import ATTRIBUTES, GROUP, NAME_TAKEN, SHAPE, UNSAFE_NAME

__all__ = ["ImageFolderWriter"]


class ImageFolderWriter(Writer):
    """Writes a dataset; see `ImageFolderFormat` for what is where.

    Args:
        folder: Where to write.
        info: Classes and splits.
        options: What was chosen.
        losses: Takes down what cannot be written, or not as it is.
    """

    def __init__(self, folder: Path, info: DatasetInfo, options: FormatOptions, losses: LossLog) -> None:
        super().__init__(folder, info, options, losses)
        self._placer = ImagePlacer(folder, options.images, losses)
        names = [self.name_of(spec.name) for spec in info.classes]
        self._classes = dict.fromkeys(name for name in names if _is_folder_name(name))

    def name_of(self, label: str) -> str:
        """Return how a class is called in the target."""
        return label

    def write(self, item: Item) -> bool:
        """Bring the image of an item into the folder of its class."""
        chosen = _label_of(item)
        if chosen is None:
            return self.drop(item, NO_LABEL, _found(item))
        label = self.name_of(chosen.label)
        inner = label + target_name(item.name, chosen.label).removeprefix(chosen.label)
        name = f"{item.split}/{inner}" if item.split else inner
        fault = self._fault(item, name, inner, label)
        if fault is not None:
            return self.drop(item, *fault)
        try:
            self._placer.place(item, name)
        except InvalidDatasetError:
            return self.drop(item, NAME_TAKEN, name)
        self.written[label, Tool.CLASSIFICATION] += 1
        self._classes[label] = None
        if label != chosen.label:
            self._lose(item, chosen, Outcome.CHANGED, CLASS_RENAMED, f"{chosen.label!r:.200} is {label!r:.200} now")
        self._tell(item, chosen)
        return True

    def is_divisible(self) -> bool:
        """Yes: every item is an image of its own."""
        return True

    def finish(self) -> None:
        """Write `classes.txt`: the classes of the dataset, and any others that were met."""
        write_class_list(self.folder, self._classes)

    def _fault(self, item: Item, name: str, inner: str, label: str) -> tuple[Reason, str] | None:
        """Return why an image cannot go to a place; None if it can."""
        if label not in self._classes and not _is_folder_name(label):
            return CLASS_NAME, f"class {label!r:.300}"
        if not is_safe_name(name):
            return UNSAFE_NAME, ""
        place = inner.rpartition("/")[0]
        if place != label and class_of(place, {*self._classes, label}) != label:
            return CLASS_NAME, f"in folder {place!r:.300} it would be of another class"
        return None if item.path else (MISSING_IMAGE, "")

    def _tell(self, item: Item, chosen: Annotation) -> None:
        """Report what an item has besides a class."""
        for each in item.annotations:
            if each is chosen:
                if each.attributes:
                    self._lose(item, each, Outcome.CHANGED, ATTRIBUTES, ", ".join(each.attributes))
                if each.group:
                    self._lose(item, each, Outcome.CHANGED, GROUP, f"group {each.group!r:.200}")
            elif _is_label(each):
                self._lose(
                    item, each, Outcome.DROPPED, SEVERAL_LABELS, f"{each.label!r:.200}, not {chosen.label!r:.200}"
                )
            else:
                self._lose(item, each, Outcome.DROPPED, SHAPE, f"{' and '.join(tools_of(each))} in image folders")

    def _lose(self, item: Item, annotation: Annotation, outcome: Outcome, reason: Reason, words: str) -> None:
        self.losses.of_annotation(
            outcome, reason, item=item.name, split=item.split, annotation=annotation.id, words=words
        )


def _is_label(annotation: Annotation) -> bool:
    return annotation.box is None and annotation.shape is None and annotation.keypoints is None


def _label_of(item: Item) -> Annotation | None:
    """Return the first annotation that gives the image as a whole a class."""
    return next((each for each in item.annotations if _is_label(each) and each.label.strip()), None)


def _found(item: Item) -> str:
    return f"{len(item.annotations)} annotations, of parts of the image only" if item.annotations else ""


def _is_folder_name(name: str) -> bool:
    """Whether a class can be a folder that is read again: no link out, no hidden one, and not the list of classes."""
    parts = name.split("/")
    return (
        is_safe_name(name)
        and fits_class_list(name)
        and not any(part.startswith(".") for part in parts)
        and parts[0] != CLASSES_FILE
    )

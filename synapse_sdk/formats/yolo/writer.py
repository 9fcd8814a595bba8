"""Writes YOLO datasets."""

import itertools
import os
from collections import Counter
from errno import ENAMETOOLONG
from os.path import splitext
from pathlib import Path

from synapse_sdk.errors import ConfigurationError, InvalidDatasetError
from synapse_sdk.formats.base import BoundsPolicy, FormatOptions, ImageTransfer, Writer
from synapse_sdk.formats.bounds import Fitter
from synapse_sdk.formats.images import (
    IMAGE_SUFFIXES,
    NO_IMAGE,
    ImagePlacer,
    ImageSizes,
    is_called_image,
    is_safe_name,
)
from synapse_sdk.formats.losses import LossLog, Outcome
from synapse_sdk.formats.model import DatasetInfo, Item
from synapse_sdk.formats.new_files import NewFiles
from synapse_sdk.formats.reasons import NAME_TAKEN, UNSAFE_NAME
from synapse_sdk.formats.splits import in_order, target_split
from synapse_sdk.formats.yolo.config import NO_SPLITS
from synapse_sdk.formats.yolo.config_text import config_text, flip_of, stand_ins
from synapse_sdk.formats.yolo.lines import DetectLines, Lines
from synapse_sdk.formats.yolo.outlines import ObbLines, SegmentLines
from synapse_sdk.formats.yolo.poses import PoseLines
from synapse_sdk.formats.yolo.reasons import DUPLICATE_ROW, FLIPS, FOLDER_RENAMED, HIDDEN_NAME, SPLIT_MISSING
from synapse_sdk.formats.yolo.tasks import Task

__all__ = ["YoloWriter"]

LINES: dict[Task, type[Lines]] = {each.task: each for each in (DetectLines, SegmentLines, PoseLines, ObbLines)}


class YoloWriter(Writer):
    """Writes a dataset for one task: label files beside images, `dataset.yaml` and `classes.txt`.

    Args:
        folder: Where to write.
        info: Classes and splits.
        task: What it is for.
        options: What was chosen.
        losses: Takes down what cannot be written, or not as it is.

    Raises:
        ConfigurationError: Annotations are to reach over the edge of their image, or a split has the name of
            something else in the YAML file.
    """

    def __init__(self, folder: Path, info: DatasetInfo, task: Task, options: FormatOptions, losses: LossLog) -> None:
        super().__init__(folder, info, options, losses)
        if options.bounds is BoundsPolicy.KEEP:
            msg = "A YOLO dataset cannot have annotations that reach over the edge of their image"
            raise ConfigurationError(msg, why="Trainers leave out images with such", fix="Use bounds=clip or drop")
        self._task = task
        fitter = Fitter(options.bounds or BoundsPolicy.CLIP, losses)
        self._lines = LINES[task](info.classes, fitter, losses)
        self._placer = ImagePlacer(folder, options.images, losses)
        self._sizes = ImageSizes()
        self._files = NewFiles(folder)
        self._prefixes: dict[str, str] = {}
        for split in info.splits or ("",):
            self._add_split(split)

    def write(self, item: Item) -> bool:
        """Write the label file of an item, and bring its image to its place."""
        name = item.name
        prefix = self._prefixes.get(item.split)
        if prefix is None:
            prefix = self._add_split(item.split)
        if not is_safe_name(name):
            return self.drop(item, UNSAFE_NAME)
        if item.annotations and not self._sizes.measure(item, self.options.exif, self.losses):
            return False
        if not item.annotations and item.path and not is_called_image(item.path):
            return self.drop(item, NO_IMAGE)
        if "images/" in name or _is_hidden(name):
            name = _findable(name)
        opened = self._open_label(item, prefix, name)
        if opened is None:
            return False
        file, name = opened
        try:
            self._fill(file, item)
        finally:
            os.close(file)
        self._placer.place(item, f"{prefix}images/{name}")
        return True

    def is_divisible(self) -> bool:
        """Yes, unless the first pose decides how many joints all have."""
        return not isinstance(self._lines, PoseLines) or self._lines.joints > 0

    def tally(self) -> Counter[tuple[str, str]]:
        """Return how often each class was written with each tool so far."""
        counts = self.written.copy()
        for label, tool, count in self._lines.written():
            counts[label, tool] += count
        return counts

    def finish(self) -> None:
        """Write the YAML file and the list of classes.

        Raises:
            InvalidDatasetError: They are to be poses, and nothing has joints.
        """
        joints = self._lines.joints if isinstance(self._lines, PoseLines) else 0
        if self._task is Task.POSE and not joints:
            msg = "Nothing in the dataset has joints, so that no poses can be learnt from it"
            raise InvalidDatasetError(msg, fix="Choose another --task")
        classes = self.info.classes
        if joints and any(spec.flip for spec in classes) and not flip_of(classes, joints):
            self.losses.of_item(Outcome.NOTED, FLIPS, item="", where="dataset.yaml")
        splits = in_order(prefix.rstrip("/") for prefix in {*self._prefixes.values()} if prefix)
        for key, images in stand_ins(splits).items() if splits else ():
            words = f"{key} is {images}"
            self.losses.of_item(Outcome.NOTED, SPLIT_MISSING, item="", where="dataset.yaml", words=words)
        text = config_text(classes, splits, self._task, joints)
        (self.folder / "dataset.yaml").write_text(text, encoding="utf-8", newline="\n")
        lines = "".join(f"{' '.join(spec.name.splitlines())}\n" for spec in classes)
        (self.folder / "classes.txt").write_bytes(lines.encode(errors="backslashreplace"))

    def _fill(self, file: int, item: Item) -> None:
        lines = self._lines.lines(item)
        if len({*lines}) < len(lines):
            words = f"{len(lines) - len({*lines})} rows"
            self.losses.of_item(Outcome.NOTED, DUPLICATE_ROW, item=item.name, split=item.split, words=words)
        data = b"".join(lines)
        if b"-" in data:
            data = data.replace(b"-0.000000", b"0.000000")
        while data:
            data = data[os.write(file, data) :]

    def _open_label(self, item: Item, prefix: str, name: str) -> tuple[int, str] | None:
        """Open the label file of an item, and return it with the name that the image gets; None if there is none.

        Where another image has the label file already, a number is put behind the stem.
        """
        stem, suffix = splitext(name)  # noqa: PTH122  # once for each item
        if not item.path and suffix.lower() not in IMAGE_SUFFIXES:
            stem, suffix = name, ""
        reason, given = HIDDEN_NAME if _is_hidden(item.name) else FOLDER_RENAMED, stem
        for number in itertools.count(2):
            try:
                file = self._files.open(f"{prefix}labels/{given}.txt")
            except FileExistsError:
                reason, given = NAME_TAKEN, f"{stem}_{number}"
                continue
            except NotADirectoryError:
                self.drop(item, NAME_TAKEN, f"{prefix}labels/{stem}.txt")
                return None
            except OSError as error:
                if error.errno != ENAMETOOLONG:
                    raise
                self.drop(item, UNSAFE_NAME, "the name is too long")
                return None
            break
        name = given + suffix
        if name != item.name:
            words = f"it is {name} in the target"
            self.losses.of_item(Outcome.CHANGED, reason, item=item.name, split=item.split, words=words)
        return file, name

    def _add_split(self, name: str) -> str:
        """Return the folder of a split, with a slash; nothing in a dataset without splits."""
        split = target_split(name, self._prefixes, "YOLO", NO_SPLITS.__contains__)
        prefix = self._prefixes[name] = f"{split}/" if split else ""
        for folder in ("labels",) if self.options.images is ImageTransfer.NONE else ("labels", "images"):
            self._files.add_folder(f"{prefix}{folder}")
        return prefix


def _is_hidden(name: str) -> bool:
    return name[0] == "." or "/." in name


def _findable(name: str) -> str:
    """Return a name under which trainers find an image and its label file.

    They pass over what begins with a dot, and find labels by the last folder that is called `images`.
    """
    *folders, last = [f"_{part[1:]}" if part.startswith(".") else part for part in name.split("/")]
    return "/".join([*(f"{folder}_" if folder == "images" else folder for folder in folders), last])

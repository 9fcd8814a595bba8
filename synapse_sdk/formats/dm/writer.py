"""Writes DM datasets."""

import os
from collections.abc import Sequence
from errno import ENAMETOOLONG
from os.path import splitext
from pathlib import Path

from synapse_sdk.formats.base import BoundsPolicy, FormatOptions, Writer
from synapse_sdk.formats.bounds import Fitter
from synapse_sdk.formats.dm.class_specs import write_class_specs
from synapse_sdk.formats.dm.document import Version
from synapse_sdk.formats.dm.layout import DOCUMENTS, NO_SPLITS, ORIGINALS, SUFFIX
from synapse_sdk.formats.dm.rendering import Renderer
from synapse_sdk.formats.dm.versions import DocumentWriter
from synapse_sdk.formats.images import IMAGE_SUFFIXES, ImagePlacer, ImageSizes, is_safe_name
from synapse_sdk.formats.losses import LossLog
from synapse_sdk.formats.model import Annotation, DatasetInfo, Item
from synapse_sdk.formats.new_files import NewFiles
from synapse_sdk.formats.reasons import INVALID_RECORD, NAME_TAKEN, UNSAFE_NAME
from synapse_sdk.formats.splits import target_split

__all__ = ["DmWriter"]


class DmWriter(Writer):
    """Writes a dataset: a document for each item, originals beside them, and the list of classes.

    Args:
        folder: Where to write.
        info: Classes and splits.
        version: The version of its documents.
        options: What was chosen.
        losses: Takes down what cannot be written, or not as it is.

    Raises:
        ConfigurationError: A split has the name of something else.
    """

    def __init__(
        self, folder: Path, info: DatasetInfo, version: Version, options: FormatOptions, losses: LossLog
    ) -> None:
        super().__init__(folder, info, options, losses)
        joints = {spec.name: spec.joints for spec in info.classes if spec.joints}
        self._documents = DocumentWriter(version, Renderer(joints, losses, self.written), losses, self.written)
        must_fit = options.bounds not in {None, BoundsPolicy.KEEP}
        self._fitter = Fitter(options.bounds or BoundsPolicy.KEEP, losses) if must_fit else None
        self._placer = ImagePlacer(folder, options.images, losses)
        self._sizes = ImageSizes()
        self._files = NewFiles(folder)
        self._prefixes: dict[str, str] = {}
        for split in info.splits or ("",):
            self._add_split(split)

    def write(self, item: Item) -> bool:
        """Write the document of an item, and bring its original to its place."""
        name = item.name
        prefix = self._prefixes.get(item.split)
        if prefix is None:
            prefix = self._add_split(item.split)
        if not is_safe_name(name):
            return self.drop(item, UNSAFE_NAME)
        annotations = self._fitting(item)
        if annotations is None:
            return False
        stem, suffix = splitext(name)  # noqa: PTH122  # once for each item
        if not item.path and suffix.lower() not in IMAGE_SUFFIXES:
            stem = name
        path = f"{prefix}{DOCUMENTS}/{stem}{SUFFIX}"
        try:
            file = self._files.open(path)
        except (FileExistsError, NotADirectoryError):
            return self.drop(item, NAME_TAKEN, path)
        except OSError as error:
            if error.errno != ENAMETOOLONG:
                raise
            return self.drop(item, UNSAFE_NAME, "the name is too long")
        try:
            data = self._documents.content(item, annotations)
            while data:
                data = data[os.write(file, data) :]
        except ValueError as error:  # half a character, or a document that was not read from a file
            (self.folder / path).unlink()
            return self.drop(item, INVALID_RECORD, str(error))
        finally:
            os.close(file)
        self._placer.place(item, f"{prefix}{ORIGINALS}/{name}")
        return True

    def is_divisible(self) -> bool:
        """Yes: every item has a document of its own."""
        return True

    def finish(self) -> None:
        """Write the list of classes."""
        write_class_specs(self.folder, self.info.classes)

    def _fitting(self, item: Item) -> Sequence[Annotation] | None:
        """Return the annotations of an item as they may be written; None if it cannot be, which the log says."""
        if self._fitter is None or not item.annotations:
            return item.annotations
        if not self._sizes.measure(item, self.options.exif, self.losses):
            return None
        fitting = [self._fitter.fit(item, each) for each in item.annotations]
        if all(map(_is_same, fitting, item.annotations)):
            return item.annotations
        item.document = None
        return [each for each in fitting if each is not None]

    def _add_split(self, name: str) -> str:
        """Return the folder of a split, with a slash; nothing in a dataset without splits."""
        split = target_split(name, self._prefixes, "DM", lambda split: split in NO_SPLITS or split.startswith("."))
        prefix = self._prefixes[name] = f"{split}/" if split else ""
        # The folder of originals is there even if they are not brought: without it this is no dataset.
        for folder in (DOCUMENTS, ORIGINALS):
            self._files.add_folder(f"{prefix}{folder}")
        return prefix


def _is_same(one: Annotation | None, other: Annotation) -> bool:
    return one is other

"""Writes DM datasets."""

import os
from collections.abc import Sequence
from errno import ENAMETOOLONG
from os.path import splitext
from pathlib import Path

from synapse_sdk.errors import ConfigurationError, InvalidDatasetError
from synapse_sdk.formats.base import BoundsPolicy, FormatOptions, Writer
from synapse_sdk.formats.bounds import Fitter
from synapse_sdk.formats.dm.class_specs import write_class_specs
from synapse_sdk.formats.dm.document import Version
from synapse_sdk.formats.dm.layout import DOCUMENTS, NO_SPLITS, ORIGINALS, SUFFIX
from synapse_sdk.formats.dm.rendering import Renderer
from synapse_sdk.formats.dm.versions import DocumentWriter
from synapse_sdk.formats.images import IMAGE_SUFFIXES, ImagePlacer, ImageSizes, is_safe_name
from synapse_sdk.formats.losses import LossLog, Outcome, Reason
from synapse_sdk.formats.model import Annotation, DatasetInfo, Item
from synapse_sdk.formats.reasons import INVALID_RECORD, NAME_TAKEN, UNSAFE_NAME
from synapse_sdk.formats.splits import canonical_split

__all__ = ["DmWriter"]

NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


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
        self._root = os.fspath(folder)
        self._prefixes: dict[str, str] = {}
        self._made: set[str] = set()
        for split in info.splits or ("",):
            self._add_split(split)

    def write(self, item: Item) -> bool:
        """Write the document of an item, and bring its original to its place."""
        name = item.name
        prefix = self._prefixes.get(item.split)
        if prefix is None:
            prefix = self._add_split(item.split)
        if not is_safe_name(name):
            return self._drop(item, UNSAFE_NAME)
        annotations = self._fitting(item)
        if annotations is None:
            return False
        stem, suffix = splitext(name)  # noqa: PTH122  # once for each item
        if not item.path and suffix.lower() not in IMAGE_SUFFIXES:
            stem = name
        path = f"{prefix}{DOCUMENTS}/{stem}{SUFFIX}"
        try:
            file = self._open(path)
        except (FileExistsError, NotADirectoryError):
            return self._drop(item, NAME_TAKEN, path)
        except OSError as error:
            if error.errno != ENAMETOOLONG:
                raise
            return self._drop(item, UNSAFE_NAME, "the name is too long")
        try:
            data = self._documents.content(item, annotations)
            while data:
                data = data[os.write(file, data) :]
        except ValueError as error:  # half a character, or a document that was not read from a file
            (self.folder / path).unlink()
            return self._drop(item, INVALID_RECORD, str(error))
        finally:
            os.close(file)
        self._placer.place(item, f"{prefix}{ORIGINALS}/{name}")
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

    def _open(self, path: str) -> int:
        """Open a new file for writing; which names are taken, the file system knows."""
        above = path.rpartition("/")[0]
        if above not in self._made:
            os.makedirs(f"{self._root}/{above}", exist_ok=True)  # noqa: PTH103  # text is what we have
            self._made.add(above)
        return os.open(f"{self._root}/{path}", NEW_FILE, 0o666)

    def _add_split(self, name: str) -> str:
        """Return the folder of a split, with a slash; nothing in a dataset without splits."""
        split = canonical_split(name)
        if bool(split) is ("" in self._prefixes) and self._prefixes:
            msg = "Some items of the dataset are in a split, and others are not"
            raise InvalidDatasetError(msg, fix="Put all of them into splits, or none", split=name)
        if split and ("/" in split or not is_safe_name(split) or split in NO_SPLITS or split.startswith(".")):
            msg = f"A split of a DM dataset cannot be called {name!r}"
            raise ConfigurationError(msg, fix="Rename it", split=name)
        prefix = self._prefixes[name] = f"{split}/" if split else ""
        # The folder of originals is there even if they are not brought: without it this is no dataset.
        for folder in (DOCUMENTS, ORIGINALS):
            os.makedirs(f"{self._root}/{prefix}{folder}", exist_ok=True)  # noqa: PTH103  # as above
            self._made.add(f"{prefix}{folder}")
        return prefix

    def _drop(self, item: Item, reason: Reason, words: str = "") -> bool:
        self.losses.of_item(
            Outcome.DROPPED,
            reason,
            item=item.name,
            split=item.split,
            words=words,
            annotations=len(item.annotations),
        )
        return False


def _is_same(one: Annotation | None, other: Annotation) -> bool:
    return one is other

"""Reads DM datasets."""

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cached_property
from itertools import islice
from pathlib import Path

import msgspec

from synapse_sdk.formats.base import FormatOptions, Reader
from synapse_sdk.formats.dm.annotations import AnnotationReader
from synapse_sdk.formats.dm.class_specs import read_class_specs
from synapse_sdk.formats.dm.document_reader import DocumentReader, Unreadable
from synapse_sdk.formats.dm.joints import with_all_joints
from synapse_sdk.formats.dm.labels import Found, Labels
from synapse_sdk.formats.dm.layout import DOCUMENTS, SUFFIX, Files, Part, find_parts
from synapse_sdk.formats.dm.masks import MaskReader
from synapse_sdk.formats.dm.reasons import AMBIGUOUS_IMAGE, NO_DOCUMENT, UNREADABLE_DOCUMENT
from synapse_sdk.formats.images import visible
from synapse_sdk.formats.losses import LossLog, Outcome, Reason
from synapse_sdk.formats.model import DatasetInfo, Item
from synapse_sdk.formats.readable import readable
from synapse_sdk.formats.reasons import NAME_TAKEN

__all__ = ["DmReader"]

LARGE = 5_000
"""Documents that it takes a good part of a second to look into."""
MOST_BYTES = 256 * 1024 * 1024
"""Bytes that a document may have: masks take megabytes."""
AT_ONCE = 64 * 1024
"""Bytes of a document that are read first: nearly all have less."""
READING = os.O_RDONLY | os.O_CLOEXEC


class DmReader(Reader):
    """Reads a dataset; each of its documents may be of either version.

    Args:
        folder: The dataset.
        options: What was chosen.
        losses: Takes down what cannot be read.

    Raises:
        InvalidDatasetError: A folder is missing, or there are two for one thing.
    """

    asks = True

    def __init__(self, folder: Path, options: FormatOptions, losses: LossLog) -> None:
        super().__init__(folder, options, losses)
        self._labels: Labels | None = None
        """What all documents speak of, as soon as somebody has looked."""
        self._root = os.fspath(folder)
        self._parts = find_parts(folder)

    @cached_property
    def info(self) -> DatasetInfo:
        """Classes as the dataset lists them, and all others by name. Goes through all documents, if nobody else has."""
        if self._labels is None:
            self._labels = self._labels_in(0, 1)
        return DatasetInfo(
            classes=self._labels.specs(read_class_specs(self.folder)),
            splits=tuple(part.split for part in self._parts if part.split),
            count=sum(len(files.documents) + len(files.left) for files in self._files),
        )

    def is_large(self) -> bool:
        """Whether there are many documents to look into."""
        folders = (f"{self._root}/{part.folder}{DOCUMENTS}" for part in self._parts)
        with readable():
            return sum(len([*islice(visible(folder), LARGE)]) for folder in folders) >= LARGE

    def survey(self, begin: float, end: float) -> bytes:
        """Find the classes and joints that a stretch of the documents speaks of."""
        labels = self._labels_in(begin, end) if self._labels is None else self._labels
        return msgspec.msgpack.encode(labels.found)

    def know(self, surveys: Sequence[bytes]) -> None:
        """Take over the classes and joints that were found."""
        self._labels = Labels()
        for each in surveys:
            self._labels.join(msgspec.msgpack.decode(each, type=Found))

    def items(self) -> Iterator[Item]:
        """Yield the items of all documents, and then images without one."""
        masks = MaskReader(self.options.exif, self.losses)
        reader = DocumentReader(AnnotationReader(masks), self.losses)
        for part, files in zip(self._parts, self._files, strict=True):
            yield from self._documents(part, files, reader)
            yield from self._unlabelled(part, files)

    @cached_property
    def _files(self) -> list[Files]:
        return [Files.of(self._root, part, self.losses) for part in self._parts]

    def _labels_in(self, begin: float, end: float) -> Labels:
        """Return what a stretch of the documents speaks of."""
        parts = zip(self._parts, self._files, strict=True)
        paths = (f"{self._root}/{part.folder}{DOCUMENTS}/{name}" for part, files in parts for name in files.documents)
        count = sum(len(files.documents) for files in self._files)
        labels = Labels()
        for path in islice(paths, int(begin * count), int(end * count)):
            with suppress(OSError, Unreadable):  # which is said when its item is read
                labels.add(_content(path))
        return labels

    def _documents(self, part: Part, files: Files, reader: DocumentReader) -> Iterator[Item]:
        split, above = part.split, f"{part.folder}{DOCUMENTS}/"
        folder, originals = f"{self._root}/{above}", f"{self._root}/{part.folder}{part.originals}/"
        about, read, skips = files.about, reader.read, self.skips
        # Names are told apart by their folder: only `.JSON` beside `.json`, which comes later, makes two of one stem.
        odd: set[str] = set()
        for name in files.documents:
            stem, where = name[: -len(SUFFIX)], above + name
            found = about(stem)
            item = Item(name=stem, split=split)
            if found:
                item.name, item.path = found[0], originals + found[0]
            is_second = stem in odd
            if not name.endswith(SUFFIX):
                odd.add(stem)
            if skips(item.name):
                continue
            if is_second:
                self._fail(item, NAME_TAKEN, where)
                continue
            if len(found) > 1:
                self._fail(item, AMBIGUOUS_IMAGE, where, f"it may be about {' or '.join(map(repr, found))}")
                continue
            try:
                content = _content(folder + name)
                read(content, item, where)
            except Unreadable as error:
                self._fail(item, error.reason, where + error.position, error.words)
                continue
            except OSError as error:
                self._fail(item, UNREADABLE_DOCUMENT, where, error.strerror or str(error))
                continue
            item.document = content
            if any([each.keypoints is not None for each in item.annotations]):  # noqa: C419  # a list is faster
                joints = {spec.name: spec.joints for spec in self.info.classes if spec.joints}
                item.annotations = [with_all_joints(each, joints) for each in item.annotations]
            yield item

    def _unlabelled(self, part: Part, files: Files) -> Iterator[Item]:
        originals = f"{self._root}/{part.folder}{part.originals}/"
        for name in files.left:
            if self.skips(name):
                continue
            self.losses.of_item(Outcome.NOTED, NO_DOCUMENT, item=name, split=part.split)
            yield Item(name=name, split=part.split, path=originals + name)

    def _fail(self, item: Item, reason: Reason, where: str, words: str = "") -> None:
        self.losses.of_item(Outcome.FAILED, reason, item=item.name, split=item.split, where=where, words=words)


def _content(path: str) -> bytes:
    """Return what a document holds."""
    file = os.open(path, READING)
    try:
        content = os.read(file, AT_ONCE)
        if len(content) < AT_ONCE:
            return content
        parts, size = [content], AT_ONCE
        while more := os.read(file, MOST_BYTES - size + 1):
            parts.append(more)
            size += len(more)
            if size > MOST_BYTES:
                raise Unreadable(UNREADABLE_DOCUMENT, f"it has more than {MOST_BYTES:,} bytes")
        return b"".join(parts)
    finally:
        os.close(file)

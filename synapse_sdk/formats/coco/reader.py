"""Reading COCO, an image at a time."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from synapse_sdk.formats.base import FormatOptions, Reader
from synapse_sdk.formats.coco.categories import Classes
from synapse_sdk.formats.coco.document import BAD_JSON, Document
from synapse_sdk.formats.coco.images import ImageFinder
from synapse_sdk.formats.coco.items import File, Part, PartIndex, Stretch
from synapse_sdk.formats.coco.layout import find_layout
from synapse_sdk.formats.coco.reasons import NOT_READ
from synapse_sdk.formats.coco.repeated_ids import tell_repeated_ids
from synapse_sdk.formats.losses import LossLog, Outcome
from synapse_sdk.formats.model import DatasetInfo, Item

if TYPE_CHECKING:
    from synapse_sdk.types import JsonValue

__all__ = ["CocoReader"]


LARGE = 32 * 1024 * 1024
"""Bytes of files that it takes a good part of a second to go through."""


class _Whole(Struct, frozen=True, tag=True):
    """What was found in all of a dataset."""

    parts: list[PartIndex]


class _Stretch(Struct, frozen=True, tag=True):
    """What was found in a stretch of it."""

    parts: list[list[Stretch]]
    """By split and file."""


class CocoReader(Reader):
    """Reads a COCO dataset.

    Files are mapped into memory and stay there as they are: beside them, there are 4 bytes for an annotation, however
    long it is (8, where the file does not have them in the order of its images), and some 20 for an image. Files must
    not change meanwhile.

    Raises:
        InvalidDatasetError: There is no COCO file, or there are several datasets.
    """

    asks = True

    def __init__(self, folder: Path, options: FormatOptions, losses: LossLog) -> None:
        super().__init__(folder, options, losses)
        self._layout = find_layout(folder)
        self._index: Sequence[PartIndex] = ()
        self._stretches: Sequence[Sequence[Sequence[Stretch]]] = ()
        """By split, file, and stretch."""

    @property
    def info(self) -> DatasetInfo:
        """What is known before items are read."""
        return self._opened[1]

    def items(self) -> Iterator[Item]:
        """Yield every image with its annotations, in the order of the files."""
        parts, info = self._opened
        joints = {spec.name: len(spec.joints) for spec in info.classes if spec.joints}
        for source, part in zip(self._layout.sources, parts, strict=True):
            yield from part.items(ImageFinder(source.folders), joints, skips=self.skips)

    def check(self) -> None:
        """Take down annotations that have the id of another one in their file: readers that look them up lose one."""
        for source, part in zip(self._layout.sources, self._opened[0], strict=True):
            for file in part.files:
                tell_repeated_ids(file.document, source.split, self.losses)

    def is_large(self) -> bool:
        """Whether its files are."""
        return sum(each.path.stat().st_size for each in self._layout.sources) >= LARGE

    def survey(self, begin: float, end: float) -> bytes:
        """Find out where the annotations in a stretch of each file are, and of which images; from 0 to 1, all."""
        if (begin, end) == (0, 1):
            return msgspec.msgpack.encode(_Whole([part.index for part in self._opened[0]]))
        try:
            found = [[Stretch.of(document, begin, end) for document in documents] for documents in self._documents]
        except BAD_JSON:
            return b""  # a mark within an annotation: nobody knows then where stretches begin
        return msgspec.msgpack.encode(_Stretch(found))

    def know(self, surveys: Sequence[bytes]) -> None:
        """Take over where records are."""
        found = [msgspec.msgpack.decode(each, type=_Whole | _Stretch) for each in surveys if each]
        stretches = [each.parts for each in found if isinstance(each, _Stretch)]
        self._index = next((each.parts for each in found if isinstance(each, _Whole)), ())
        if len(stretches) == len(surveys):
            self._stretches = [[*zip(*of_part, strict=True)] for of_part in zip(*stretches, strict=True)]

    def close(self) -> None:
        """Let go of the files."""
        if "_documents" in self.__dict__:
            for documents in self._documents:
                for each in documents:
                    each.close()

    @cached_property
    def _documents(self) -> list[list[Document]]:
        """The files of each split, open: the first one lists the images, another one is about the same."""
        name_of = self._layout.name_of
        return [[Document(path, name_of(path)) for path in source.paths] for source in self._layout.sources]

    @cached_property
    def _opened(self) -> tuple[list[Part], DatasetInfo]:
        for path in self._layout.unread:
            name = self._layout.name_of(path)
            self.losses.of_item(Outcome.NOTED, NOT_READ, item="", where=name, words=f"{name} is not read")
        classes = Classes(self.losses)
        sources = self._layout.sources
        files = [
            [File(document, classes.add(document), source.segments) for document in documents]
            for source, documents in zip(sources, self._documents, strict=True)
        ]
        indices: Sequence[PartIndex | None] = self._index or [None] * len(sources)
        stretches = self._stretches or [()] * len(sources)
        parts = [
            Part(opened, source.split, self.losses, index=index, stretches=found)
            for source, opened, index, found in zip(sources, files, indices, stretches, strict=True)
        ]
        self._index, self._stretches = (), ()  # all of it is in the parts by now
        notes: dict[str, JsonValue] = {}
        for documents in reversed(self._documents):
            notes |= documents[0].notes
        info = DatasetInfo(
            classes=classes.specs(),
            splits=tuple(source.split for source in sources if source.split),
            count=sum(len(documents[0].images) for documents in self._documents),
            notes=notes,
        )
        return parts, info

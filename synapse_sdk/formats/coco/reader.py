"""Reading COCO, an image at a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from synapse_sdk.formats.base import FormatOptions, Reader
from synapse_sdk.formats.coco.categories import Classes
from synapse_sdk.formats.coco.document import Document
from synapse_sdk.formats.coco.images import ImageFinder
from synapse_sdk.formats.coco.items import File, read_items
from synapse_sdk.formats.coco.layout import Source, find_layout
from synapse_sdk.formats.coco.reasons import NOT_READ
from synapse_sdk.formats.coco.repeated_ids import tell_repeated_ids
from synapse_sdk.formats.losses import LossLog, Outcome
from synapse_sdk.formats.model import DatasetInfo, Item

if TYPE_CHECKING:
    from synapse_sdk.types import JsonValue

__all__ = ["CocoReader"]


LARGE = 32 * 1024 * 1024
"""Bytes of files that it takes a good part of a second to go through."""


@dataclass(frozen=True, slots=True)
class _Part:
    """A split that is open."""

    source: Source
    files: list[File]
    """The first one lists the images; another one is about the same."""


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

    @property
    def info(self) -> DatasetInfo:
        """What is known before items are read."""
        return self._opened[1]

    def items(self) -> Iterator[Item]:
        """Yield every image with its annotations, in the order of the files."""
        parts, info = self._opened
        joints = {spec.name: len(spec.joints) for spec in info.classes if spec.joints}
        for part in parts:
            finder = ImageFinder(part.source.folders)
            yield from read_items(part.files, part.source.split, finder, joints, self.losses, skips=self.skips)

    def check(self) -> None:
        """Take down annotations that have the id of another one in their file: readers that look them up lose one."""
        for part in self._opened[0]:
            for file in part.files:
                tell_repeated_ids(file.document, part.source.split, self.losses)

    def is_large(self) -> bool:
        """Whether its files are."""
        return sum(each.path.stat().st_size for each in self._layout.sources) >= LARGE

    def close(self) -> None:
        """Let go of the files."""
        if "_opened" in self.__dict__:
            for part in self._opened[0]:
                for file in part.files:
                    file.document.close()

    @cached_property
    def _opened(self) -> tuple[list[_Part], DatasetInfo]:
        for path in self._layout.unread:
            name = self._layout.name_of(path)
            self.losses.of_item(Outcome.NOTED, NOT_READ, item="", where=name, words=f"{name} is not read")
        classes = Classes(self.losses)
        parts = [self._open(source, classes) for source in self._layout.sources]
        notes: dict[str, JsonValue] = {}
        for part in reversed(parts):
            notes |= part.files[0].document.notes
        info = DatasetInfo(
            classes=classes.specs(),
            splits=tuple(part.source.split for part in parts if part.source.split),
            count=sum(len(part.files[0].document.images) for part in parts),
            notes=notes,
        )
        return parts, info

    def _open(self, source: Source, classes: Classes) -> _Part:
        paths = [source.path] if source.joints is None else [source.path, source.joints]
        documents = [Document(path, self._layout.name_of(path)) for path in paths]
        return _Part(source, [File(document, classes.add(document), source.segments) for document in documents])

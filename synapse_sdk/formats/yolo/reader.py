"""Reads YOLO datasets."""

from collections.abc import Container, Iterator
from functools import cached_property
from itertools import islice
from pathlib import Path

from synapse_sdk.formats.base import FormatOptions, Reader
from synapse_sdk.formats.images import MISSING_IMAGE, ImageSizes
from synapse_sdk.formats.losses import LossLog, Outcome
from synapse_sdk.formats.model import Annotation, DatasetInfo, Item
from synapse_sdk.formats.readable import readable
from synapse_sdk.formats.yolo.config import Config
from synapse_sdk.formats.yolo.grammar import MOST_SAMPLES, Grammar, decide_grammar
from synapse_sdk.formats.yolo.index import Split, index_splits
from synapse_sdk.formats.yolo.label_files import LABEL_SUFFIX, MOST_BYTES, LabelFiles, LabelPaths, read_rows
from synapse_sdk.formats.yolo.layout import find_places
from synapse_sdk.formats.yolo.reasons import SAME_LABELS, UNREADABLE_LABELS
from synapse_sdk.formats.yolo.rows import RowReader
from synapse_sdk.formats.yolo.tasks import Task

__all__ = ["YoloReader"]

NOT_READ = Annotation(id="", label="")
"""Stands for each row of an item until it has a size: if it never has, they are counted as lost."""
MOST_TRIED = 1000
"""Images whose label files are looked for, to see which task they are for."""


class YoloReader(Reader):
    """Reads a dataset of any task but classification.

    Args:
        config: What the dataset says about itself.
        task: The task that was chosen, if any.
        options: What was chosen.
        losses: Takes down what cannot be read.

    Raises:
        InvalidDatasetError: Images are not where the dataset says.
    """

    asks = True

    def __init__(self, config: Config, task: Task | None, options: FormatOptions, losses: LossLog) -> None:
        super().__init__(Path(config.root), options, losses)
        self._config, self._task = config, task
        self._places = find_places(config, losses)
        self._labels = LabelPaths(config.root)
        self._sizes = ImageSizes()

    @cached_property
    def info(self) -> DatasetInfo:
        """Classes, splits and the number of images. Lists all folders of images when it is first asked for."""
        return DatasetInfo(
            classes=self._config.classes(self._grammar.joints),
            splits=tuple(split.name for split in self._splits if split.name),
            count=sum(len(split.images) for split in self._splits),
        )

    def items(self) -> Iterator[Item]:
        """Yield every image, those without labels as well."""
        rows = RowReader(self._config.names, self._grammar, self.losses)
        for split in self._splits:
            yield from self._items(split, rows)

    @cached_property
    def _splits(self) -> tuple[Split, ...]:
        return index_splits(self._config.root, self._places, self.losses)

    @cached_property
    def _grammar(self) -> Grammar:
        return decide_grammar(self._config, self._task, self._samples())

    def _samples(self) -> Iterator[list[list[bytes]]]:
        """Yield the rows of some label files."""
        images = (path for split in self._splits for _, path in split.images)
        found = 0
        for path in islice(images, MOST_TRIED):
            try:
                rows = read_rows(self._labels.of(path))
            except OSError:
                continue
            if rows:
                yield rows
                found += 1
            if found == MOST_SAMPLES:
                return

    def _items(self, split: Split, reader: RowReader) -> Iterator[Item]:
        label_of = self._labels.of
        with readable():
            files = LabelFiles(self._labels, split.folders, (path for _, path in split.images))
        for number, (name, path) in enumerate(split.images):
            item = Item(name=name, split=split.name, path=path)
            label = label_of(path)
            owner = files.take(label, number)
            if self.skips(name):
                continue
            if owner is None:
                yield item
                continue
            where = self._below_root(label)
            if owner != number:
                words = f"{where} is that of {split.images.name(owner)}"
                self.losses.of_item(Outcome.FAILED, SAME_LABELS, item=name, split=split.name, words=words)
                continue
            rows = self._rows(files, label, item, where)
            if rows is None:
                continue
            if any(rows):
                item.annotations = [NOT_READ] * sum(map(bool, rows))
                if not self._sizes.measure(item, self.options.exif, self.losses, Outcome.FAILED):
                    continue
                item.annotations = reader.annotations(rows, item, where)
            yield item
        self._tell_left(files, split)

    def _rows(self, files: LabelFiles, label: str, item: Item, where: str) -> list[list[bytes]] | None:
        """Return the rows of a label file; None if it cannot be read, which the log says."""
        words = "it is no file"
        try:
            if files.is_regular(label):
                rows = read_rows(label)
                if rows is not None:
                    return rows
                words = f"it has more than {MOST_BYTES:,} bytes"
        except OSError as error:
            words = error.strerror or str(error)
        self.losses.of_item(
            Outcome.FAILED, UNREADABLE_LABELS, item=item.name, split=item.split, where=where, words=words
        )
        return None

    def _below_root(self, path: str) -> str:
        root = self._config.root
        return path[len(root) + 1 :] if path.startswith(root) else path

    def _tell_passed_over(self, split: Split, left: Container[str]) -> None:
        """Report links and folders that were not followed. Images whose labels are left are reported with these."""
        for each in split.passed_over:
            if each.path.endswith(LABEL_SUFFIX):  # beside images, where the labels of each are reported
                continue
            outcome = Outcome.NOTED if self._labels.of(each.path) in left else Outcome.FAILED
            where = self._below_root(each.path)
            self.losses.of_item(outcome, each.reason, item=each.name, split=split.name, where=where, words=each.words)

    def _tell_left(self, files: LabelFiles, split: Split) -> None:
        """Report label files without an image."""
        left = files.left()
        self._tell_passed_over(split, {*left})
        for label in left:
            where = self._below_root(label)
            name = where.rpartition("labels/")[2].removesuffix(".txt")
            rows = self._rows(files, label, Item(name=name, split=split.name), where)
            if rows is not None:
                self.losses.of_item(
                    Outcome.FAILED,
                    MISSING_IMAGE,
                    item=name,
                    split=split.name,
                    where=where,
                    annotations=sum(map(bool, rows)),
                )

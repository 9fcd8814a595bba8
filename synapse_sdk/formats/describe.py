"""What is in a dataset: items, classes, sizes of images."""

from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from statistics import median

from msgspec import Struct

from synapse_sdk.formats.base import FormatOptions, Progress
from synapse_sdk.formats.images import ImageSizes
from synapse_sdk.formats.losses import LossLog, Outcome
from synapse_sdk.formats.model import Item, tools_of
from synapse_sdk.formats.registry import format_named
from synapse_sdk.formats.report import by_class
from synapse_sdk.formats.sources import open_dataset, told

__all__ = ["ClassCount", "DatasetDescription", "Size", "describe_dataset"]


class ClassCount(Struct, frozen=True, kw_only=True):
    """How often a class occurs."""

    name: str
    items: int
    """Items that have at least one annotation of the class."""
    annotations: int
    tools: dict[str, int]
    """With which tools; an annotation may have several."""


class Size(Struct, frozen=True, kw_only=True):
    """Width and height in pixels."""

    width: int
    height: int


class DatasetDescription(Struct, frozen=True, kw_only=True):
    """What is in a dataset."""

    format: str
    title: str
    items: int
    splits: dict[str, int]
    """Items of each split; empty in a dataset without splits."""
    without_annotations: int
    without_image: int
    """Items whose image is not there, or cannot be read."""
    annotations: int
    classes: list[ClassCount]
    """In the order of the dataset; those that never occur are there, too."""
    smallest: Size | None
    """The image with the fewest pixels; None if no size is known."""
    typical: Size | None
    """Median of widths and of heights."""
    largest: Size | None
    unreadable: int
    """Records that could not be read; `check_dataset` says which."""


def describe_dataset(
    folder: Path,
    *,
    source_format: str | None = None,
    options: FormatOptions | None = None,
    on_progress: Progress | None = None,
) -> DatasetDescription:
    """Go through a dataset and count what is in it.

    Args:
        folder: The folder, or file, of the dataset.
        source_format: Its format; None to find out.
        options: How it is read.
        on_progress: Is told how many items were counted, and of how many.

    Raises:
        InvalidDatasetError: It is not there, or makes no sense.
        ConfigurationError: There is no such format, or it may be in several.
    """
    options = options or FormatOptions()
    counts = _Counts(options)
    with LossLog() as losses:
        reader, name = open_dataset(folder, source_format, options, losses)
        with closing(reader):
            for item in told(reader.items(), reader.info.count, on_progress):
                counts.add(item)
            listed = [each.name for each in reader.info.classes]
    names = [*listed, *sorted(counts.annotations.keys() - set(listed))]
    pairs = sorted(zip(counts.widths, counts.heights, strict=True), key=lambda pair: pair[0] * pair[1])
    return DatasetDescription(
        format=name,
        title=format_named(name).title,
        items=counts.items,
        splits={split: count for split, count in counts.splits.items() if split},
        without_annotations=counts.without_annotations,
        without_image=counts.without_image,
        annotations=counts.annotations.total(),
        classes=counts.of_classes(names),
        smallest=_size(*pairs[0]) if pairs else None,
        typical=_size(int(median(counts.widths)), int(median(counts.heights))) if pairs else None,
        largest=_size(*pairs[-1]) if pairs else None,
        unreadable=losses.annotations[Outcome.FAILED] + losses.items[Outcome.FAILED],
    )


class _Counts:
    """Counts items while they pass."""

    def __init__(self, options: FormatOptions) -> None:
        self._exif = options.exif
        self._sizes, self._unheard = ImageSizes(), LossLog()
        self.items = self.without_annotations = self.without_image = 0
        self.splits: Counter[str] = Counter()
        self.annotations: Counter[str] = Counter()
        self.tools: Counter[tuple[str, str]] = Counter()
        self.items_of_class: Counter[str] = Counter()
        self.widths: list[int] = []
        self.heights: list[int] = []

    def add(self, item: Item) -> None:
        self.items += 1
        self.splits[item.split] += 1
        self.without_annotations += not item.annotations
        has_size = self._sizes.measure(item, self._exif, self._unheard)
        self.without_image += not (has_size and item.path)
        if has_size:
            self.widths.append(item.width)
            self.heights.append(item.height)
        for annotation in item.annotations:
            self.annotations[annotation.label] += 1
            for tool in tools_of(annotation):
                self.tools[annotation.label, str(tool)] += 1
        self.items_of_class.update({each.label for each in item.annotations})

    def of_classes(self, names: Sequence[str]) -> list[ClassCount]:
        tools = by_class(self.tools)
        return [
            ClassCount(
                name=name,
                items=self.items_of_class[name],
                annotations=self.annotations[name],
                tools=tools.get(name, {}),
            )
            for name in names
        ]


def _size(width: int, height: int) -> Size:
    return Size(width=width, height=height)

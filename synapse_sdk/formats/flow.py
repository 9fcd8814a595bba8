"""The way of items from the sources of a conversion into its target, in one process."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from fractions import Fraction
from os.path import splitext
from pathlib import Path

from msgspec.structs import replace

from synapse_sdk.formats.base import FormatOptions, Writer
from synapse_sdk.formats.choice import ClassChoice
from synapse_sdk.formats.images import IMAGE_SUFFIXES
from synapse_sdk.formats.losses import LossLog
from synapse_sdk.formats.model import DatasetInfo, Item, tools_of
from synapse_sdk.formats.partition import Partition, partition
from synapse_sdk.formats.portions import OneProcessError, Portion
from synapse_sdk.formats.registry import format_named
from synapse_sdk.formats.report import Tally
from synapse_sdk.formats.sources import open_datasets
from synapse_sdk.formats.splits import in_order

__all__ = ["Conversion", "ConversionOptions", "Flow"]

FILES = re.compile(r"\.(?:txt|xml|json|png)/", re.IGNORECASE)
"""What makes a folder of what may be a file for another item."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversionOptions(FormatOptions):
    """What may be chosen about a conversion."""

    classes: Sequence[str] = ()
    """Names of the classes to keep, in the order in which to number them; empty for all."""
    class_order: str = "source"
    """How classes are numbered: `source`, as the source has them, or `name`, by the alphabet."""
    ratios: Mapping[str, Fraction] | None = None
    """New splits, and how much each gets; None keeps those of the source."""
    seed: int = 0
    """Chooses one of the ways to divide by the ratios."""
    stratified: bool = False
    """Whether each class is divided by the ratios, too."""
    processes: int | None = None
    """How many processes convert, if the target has files of its own for each item; None for as many as there are
    processors, where that pays. The target is the same, however many there are."""
    strict: bool = False
    """Whether a loss makes the conversion fail."""
    run: str = ""
    """Whose conversion it is, for the report: a run that goes on knows its own target by it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """What is to be converted into what."""

    sources: Sequence[Path]
    source_format: str | None
    """None to find out."""
    target_format: str
    options: ConversionOptions


class Flow:
    """Reads items, chooses from them, counts them, and writes them.

    Args:
        conversion: What is to be converted into what.
        folder: Where to write.
        losses: Takes down what is lost.
        portion: The items that go through here.

    Raises:
        InvalidDatasetError: A source is not there, or makes no sense.
        ConfigurationError: Formats do not fit, or there is no such format.
    """

    writer: Writer
    info: DatasetInfo
    """What is known of the sources."""
    parts: Partition | None
    """The new split of each item; None if each keeps its own."""

    def __init__(self, conversion: Conversion, folder: Path, losses: LossLog, portion: Portion) -> None:
        self._conversion, self._folder, self._losses, self._portion = conversion, folder, losses, portion
        self._tally = Tally()
        self._read: defaultdict[tuple[str, tuple[str, ...]], int] = defaultdict(int)  # half the time of a counter
        """Class and tools to the number of annotations that were read."""
        self._stack = ExitStack()
        options = conversion.options
        self.reader, self.source_format = open_datasets(
            conversion.sources, conversion.source_format, options, losses, keeps_splits=options.ratios is None
        )
        self._stack.enter_context(closing(self.reader))

    def prepare(self, surveys: Sequence[bytes] = (), parts: Partition | None = None) -> None:
        """Find out what the sources have, and get ready to write.

        Args:
            surveys: What several processes have found out about them, see `Reader.know`; empty to find out.
            parts: The new split of each item; None to find out, where there are to be new ones.

        Raises:
            InvalidDatasetError: A source makes no sense.
            ConfigurationError: Options do not fit.
        """
        options = self._conversion.options
        self.reader.divide(self._portion)
        if surveys:
            self.reader.know(surveys)
        self.info = self.reader.info
        self._choice = ClassChoice(self.info, options.classes, options.class_order)
        wanted = self._choice.info
        if options.ratios is not None:
            wanted = replace(wanted, splits=tuple(in_order(options.ratios)))
            parts = parts or _partition(self._conversion)
        self.parts = parts
        self.writer = format_named(self._conversion.target_format).writer(self._folder, wanted, options, self._losses)
        self._stack.enter_context(closing(self.writer))
        self._labels, self._splits = {spec.name for spec in wanted.classes}, {"", *wanted.splits}

    def items(self) -> Iterator[None]:
        """Let one item after the other go through.

        Raises:
            OneProcessError: Several processes do this, and cannot.
            SynapseError: An item cannot be read or written, and the others are nothing without it.
            OSError: The target cannot be written.
        """
        tally, read, portion, parts = self._tally, self._read, self._portion, self.parts
        asked = portion.position
        for item in self.reader.items():
            tally.items += 1
            self._choice.apply(item)
            if parts is not None:
                split = parts[item.split, item.name]
                self._losses.rename(item, split=split)
                item.split = split
            tally.annotations += len(item.annotations)
            for annotation in item.annotations:
                read[annotation.label, tools_of(annotation)] += 1
            if portion.is_divided and not (portion.position > asked and self._is_separate(item)):
                raise OneProcessError
            asked = portion.position
            self.writer.write(item)
            yield

    def tally(self) -> Tally:
        """Return how much went through."""
        self._tally.left_out = self._choice.left_out
        self._tally.read = Counter()
        for (label, tools), count in self._read.items():
            for tool in tools:
                self._tally.read[label, tool] += count
        self._tally.written = self.writer.tally().copy()
        return self._tally

    def close(self) -> None:
        """Release what was opened."""
        self._stack.close()

    def _is_separate(self, item: Item) -> bool:
        """Whether an item adds nothing to the dataset that a writer of other items would have to know.

        Of a name with a suffix that is none of an image, writers do not agree what is its stem, if there is no image.
        """
        if item.split not in self._splits or not self._labels.issuperset([each.label for each in item.annotations]):
            return False
        if not item.path:
            suffix = splitext(item.name)[1]  # noqa: PTH122  # a name, with slashes
            if suffix and suffix.lower() not in IMAGE_SUFFIXES:
                return False
        return "/" not in item.name or not FILES.search(item.name)


def _partition(conversion: Conversion) -> Partition:
    """Go through all items once, only to see which split each belongs to."""
    options = conversion.options
    with LossLog() as unheard, ExitStack() as stack:
        reader, _ = open_datasets(conversion.sources, conversion.source_format, options, unheard, keeps_splits=False)
        stack.enter_context(closing(reader))
        return partition(reader.items(), options.ratios or {}, seed=options.seed, stratified=options.stratified)

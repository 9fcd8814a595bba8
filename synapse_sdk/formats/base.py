"""What a format has to be able to do: be recognised, be read, be written."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import ClassVar

from synapse_sdk.formats.losses import LossLog, Outcome, Reason
from synapse_sdk.formats.model import DatasetInfo, Item
from synapse_sdk.formats.portions import Portion

__all__ = [
    "BoundsPolicy",
    "DatasetFormat",
    "ExifPolicy",
    "FormatOptions",
    "ImageTransfer",
    "Progress",
    "Reader",
    "Writer",
]

type Progress = Callable[[int, int | None], None]
"""Takes the number of items done and, if that is known, of all."""


class ImageTransfer(StrEnum):
    """How images come into the target."""

    COPY = "copy"
    HARDLINK = "hardlink"
    SYMLINK = "symlink"
    NONE = "none"
    """Not at all: only annotations are written."""


class BoundsPolicy(StrEnum):
    """What becomes of annotations that reach over the edge of their image."""

    CLIP = "clip"
    """They are cut at the edge, and reported."""
    KEEP = "keep"
    DROP = "drop"
    ERROR = "error"
    """The conversion fails."""


class ExifPolicy(StrEnum):
    """What becomes of the orientation that cameras note in images."""

    APPLY = "apply"
    """Images are as they are shown: width and height are swapped for those on their side."""
    IGNORE = "ignore"
    """Images are as they are stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FormatOptions:
    """What may be chosen about reading and writing; a format looks at what concerns it."""

    task: str | None = None
    """What a YOLO dataset is for: detect, segment, pose, obb or classify; by default detect in what is written, and
    what the dataset says in what is read. Pascal VOC with segment draws outlines as masks."""
    images: ImageTransfer = ImageTransfer.COPY
    bounds: BoundsPolicy | None = None
    """By default YOLO and Pascal VOC clip, the others keep."""
    exif: ExifPolicy = ExifPolicy.APPLY
    voc_origin: int = 1
    """The number of the first pixel in Pascal VOC files: 1 as in the development kit, or 0."""


class Reader(ABC):
    """Reads one dataset, from a folder that is never written to.

    What cannot be read is taken down in the log and left out. Only a dataset that as a whole makes no sense is an
    error, `synapse_sdk.errors.InvalidDatasetError`, which names file and position.

    Args:
        folder: The dataset. Formats whose annotations are one file take that, too.
        options: What was chosen.
        losses: Takes down what cannot be read.
    """

    asks = False
    """Whether `items` asks `skips` about every item, before it does what takes long: several processes read such a
    dataset, each its own items, and others one alone."""

    def __init__(self, folder: Path, options: FormatOptions, losses: LossLog) -> None:
        self.folder, self.options, self.losses = folder, options, losses
        self.portion = Portion()

    @property
    @abstractmethod
    def info(self) -> DatasetInfo:
        """What is known before items are read. May go through all files when it is first asked for."""

    @abstractmethod
    def items(self) -> Iterator[Item]:
        """Yield every item once, split after split, always in the same order."""

    def is_large(self) -> bool:
        """Whether `survey` takes long, which can be told before."""
        return False

    def survey(self, begin: float, end: float) -> bytes:
        """Find out what has to be known of a stretch of the dataset before items are read.

        Several processes may do so side by side. Afterwards each is told what all have found, see `know`.

        Args:
            begin: Where the stretch begins, as a fraction of the dataset.
            end: Where it ends.

        Returns:
            What was found, in a form of its own; by default nothing.
        """
        return b""

    def skips(self, name: str) -> bool:
        """Whether an item is left to another process, which reads the same dataset at the same time.

        Whoever sets `asks` has to ask about every item that it may yield, once, in their order, each process alike. Of
        what is said to the log between a question and the next one, what is heard is that of the process which does not
        skip. What is said there about annotations has to be about those of that item, and what concerns a later item
        must not be learnt only from items that were not skipped.

        Args:
            name: The name of the item.
        """
        return not self.portion.takes(name)

    def divide(self, portion: Portion) -> None:
        """Yield only the items of a portion, those of this process, from now on."""
        self.portion = portion

    def check(self) -> None:  # noqa: B027  # most readers see everything that is wrong while they read
        """Take down what is wrong with the dataset and is not seen by reading it; only a check asks for that."""

    def know(self, surveys: Sequence[bytes]) -> None:  # noqa: B027  # most find it out while they get ready to read
        """Take over what readers of the same dataset have found, instead of looking for it again.

        Args:
            surveys: What `survey` has returned for each stretch, in their order; together these are the whole dataset.
        """

    def close(self) -> None:  # noqa: B027  # most have nothing to release
        """Release what was opened."""


class Writer(ABC):
    """Writes one dataset into a folder that is there, and empty but for what others write aside.

    Args:
        folder: Where to write.
        info: Classes and splits. Classes are numbered in this order.
        options: What was chosen.
        losses: Takes down what cannot be written, or not as it is.
    """

    def __init__(self, folder: Path, info: DatasetInfo, options: FormatOptions, losses: LossLog) -> None:
        self.folder, self.info, self.options, self.losses = folder, info, options, losses
        self.written: Counter[tuple[str, str]] = Counter()
        """How often each class was written with each tool."""

    @abstractmethod
    def write(self, item: Item) -> bool:
        """Write an item, and return whether it is in the target now; if not, the log says why."""

    def is_divisible(self) -> bool:
        """Whether several processes, each with a writer of its own, can write the items of one dataset.

        They can if what becomes of an item does not depend on the others, but for those with the same name: without
        folders and suffix, up to its case, dots and underscores in front and a small number at its end. Those go to one
        process, in their order. `finish` is called once, for a writer that wrote some of the items.
        """
        return False

    def tally(self) -> Counter[tuple[str, str]]:
        """Return how often each class was written with each tool so far."""
        return self.written

    def drop(self, item: Item, reason: Reason, words: str = "") -> bool:
        """Take down that an item, with all its annotations, is not in the target; return False, as `write` does then.

        Args:
            item: The item.
            reason: Why.
            words: What was found.
        """
        count = len(item.annotations)
        self.losses.of_item(Outcome.DROPPED, reason, item=item.name, split=item.split, words=words, annotations=count)
        return False

    @abstractmethod
    def finish(self) -> None:
        """Write what can only be written when all items are there, such as the list of classes."""

    def close(self) -> None:  # noqa: B027  # as above
        """Release what was opened; comes after `finish`, and instead of it when something has failed."""


class DatasetFormat(ABC):
    """A format: one such class, offered under `synapse.formats`, teaches every command a format."""

    name: ClassVar[str]
    title: ClassVar[str]
    """For people: `Pascal VOC`."""
    divides: ClassVar[bool] = False
    """Whether its writers are divisible, whatever the dataset, but for what options may change."""
    looks_at: ClassVar[frozenset[str] | None] = None
    """Which of the options `task` and `voc_origin` it looks at; None for a format that does not say so."""

    @abstractmethod
    def find(self, folder: Path) -> str | None:
        """Return what shows that a folder, or file, is a dataset of this format; None if it is not.

        Looks at names and the beginning of files only.
        """

    @abstractmethod
    def reader(self, folder: Path, options: FormatOptions, losses: LossLog) -> Reader:
        """Return what reads a dataset.

        Raises:
            InvalidDatasetError: It is none of this format.
        """

    @abstractmethod
    def writer(self, folder: Path, info: DatasetInfo, options: FormatOptions, losses: LossLog) -> Writer:
        """Return what writes a dataset.

        Raises:
            ConfigurationError: The options do not fit the format.
        """

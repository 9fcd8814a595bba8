"""What two datasets do not have in common, whatever their formats."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path, PurePosixPath

import msgspec
from msgspec import Struct

from synapse_sdk.formats.base import FormatOptions, Reader
from synapse_sdk.formats.geometry import bounds
from synapse_sdk.formats.losses import LossLog, Outcome
from synapse_sdk.formats.model import Annotation, Item, tools_of
from synapse_sdk.formats.sources import open_dataset

__all__ = ["DatasetDifference", "Difference", "compare_datasets"]

MOST_KEPT = 1000
"""Differences that are told one by one."""


class Difference(Struct, frozen=True, kw_only=True):
    """One thing in which two datasets differ."""

    kind: str
    """`item_missing`, `item_added`, `annotation_missing`, `annotation_added`, `moved`, `relabelled`, `class_missing` or
    `class_added`: what happened to the first dataset to make it the second."""
    item: str = ""
    split: str = ""
    annotation: str = ""
    """Its id in the first dataset, or in the second for what was added."""
    words: str = ""


class DatasetDifference(Struct, frozen=True, kw_only=True):
    """In what two datasets differ."""

    formats: tuple[str, str]
    items: tuple[int, int]
    annotations: tuple[int, int]
    counts: dict[str, int]
    """How many differences of each kind there are."""
    differences: list[Difference]
    """The first 1,000 of them."""
    unreadable: tuple[int, int] = (0, 0)
    """How many items and annotations of each cannot be read, and so were not compared."""

    @property
    def are_equal(self) -> bool:
        """Whether there are none."""
        return not self.counts


def compare_datasets(
    one: Path,
    other: Path,
    *,
    tolerance: float = 0.5,
    ignores_splits: bool = False,
    options: FormatOptions | None = None,
    formats: tuple[str | None, str | None] = (None, None),
) -> DatasetDifference:
    """Compare two datasets item by item; formats may differ.

    Items are the same that have the same name, or if that finds none, the same name without suffix. Annotations are
    matched by class, tools and place. The second dataset is kept in memory, encoded.

    Args:
        one: The first dataset.
        other: The second one.
        tolerance: Pixels by which an edge may have moved.
        ignores_splits: Whether an item may have come into another split.
        options: How both are read.
        formats: The format of each; None to find out.

    Raises:
        InvalidDatasetError: One is not there, or makes no sense.
        ConfigurationError: One may be in several formats.
    """
    options = options or FormatOptions()
    with LossLog() as losses, LossLog() as other_losses:
        first, first_format = open_dataset(one, formats[0], options, losses)
        second, second_format = open_dataset(other, formats[1], options, other_losses)
        with closing(first), closing(second):
            comparison = _Comparison(tolerance, ignores_splits=ignores_splits)
            comparison.keep(second)
            comparison.compare(first)
            comparison.compare_classes(first, second)
    return DatasetDifference(
        formats=(first_format, second_format),
        items=(comparison.items[0], comparison.items[1]),
        annotations=(comparison.annotations[0], comparison.annotations[1]),
        counts=dict(sorted(comparison.counts.items())),
        differences=comparison.differences,
        unreadable=(_unreadable(losses), _unreadable(other_losses)),
    )


def _unreadable(losses: LossLog) -> int:
    return losses.items[Outcome.FAILED] + losses.annotations[Outcome.FAILED]


class _Mark(Struct, frozen=True, gc=False):
    """What of an annotation is compared."""

    id: str
    label: str
    tools: tuple[str, ...]
    edges: tuple[float, ...]
    """Left, top, right and bottom; empty for annotations without a place."""


class _Kept(Struct, frozen=True, gc=False):
    annotations: list[_Mark]


type _Key = tuple[str, str, int]
"""The split and name of an item, and how many came before it: two may have the same name."""


class _Comparison:
    def __init__(self, tolerance: float, *, ignores_splits: bool) -> None:
        self._tolerance, self._ignores_splits = tolerance, ignores_splits
        self._kept: dict[_Key, bytes] = {}
        self._by_stem: defaultdict[tuple[str, str], list[_Key]] = defaultdict(list)
        self._decoder = msgspec.msgpack.Decoder(_Kept)
        self.items, self.annotations = [0, 0], [0, 0]
        self.counts: Counter[str] = Counter()
        self.differences: list[Difference] = []

    def keep(self, reader: Reader) -> None:
        for item in reader.items():
            key = item.split, item.name, self.items[1]
            self.items[1] += 1
            self.annotations[1] += len(item.annotations)
            self._kept[key] = msgspec.msgpack.encode(_kept(item))
            self._by_stem[self._place(item)].append(key)

    def compare(self, reader: Reader) -> None:
        for item in reader.items():
            self.items[0] += 1
            self.annotations[0] += len(item.annotations)
            marks = _kept(item).annotations
            found = self._twin(item, marks)
            if found is None:
                self._note("item_missing", item, words=f"with {len(item.annotations)} annotations")
            else:
                self._compare_annotations(item, marks, found)
        for (split, name, _), content in self._kept.items():
            count = len(self._decoder.decode(content).annotations)
            self._note("item_added", Item(name=name, split=split), words=f"with {count} annotations")

    def compare_classes(self, first: Reader, second: Reader) -> None:
        names, others = ({each.name for each in reader.info.classes} for reader in (first, second))
        for name in sorted(names - others):
            self._note("class_missing", None, words=name)
        for name in sorted(others - names):
            self._note("class_added", None, words=name)

    def _place(self, item: Item) -> tuple[str, str]:
        return ("" if self._ignores_splits else item.split, _stem(item.name))

    def _twin(self, item: Item, marks: Sequence[_Mark]) -> Sequence[_Mark] | None:
        """Take the item that is the same, and return its annotations."""
        same_stem = [key for key in self._by_stem.get(self._place(item), ()) if key in self._kept]
        found = [key for key in same_stem if key[1] == item.name] or (same_stem if len(same_stem) == 1 else [])
        if not found:
            return None
        # Where splits do not count, several may have the name: then it is the one that looks most like it.
        key = found[0] if len(found) == 1 else min(found, key=lambda key: self._unlike(marks, self._marks(key)))
        twin = self._marks(key)
        del self._kept[key]
        return twin

    def _marks(self, key: _Key) -> Sequence[_Mark]:
        return self._decoder.decode(self._kept[key]).annotations

    def _unlike(self, ones: Iterable[_Mark], others: Iterable[_Mark]) -> int:
        """Return how many annotations two items do not have in common."""
        left = list(others)
        return sum(self._take(mark, left, self._tolerance, same_label=True) is None for mark in ones) + len(left)

    def _compare_annotations(self, item: Item, ones: Iterable[_Mark], others: Sequence[_Mark]) -> None:
        left = list(others)
        unmatched = [mark for mark in ones if not self._take(mark, left, self._tolerance, same_label=True)]
        for mark in unmatched:
            if (moved := self._take(mark, left, float("inf"), same_label=True)) is not None:
                self._note("moved", item, mark.id, f"{mark.label}: an edge by {_distance(mark, moved):.2f} px")
            elif (renamed := self._take(mark, left, self._tolerance, same_label=False)) is not None:
                self._note("relabelled", item, mark.id, f"{mark.label} is {renamed.label} now")
            else:
                self._note("annotation_missing", item, mark.id, f"{mark.label} ({', '.join(mark.tools)})")
        for mark in left:
            self._note("annotation_added", item, mark.id, f"{mark.label} ({', '.join(mark.tools)})")

    def _take(self, mark: _Mark, left: list[_Mark], most: float, *, same_label: bool) -> _Mark | None:
        """Take the nearest annotation that is not further away than `most`."""
        fitting = [
            (distance, number)
            for number, each in enumerate(left)
            if each.tools == mark.tools
            and (each.label == mark.label) is same_label
            and (distance := _distance(mark, each)) <= most
        ]
        return left.pop(min(fitting)[1]) if fitting else None

    def _note(self, kind: str, item: Item | None, annotation: str = "", words: str = "") -> None:
        self.counts[kind] += 1
        if len(self.differences) < MOST_KEPT:
            name, split = ("", "") if item is None else (item.name, item.split)
            self.differences.append(Difference(kind=kind, item=name, split=split, annotation=annotation, words=words))


def _kept(item: Item) -> _Kept:
    return _Kept([_mark(annotation) for annotation in item.annotations])


def _mark(annotation: Annotation) -> _Mark:
    box = bounds(annotation)
    edges = () if box is None else (box.x, box.y, box.x + box.width, box.y + box.height)
    return _Mark(annotation.id, annotation.label, tuple(str(tool) for tool in tools_of(annotation)), edges)


def _distance(one: _Mark, other: _Mark) -> float:
    if len(one.edges) != len(other.edges):
        return float("inf")
    return max((abs(a - b) for a, b in zip(one.edges, other.edges, strict=True)), default=0.0)


def _stem(name: str) -> str:
    return str(PurePosixPath(name).with_suffix("")) if name else name

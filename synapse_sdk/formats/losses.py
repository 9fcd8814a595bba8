"""What could not be read, or does not fit into the target: every single case, with its reason."""

import csv
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self, TextIO

from msgspec import Struct

from synapse_sdk.formats.model import Item

__all__ = ["Held", "Loss", "LossLog", "Outcome", "Reason", "Renamed"]

COLUMNS = ("outcome", "code", "split", "item", "annotation", "where", "words")
MOST_KEPT = 5
"""Losses of each reason that are kept for people to see; the file has all."""
MOST_ROWS = 1000
"""Losses that are written at a time."""


class Outcome(StrEnum):
    """What became of an annotation or item about which there is something to say."""

    FAILED = "failed"
    """It could not be read."""
    DROPPED = "dropped"
    """It is not in the target."""
    CHANGED = "changed"
    """It is in the target, with less or something else than the source says."""
    NOTED = "noted"
    """It is in the target as it should be; still, somebody may want to know."""


@dataclass(frozen=True, slots=True, eq=False)  # told apart by identity, which is quick to hash
class Reason:
    """Why something was lost."""

    code: str
    """Stable, in capitals."""
    words: str
    """One line for people, which fits behind 'N annotations: '."""
    fix: str
    """The way out."""


class Loss(Struct, frozen=True, gc=False, kw_only=True):
    """One thing that was lost."""

    outcome: Outcome
    reason: Reason
    item: str = ""
    split: str = ""
    annotation: str = ""
    """Id of the annotation; empty if the whole item is meant, or the annotation could not be read."""
    where: str = ""
    """File below the dataset, and line or position in it: `labels/wren.txt:3`."""
    words: str = ""
    """What was found."""


class Held(NamedTuple):
    """Something that a log was told while it held back what it was told."""

    outcome: Outcome
    reason: Reason
    item: str
    split: str
    where: str
    words: str
    annotation: str | None
    """Id of the annotation; None if the whole item is meant."""
    annotations: int
    """How many annotations are lost with the item."""


class Renamed(NamedTuple):
    """That an item got another name or split, among what was held back."""

    before: tuple[str, str]
    """Its split and name."""
    after: tuple[str, str]


class LossLog:
    """Takes down losses, and keeps account of what became of how many annotations and items.

    Losses about the annotations of an item come one after the other, whoever reports them. An annotation counts once,
    by the worst that is said of it.

    Args:
        path: The CSV file to write them to, made with the first one; None for no file.
        listener: Is told of every loss.
    """

    def __init__(self, path: Path | None = None, listener: Callable[[Loss], None] | None = None) -> None:
        self._path, self._listener = path, listener
        self._file: TextIO | None = None
        self._has_file = False
        self._rows: list[tuple[str, ...]] = []
        self._item: tuple[str, str] | None = None
        self._outcomes: dict[str, Outcome] = {}
        self._held: list[Held | Renamed] | None = None
        self.annotations: Counter[Outcome] = Counter()
        """How many annotations had which outcome; those that were simply written are not among them."""
        self.items: Counter[Outcome] = Counter()
        self.reasons: Counter[tuple[Outcome, Reason]] = Counter()
        """How many losses there are of each reason."""
        self.examples: dict[tuple[Outcome, Reason], list[Loss]] = {}
        """The first few losses of each reason."""

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write what is not yet written."""
        self.close()

    @property
    def count(self) -> int:
        """How many losses there are; what was only noted is none."""
        return sum(count for (outcome, _), count in self.reasons.items() if outcome is not Outcome.NOTED)

    def of_annotation(
        self,
        outcome: Outcome,
        reason: Reason,
        *,
        item: str,
        split: str = "",
        annotation: str = "",
        where: str = "",
        words: str = "",
    ) -> None:
        """Take down what became of one annotation of an item that stays.

        Args:
            outcome: What became of it. A reader says `FAILED` of what it does not hand on.
            reason: Why.
            item: The name of the item.
            split: The split of the item.
            annotation: The id; empty if the annotation could not even be read.
            where: The file and position that it is about.
            words: What was found.
        """
        if self._held is not None:
            self._held.append(Held(outcome, reason, item, split, where, words, annotation, 0))
            return
        known = self._known(split, item).get(annotation) if annotation else None
        if known is None:
            self.annotations[outcome] += 1
        elif _WEIGHT[outcome] > _WEIGHT[known]:
            self.annotations[known] -= 1
            self.annotations[outcome] += 1
        if annotation and (known is None or _WEIGHT[outcome] > _WEIGHT[known]):
            self._outcomes[annotation] = outcome
        self._add(outcome, reason, item, split, annotation, where, words)

    def of_item(
        self,
        outcome: Outcome,
        reason: Reason,
        *,
        item: str,
        split: str = "",
        where: str = "",
        words: str = "",
        annotations: int = 0,
    ) -> None:
        """Take down what became of a whole item.

        Args:
            outcome: What became of it.
            reason: Why.
            item: Its name.
            split: Its split.
            where: The file and position that it is about.
            words: What was found.
            annotations: How many annotations are lost with it: handed on with it, and dropped now; or if the reader
                says that it failed, never handed on.
        """
        if self._held is not None:
            self._held.append(Held(outcome, reason, item, split, where, words, None, annotations))
            return
        self.items[outcome] += 1
        if annotations:
            for known in self._known(split, item).values():
                if known in HANDED_ON:
                    self.annotations[known] -= 1
            self._outcomes.clear()
            self.annotations[Outcome.FAILED if outcome is Outcome.FAILED else Outcome.DROPPED] += annotations
        self._add(outcome, reason, item, split, "", where, words)

    def rename(self, item: Item, *, split: str | None = None, name: str | None = None) -> None:
        """Hear that an item is about to get another split or name, under which more may be said of it."""
        before = (item.split, item.name)
        after = (item.split if split is None else split, item.name if name is None else name)
        if self._held is not None:
            self._held.append(Renamed(before, after))
        elif self._item == before:
            self._item = after

    def hold(self) -> None:
        """From now on only keep what is told, until somebody takes it."""
        self._held = []

    def release(self) -> None:
        """Hold back nothing any more; what was not taken is forgotten."""
        self._held = None

    def take(self) -> list[Held | Renamed]:
        """Return what was held back since the last time, and forget it."""
        held = self._held
        if not held:
            return []
        self._held = []
        return held

    def tell(self, held: Iterable[Held | Renamed]) -> None:
        """Take down what was held back, here or by the log of another process."""
        holding, self._held = self._held, None
        for each in held:
            if isinstance(each, Renamed):
                self._item = each.after if self._item == each.before else self._item
                continue
            outcome, reason, item, split, where, words, annotation, count = each
            if annotation is None:
                self.of_item(outcome, reason, item=item, split=split, where=where, words=words, annotations=count)
            else:
                self.of_annotation(
                    outcome, reason, item=item, split=split, annotation=annotation, where=where, words=words
                )
        self._held = holding

    def _known(self, split: str, item: str) -> dict[str, Outcome]:
        """Return what is known of the annotations of an item; what was known of others is forgotten."""
        if self._item != (split, item):
            self._item = (split, item)
            self._outcomes.clear()
        return self._outcomes

    def close(self) -> None:
        """Write what is not yet written."""
        self._flush()
        if self._file is not None:
            self._file.close()
            self._file = None

    def _add(  # noqa: PLR0917  # all that a loss has
        self, outcome: Outcome, reason: Reason, item: str, split: str, annotation: str, where: str, words: str
    ) -> None:
        said = (item, split, annotation, where, words)
        if not "".join(said).isascii():
            item, split, annotation, where, words = map(_encodable, said)
        kind = (outcome, reason)
        self.reasons[kind] += 1
        if self.reasons[kind] <= MOST_KEPT or self._listener is not None:
            loss = Loss(
                outcome=outcome, reason=reason, item=item, split=split, annotation=annotation, where=where, words=words
            )
            self._show(loss)
        if self._path is not None:
            self._rows.append((outcome, reason.code, split, item, annotation, where, words or reason.words))
            if len(self._rows) == MOST_ROWS:
                self._flush()

    def _show(self, loss: Loss) -> None:
        """Keep a loss as an example, if there are not enough yet, and hand it to who listens."""
        examples = self.examples.setdefault((loss.outcome, loss.reason), [])
        if len(examples) < MOST_KEPT:
            examples.append(loss)
        if self._listener is not None:
            self._listener(loss)

    def _flush(self) -> None:
        if not self._rows or self._path is None:
            return
        if self._file is None:
            # Somebody may have something to say after all was closed.
            self._file = self._path.open("a" if self._has_file else "w", encoding="utf-8", newline="")
            if not self._has_file:
                csv.writer(self._file, lineterminator="\n").writerow(COLUMNS)
            self._has_file = True
        csv.writer(self._file, lineterminator="\n").writerows(self._rows)
        self._rows.clear()


def _encodable(text: str) -> str:
    """Return a text that every document can hold: names of files may be no Unicode."""
    return text if text.isascii() else text.encode(errors="backslashreplace").decode()


HANDED_ON = frozenset((Outcome.NOTED, Outcome.CHANGED, Outcome.DROPPED))
"""Outcomes of annotations that the reader could read."""
_WEIGHT = {Outcome.NOTED: 0, Outcome.CHANGED: 1, Outcome.DROPPED: 2, Outcome.FAILED: 3}

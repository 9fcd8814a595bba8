"""What could not be read, or does not fit into the target: every single case, with its reason."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Self

from msgspec import Struct

from synapse_sdk.formats.loss_file import LossFile, as_rows
from synapse_sdk.formats.model import Item

__all__ = ["Loss", "LossCounts", "LossLog", "Outcome", "Reason", "ReasonCount"]

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


class Loss(Struct, frozen=True, gc=False):
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


class ReasonCount(Struct, frozen=True):
    """How often something was lost for one reason."""

    outcome: Outcome
    reason: Reason
    count: int
    examples: list[tuple[int, Loss]]
    """The first few, each with the position of its item."""


class LossCounts(Struct, frozen=True):
    """What a log has counted."""

    annotations: dict[Outcome, int]
    items: dict[Outcome, int]
    reasons: list[ReasonCount]


class LossLog:
    """Takes down losses, and keeps account of what became of how many annotations and items.

    Losses about the annotations of an item come one after the other, whoever reports them. An annotation counts once,
    by the worst that is said of it.

    Where several processes convert the items of one dataset, each has a log: it hands out what it takes down in pages,
    one for each item, which one of them writes in the order of the items.

    Args:
        path: The CSV file to write them to, made with the first one; None for no file.
        listener: Is told of every loss.
    """

    def __init__(self, path: Path | None = None, listener: Callable[[Loss], None] | None = None) -> None:
        self._file, self._listener = None if path is None else LossFile(path), listener
        self._rows: list[tuple[str, ...]] = []
        self._item: tuple[str, str] | None = None
        self._outcomes: dict[str, Outcome] = {}
        self._position, self._is_heard, self._is_divided = 0, True, False
        self.annotations: Counter[Outcome] = Counter()
        """How many annotations had which outcome; those that were simply written are not among them."""
        self.items: Counter[Outcome] = Counter()
        self.reasons: Counter[tuple[Outcome, Reason]] = Counter()
        """How many losses there are of each reason."""
        self._examples: dict[tuple[Outcome, Reason], list[tuple[int, Loss]]] = {}

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

    @property
    def examples(self) -> dict[tuple[Outcome, Reason], list[Loss]]:
        """The first few losses of each reason."""
        return {kind: [loss for _, loss in found] for kind, found in self._examples.items()}

    @property
    def counts(self) -> LossCounts:
        """What was counted, for another log."""
        reasons = [ReasonCount(*kind, count, self._examples[kind]) for kind, count in self.reasons.items()]
        return LossCounts(self.annotations, self.items, reasons)

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
        if not self._is_heard:
            return
        known = self._known(split, item)
        if not annotation or self._is_worse(outcome, known.get(annotation)):
            self.annotations[outcome] += 1
            if annotation:
                known[annotation] = outcome
        self._add(outcome, reason, item, split, annotation, where, words)

    def of_annotations(
        self, outcome: Outcome, reason: Reason, found: Sequence[tuple[str, str]], *, item: str, split: str
    ) -> None:
        """Take down that one thing became of several annotations of an item, in a fraction of the time.

        Args:
            outcome: What became of them.
            reason: Why.
            found: The id of each, and what was found.
            item: The name of the item.
            split: The split of the item.
        """
        if not (self._is_heard and found):
            return
        known, worse = self._known(split, item), 0
        for annotation, _ in found:
            if annotation in known and not self._is_worse(outcome, known[annotation]):
                continue
            if annotation:
                known[annotation] = outcome
            worse += 1
        self.annotations[outcome] += worse
        kind = (outcome, reason)
        left = MOST_KEPT - self.reasons[kind] if self._listener is None else len(found)
        self.reasons[kind] += len(found)
        for annotation, words in found[: max(0, left)]:
            self._show(kind, Loss(outcome, reason, *map(_encodable, (item, split, annotation, "", words))))
        code, usual = reason.code, reason.words
        self._keep([(outcome, code, split, item, annotation, "", words or usual) for annotation, words in found])

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
        if not self._is_heard:
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
        if self._item == (item.split, item.name):
            self._item = (item.split if split is None else split, item.name if name is None else name)

    def begin(self, position: int, *, is_heard: bool = True) -> None:
        """Hear that another item is read now, of whose annotations nothing was said before.

        Args:
            position: Its position in the dataset, from 1.
            is_heard: Whether to take down what is said until the next one; of several processes one does.
        """
        self._position, self._is_heard, self._item = position, is_heard, None

    def divide(self) -> None:
        """From now on hand out what is taken down in pages, see `page`, instead of writing it."""
        self._flush()
        self._is_divided = True

    def page(self) -> str:
        """Return what was taken down since the last page, as rows of the file."""
        if not self._rows:
            return ""
        page = _encodable(as_rows(self._rows))
        self._rows.clear()
        return page

    def write(self, pages: str) -> None:
        """Write pages of this log and of others."""
        if self._file is not None:
            self._file.write(pages)

    def unite(self, *others: LossCounts) -> None:
        """Hand out no more pages, and add what other logs have counted of other items of the same dataset."""
        self._is_divided, self._is_heard = False, True
        for counts in others:
            self.annotations.update(counts.annotations)
            self.items.update(counts.items)
        known = {_text_of(*kind): kind for kind in self.reasons}
        found = [entry for counts in (self.counts, *others) for entry in enumerate(counts.reasons)]
        self.reasons, self._examples = Counter(), {}
        # In the order in which one log would have met them.
        for _, each in sorted(found, key=lambda entry: (_position(entry[1].examples[0]), entry[0])):
            kind = known.setdefault(_text_of(each.outcome, each.reason), (each.outcome, each.reason))
            self.reasons[kind] += each.count
            examples = [*self._examples.get(kind, ()), *each.examples]
            self._examples[kind] = sorted(examples, key=_position)[:MOST_KEPT]

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

    def _add(  # noqa: PLR0917  # all that a loss has
        self, outcome: Outcome, reason: Reason, item: str, split: str, annotation: str, where: str, words: str
    ) -> None:
        kind = (outcome, reason)
        self.reasons[kind] = count = self.reasons[kind] + 1
        if count <= MOST_KEPT or self._listener is not None:
            said = map(_encodable, (item, split, annotation, where, words))
            self._show(kind, Loss(outcome, reason, *said))
        self._keep([(outcome, reason.code, split, item, annotation, where, words or reason.words)])

    def _keep(self, rows: Sequence[tuple[str, ...]]) -> None:
        """Keep rows for the file, if there is one."""
        if self._file is not None or self._is_divided:
            self._rows += rows
            if len(self._rows) >= MOST_ROWS and not self._is_divided:
                self._flush()

    def _is_worse(self, outcome: Outcome, known: Outcome | None) -> bool:
        """Whether an outcome of an annotation is worse than the one that was known; that one does not count then."""
        if known is None:
            return True
        if _WEIGHT[outcome] <= _WEIGHT[known]:
            return False
        self.annotations[known] -= 1
        return True

    def _show(self, kind: tuple[Outcome, Reason], loss: Loss) -> None:
        """Keep a loss as an example, if there are not enough yet, and hand it to who listens."""
        examples = self._examples.setdefault(kind, [])
        if len(examples) < MOST_KEPT:
            examples.append((self._position, loss))
        if self._listener is not None:
            self._listener(loss)

    def _flush(self) -> None:
        self.write(self.page())


def _encodable(text: str) -> str:
    """Return a text that every document can hold: names of files may be no Unicode."""
    return text if text.isascii() else text.encode(errors="backslashreplace").decode()


def _text_of(outcome: Outcome, reason: Reason) -> tuple[str, ...]:
    return outcome, reason.code, reason.words, reason.fix


def _position(example: tuple[int, Loss]) -> int:
    return example[0]


HANDED_ON = frozenset((Outcome.NOTED, Outcome.CHANGED, Outcome.DROPPED))
"""Outcomes of annotations that the reader could read."""
_WEIGHT = {Outcome.NOTED: 0, Outcome.CHANGED: 1, Outcome.DROPPED: 2, Outcome.FAILED: 3}

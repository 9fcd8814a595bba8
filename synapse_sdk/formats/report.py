"""What a conversion says about itself: every annotation is accounted for."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct, field

from synapse_sdk.formats.losses import Loss, LossLog, Outcome

__all__ = [
    "LOSSES_FILE",
    "REPORT_FILE",
    "Account",
    "ConversionReport",
    "LossSummary",
    "Tally",
    "by_class",
    "read_report",
    "report_of",
]

REPORT_FILE = "conversion.json"
"""In a target: says what it was made of, and that it is complete."""
LOSSES_FILE = "losses.csv"
"""Beside it, if there are any: every single loss."""


class Account(Struct, frozen=True, kw_only=True):
    """What became of how many; `seen` is the sum of the others but `left_out`."""

    seen: int
    written: int
    """As they are."""
    changed: int
    """With less or something else than the source says; the losses say what."""
    dropped: int
    failed: int
    """They could not be read."""
    left_out: int = 0
    """Not wanted, as the options say; not among those seen."""


class LossSummary(Struct, frozen=True, kw_only=True):
    """How often something was lost for one reason."""

    outcome: str
    code: str
    words: str
    fix: str
    count: int
    examples: list[dict[str, str]]
    """The first few; the file of losses has all."""


class ConversionReport(Struct, frozen=True, kw_only=True):
    """What a conversion has done. The same source and options give the same report."""

    sources: list[str]
    """Names of the folders, or files, that were read."""
    source_format: str
    target_format: str
    options: dict[str, Any]
    items: Account
    annotations: Account
    classes_in: dict[str, dict[str, int]]
    """Class to tool to the number of annotations that were read."""
    classes_out: dict[str, dict[str, int]]
    """Class to tool to the number of annotations that were written."""
    losses: list[LossSummary]

    @property
    def loss_count(self) -> int:
        """How many losses there are; what was only noted is none."""
        return sum(each.count for each in self.losses if each.outcome != Outcome.NOTED)


class Tally(Struct, kw_only=True):
    """How much went through, for the report."""

    items: int = 0
    annotations: int = 0
    left_out: int = 0
    """Annotations of classes that are not wanted; not among the others."""
    read: dict[tuple[str, str], int] = field(default_factory=Counter)
    """Class and tool to the number of annotations that were read."""
    written: dict[tuple[str, str], int] = field(default_factory=Counter)
    """Class and tool to the number of annotations that were written."""

    def add(self, other: "Tally") -> None:
        """Add what went through elsewhere."""
        self.items += other.items
        self.annotations += other.annotations
        self.left_out += other.left_out
        for counts, others in ((self.read, other.read), (self.written, other.written)):
            for key, count in others.items():
                counts[key] = counts.get(key, 0) + count


def report_of(
    losses: LossLog,
    tally: Tally,
    **facts: Any,  # noqa: ANN401  # the fields that say what was done
) -> ConversionReport:
    """Put a report together.

    Args:
        losses: What was lost.
        tally: How much went through.
        facts: Sources, formats and options.
    """
    return ConversionReport(
        items=_account(tally.items, losses.items, 0),
        annotations=_account(tally.annotations, losses.annotations, tally.left_out),
        classes_in=by_class(tally.read),
        classes_out=by_class(tally.written),
        losses=[
            LossSummary(
                outcome=outcome,
                code=reason.code,
                words=reason.words,
                fix=reason.fix,
                count=count,
                examples=[_shown(loss) for loss in losses.examples[outcome, reason]],
            )
            for (outcome, reason), count in sorted(
                losses.reasons.items(), key=lambda entry: (_RANK[entry[0][0]], -entry[1], entry[0][1].code)
            )
        ],
        **facts,
    )


def read_report(folder: Path) -> ConversionReport | None:
    """Return what is said in a folder about the conversion that made it; None if no conversion did."""
    try:
        return msgspec.json.decode((folder / REPORT_FILE).read_bytes(), type=ConversionReport)
    except (FileNotFoundError, NotADirectoryError, msgspec.DecodeError):
        return None


def _account(handed_on: int, outcomes: Counter[Outcome], left_out: int) -> Account:
    failed, dropped, changed = (outcomes[each] for each in (Outcome.FAILED, Outcome.DROPPED, Outcome.CHANGED))
    return Account(
        seen=handed_on + failed,
        written=handed_on - dropped - changed,
        changed=changed,
        dropped=dropped,
        failed=failed,
        left_out=left_out,
    )


def by_class(counts: Mapping[tuple[str, str], int]) -> dict[str, dict[str, int]]:
    """Return counts of classes and tools as class to tool to count, in order."""
    found: dict[str, dict[str, int]] = {}
    for (label, tool), count in sorted(counts.items()):
        found.setdefault(label, {})[str(tool)] = count
    return found


def _shown(loss: Loss) -> dict[str, str]:
    shown = {"item": loss.item, "annotation": loss.annotation, "where": loss.where, "words": loss.words}
    return {name: text for name, text in shown.items() if text}


_RANK = {Outcome.FAILED: 0, Outcome.DROPPED: 1, Outcome.CHANGED: 2, Outcome.NOTED: 3}

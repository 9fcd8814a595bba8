"""Laws of losses: those that several processes take down are what one would have; and rows are CSV."""

import csv
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synapse_sdk.formats.loss_file import COLUMNS, as_rows
from synapse_sdk.formats.losses import Loss, LossCounts, LossLog, Outcome, Reason

ODD, STRANGE = Reason("ODD", "it is odd", "Make it even"), Reason("ODD", "it is strange", "Make it even")
LATE = Reason("LATE", "it is late", "Be early")
ANNOTATIONS = st.sampled_from(["", "1", "2", "카"])
LOST = st.integers(0, 2)
SAID = st.lists(
    st.tuples(st.sampled_from(Outcome), st.sampled_from([ODD, STRANGE, LATE]), ANNOTATIONS, LOST), max_size=4
)
DATASETS = st.lists(st.tuples(SAID, st.integers(0, 2)), max_size=30)

type Said = Sequence[tuple[Outcome, Reason, str, int]]
"""What is said about an item: outcome, reason and annotation; or with 1 and 2, that it is lost with 0 and 1 of them."""
type Dataset = Sequence[tuple[Said, int]]
"""What is said about each item, and which of three processes converts it."""


def tell(log: LossLog, position: int, said: Said) -> None:
    """Say something about an item, which may be called like the one before."""
    name = f"{position // 3}.jpg"
    for outcome, reason, annotation, lost in said:
        if lost:
            log.of_item(outcome, reason, item=name, annotations=lost - 1)
        else:
            log.of_annotation(outcome, reason, item=name, annotation=annotation, words=annotation)


def take_down(log: LossLog, number: int, dataset: Dataset, alone: int) -> list[tuple[int, str]]:
    """Have a log hear what one of three processes does; return the pages about items behind the first few."""
    pages = []
    for position, (said, owner) in enumerate(dataset, 1):
        if position == alone + 1:
            log.divide()
        log.begin(position, is_heard=(owner if position > alone else 0) == number)
        tell(log, position, said)
        if position > alone:
            pages.append((position, log.page()))
    return pages


def sent(log: LossLog) -> LossCounts:
    """Return what a log has counted, as it arrives in another process."""
    return msgspec.msgpack.decode(msgspec.msgpack.encode(log.counts), type=LossCounts)


def shown(log: LossLog) -> list[Any]:
    """Return everything that a report takes from a log, in its order."""
    reasons = [(outcome, reason.code, reason.words, count) for (outcome, reason), count in log.reasons.items()]
    return [+log.annotations, +log.items, reasons, [msgspec.to_builtins(log.examples[kind]) for kind in log.reasons]]


def text(path: Path) -> str:
    """Return what is in a file; nothing where there is none."""
    return path.read_text(encoding="utf-8") if path.exists() else ""


@given(dataset=DATASETS, alone=st.integers(0, 10))
def test_several_logs_take_down_what_one_would(
    tmp_path_factory: pytest.TempPathFactory, dataset: Dataset, alone: int
) -> None:
    """The same table, the same counts, and the same examples in the same order; the first few items are of one."""
    folder = tmp_path_factory.mktemp("losses")
    with LossLog(folder / "one.csv") as one:
        for position, (said, _) in enumerate(dataset, 1):
            one.begin(position)
            tell(one, position, said)
    with LossLog(folder / "several.csv") as several:
        others = [LossLog(), LossLog()]

        pages = [
            page for number, log in enumerate([several, *others]) for page in take_down(log, number, dataset, alone)
        ]
        several.write("".join(page for _, page in sorted(pages)))
        several.unite(*map(sent, others))

    assert text(folder / "several.csv") == text(folder / "one.csv")
    assert shown(several) == shown(one)


@given(before=SAID, kind=st.tuples(st.sampled_from(Outcome), st.just(ODD)), lost=st.lists(ANNOTATIONS, max_size=8))
@pytest.mark.parametrize("hears", [True, False])
def test_several_annotations_are_taken_down_as_one_by_one(
    tmp_path_factory: pytest.TempPathFactory,
    before: Said,
    kind: tuple[Outcome, Reason],
    lost: Sequence[str],
    *,
    hears: bool,
) -> None:
    """Whatever was said of them before, and for whoever listens."""
    folder = tmp_path_factory.mktemp("losses")
    heard: list[list[Loss]] = [[], []]
    logs = [
        LossLog(folder / f"{number}.csv", listened.append if hears else None) for number, listened in enumerate(heard)
    ]
    for log in logs:
        tell(log, 1, before)

    for annotation in lost:
        logs[0].of_annotation(*kind, item="0.jpg", annotation=annotation, words=annotation)
    logs[1].of_annotations(*kind, [(annotation, annotation) for annotation in lost], item="0.jpg", split="")

    for log in logs:
        log.close()
    assert shown(logs[0]) == shown(logs[1])
    assert msgspec.to_builtins(heard[0]) == msgspec.to_builtins(heard[1])
    assert text(folder / "0.csv") == text(folder / "1.csv")


@given(st.lists(st.lists(st.text("a,\"\n\r' é\\;", max_size=4), min_size=len(COLUMNS), max_size=len(COLUMNS))))
def test_rows_of_losses_are_those_of_a_csv_writer(losses: list[list[str]]) -> None:
    """Whatever is in them, and whether or not one had to be called."""
    text = StringIO()
    csv.writer(text, lineterminator="\n").writerows(losses)

    assert as_rows(losses) == text.getvalue()

import csv
import os
from pathlib import Path

import msgspec
import pytest

from synapse_sdk.formats.losses import Loss, LossLog, Outcome, Reason
from synapse_sdk.formats.model import Item

ODD = Reason("ODD", "it is odd", "Make it even")
LATE = Reason("LATE", "it is late", "Be early")


def rows(path: Path) -> list[dict[str, str]]:
    """Return what a file of losses says."""
    with path.open(encoding="utf-8", newline="") as file:
        return [*csv.DictReader(file)]


def test_an_annotation_counts_once_by_the_worst_that_is_said(tmp_path: Path) -> None:
    """Whoever says it, and in which order; yet every word of it is kept."""
    with LossLog(tmp_path / "losses.csv") as losses:
        for outcome in (Outcome.NOTED, Outcome.DROPPED, Outcome.CHANGED):
            losses.of_annotation(outcome, ODD, item="a.jpg", annotation="1")
            losses.of_annotation(Outcome.CHANGED, ODD, item="a.jpg", annotation="2")

    assert +losses.annotations == {Outcome.DROPPED: 1, Outcome.CHANGED: 1}
    assert losses.reasons == {(Outcome.NOTED, ODD): 1, (Outcome.DROPPED, ODD): 1, (Outcome.CHANGED, ODD): 4}
    assert losses.count == 5
    assert len(rows(tmp_path / "losses.csv")) == 6


def test_annotations_of_one_id_in_two_items_are_two() -> None:
    """Also in two splits that have an item of one name."""
    losses = LossLog()

    for split, item in (("train", "a.jpg"), ("train", "b.jpg"), ("valid", "b.jpg")):
        losses.of_annotation(Outcome.CHANGED, ODD, item=item, split=split, annotation="1")

    assert losses.annotations[Outcome.CHANGED] == 3


def test_annotations_that_could_not_be_read_are_each_one() -> None:
    """They have no ids to be told apart by."""
    losses = LossLog()

    for line in "123":
        losses.of_annotation(Outcome.FAILED, ODD, item="a.jpg", where=f"a.txt:{line}")

    assert losses.annotations == {Outcome.FAILED: 3}


def test_annotations_go_with_their_item() -> None:
    """What was said of them before does not count any more, but for those that were never handed on."""
    losses = LossLog()
    losses.of_annotation(Outcome.FAILED, ODD, item="a.jpg", annotation="1")
    losses.of_annotation(Outcome.CHANGED, ODD, item="a.jpg", annotation="2")

    losses.of_item(Outcome.DROPPED, LATE, item="a.jpg", annotations=2)

    assert +losses.annotations == {Outcome.FAILED: 1, Outcome.DROPPED: 2}
    assert losses.items == {Outcome.DROPPED: 1}


def test_annotations_of_an_item_that_failed_have_failed() -> None:
    """Even if something else had been said of them before."""
    losses = LossLog()
    losses.of_annotation(Outcome.CHANGED, ODD, item="a.jpg", annotation="1")

    losses.of_item(Outcome.FAILED, LATE, item="a.jpg", annotations=2)

    assert +losses.annotations == {Outcome.FAILED: 2}


def test_a_note_about_an_item_says_nothing_of_its_annotations() -> None:
    """It stays, with all of them; and a note is no loss."""
    losses = LossLog()

    losses.of_item(Outcome.NOTED, LATE, item="a.jpg")

    assert not losses.annotations
    assert losses.count == 0


def test_items_may_be_renamed_on_their_way() -> None:
    """What the writer says is about the same annotation."""
    losses, item = LossLog(), Item(name="a.jpg", split="train")
    losses.of_annotation(Outcome.CHANGED, ODD, item="a.jpg", split="train", annotation="1")

    losses.rename(item, split="valid", name="b.jpg")
    losses.of_annotation(Outcome.DROPPED, ODD, item="b.jpg", split="valid", annotation="1")

    assert +losses.annotations == {Outcome.DROPPED: 1}


def test_losses_are_a_table(tmp_path: Path) -> None:
    """Whatever names hold: quotes, commas, line ends, or bytes that are no Unicode."""
    path, name = tmp_path / "losses.csv", 'a "b", c\nd\r.jpg'
    unreadable = os.fsdecode(b"caf\xe9.jpg")
    with LossLog(path) as losses:
        losses.of_item(Outcome.DROPPED, ODD, item=name, split="train", where="한국.txt:3", words="5 of 4")
        losses.of_annotation(Outcome.CHANGED, LATE, item=unreadable, annotation="1")

    first, second = rows(path)

    assert first == {
        "outcome": "dropped",
        "code": "ODD",
        "split": "train",
        "item": name,
        "annotation": "",
        "where": "한국.txt:3",
        "words": "5 of 4",
    }
    assert (second["item"], second["words"]) == ("caf\\udce9.jpg", "it is late")
    assert msgspec.json.encode([loss.item for kept in losses.examples.values() for loss in kept])


def test_there_is_no_table_without_losses(tmp_path: Path) -> None:
    """Nobody need look into it to see that there are none."""
    with LossLog(tmp_path / "losses.csv"):
        pass

    assert not [*tmp_path.iterdir()]


def test_losses_that_come_late_are_added(tmp_path: Path) -> None:
    """Whoever releases something last may have something to say."""
    losses = LossLog(tmp_path / "losses.csv")
    for name in ("a.jpg", "b.jpg"):
        losses.of_item(Outcome.DROPPED, ODD, item=name)
        losses.close()

    assert [row["item"] for row in rows(tmp_path / "losses.csv")] == ["a.jpg", "b.jpg"]


def test_many_losses_take_no_memory(tmp_path: Path) -> None:
    """All are in the table, a few are kept to be shown, and somebody may listen to each."""
    heard: list[Loss] = []
    with LossLog(tmp_path / "losses.csv", heard.append) as losses:
        for number in range(2500):
            losses.of_item(Outcome.DROPPED, ODD, item=f"{number}.jpg")

        (kept,) = losses.examples.values()
        assert [loss.item for loss in kept] == [f"{number}.jpg" for number in range(5)]

    assert len(rows(tmp_path / "losses.csv")) == len(heard) == 2500


def test_a_failure_is_no_reason_to_lose_losses(tmp_path: Path) -> None:
    """What was said until then is what one wants to see."""

    def convert(losses: LossLog) -> None:
        losses.of_item(Outcome.DROPPED, ODD, item="a.jpg")
        raise KeyError

    with pytest.raises(KeyError), LossLog(tmp_path / "losses.csv") as losses:
        convert(losses)

    assert len(rows(tmp_path / "losses.csv")) == 1

"""`synapse datasets`: versions of ground truths from the tasks of a project."""

import io
import sys
from typing import TYPE_CHECKING

import pytest

from synapse_sdk.backend import Category, GroundTruthFilter, open_backend
from tests.unit.cli.working import DM, annotate_all, bring_in, make_project

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Synapse

ADD = ("datasets", "add", "animals", "--project", "boxes")
TEN = [f"day/{number}" for number in range(7)] + [f"night/{number}" for number in range(3)]


@pytest.fixture
def animals(synapse: "Synapse") -> None:
    """A project `boxes` with ten annotated tasks, and a dataset `animals`."""
    make_project(*TEN)
    annotate_all()
    made = synapse("datasets", "create", "animals")
    assert (made.code, made.out) == (0, "  synapse datasets add animals --project NAME\n")


def units_of(reference: str, category: Category) -> list[str]:
    """Return the unit keys of a category."""
    with open_backend() as backend:
        version = backend.ground_truths.find_version(reference)
        found = backend.ground_truths.list(version.id, GroundTruthFilter(category=category))
        assert all(each.data == DM for each in found)
        return sorted(unit.key for unit in backend.data_units.many(each.unit_id for each in found))


@pytest.mark.usefixtures("animals")
def test_a_version_is_made_of_annotated_tasks(synapse: "Synapse") -> None:
    """All for training, unless something else is said; the next one has the next number."""
    first = synapse(*ADD)
    second = synapse(*ADD, "--filter", "id__lte=3", "--json").json

    assert first.err == "Made version 1 of 'animals': 10 train, 0 validation, 0 test. See it:\n\n"
    assert first.out == "  synapse datasets show animals@1\n"
    assert (second["version"], second["train"], second["without_data"]) == (2, 3, 0)
    assert units_of("animals@1", Category.TRAIN) == TEN


@pytest.mark.usefixtures("animals")
def test_units_are_divided_by_shares_and_seed(synapse: "Synapse") -> None:
    """Exactly, and each time alike; a dry run says the same and makes nothing."""
    ratios = ("--split", "train=0.8,validation=0.1,test=0.1")

    planned = synapse(*ADD, *ratios, "--dry-run")
    for more in ((), (), ("--seed", "3")):
        assert synapse(*ADD, *ratios, *more).code == 0

    assert "would have 8 train, 1 validation, 1 test. Nothing was made." in planned.err
    assert units_of("animals@1", Category.TRAIN) == units_of("animals@2", Category.TRAIN)
    assert units_of("animals@1", Category.TRAIN) != units_of("animals@3", Category.TRAIN)
    assert len(units_of("animals@3", Category.TRAIN)) == 8


@pytest.mark.usefixtures("animals")
def test_units_are_divided_by_rules(synapse: "Synapse") -> None:
    """The first that fits counts; if none fits a unit, nothing is made."""
    refused = synapse(*ADD, "--rule", "night/*=test")
    assert (refused.code, "No rule fits 7 of 10 data units" in refused.err) == (2, True)
    assert "They are 'day/0', 'day/1', 'day/2', ..." in refused.err

    assert synapse(*ADD, "--rule", "night/*=test", "--rule", "*=train").code == 0

    assert units_of("animals@1", Category.TEST) == TEN[7:]


def test_units_are_divided_by_their_metadata(synapse: "Synapse") -> None:
    """What says neither train nor validation nor test is named."""
    metas = {"cat": {"part": "Train"}, "dog": {"part": "test"}, "fox": {"part": "val"}}
    bring_in({key: f"{key}.jpg" for key in metas}, metas)
    synapse("tasks", "create", "--project", "boxes")
    annotate_all()
    synapse("datasets", "create", "animals")

    refused = synapse(*ADD, "--by", "part")
    assert (refused.code, "'fox'; it says 'val'" in refused.err) == (2, True)
    assert synapse(*ADD, "--by", "part", "--filter", "id__lt=3").code == 0

    assert (units_of("animals", Category.TRAIN), units_of("animals", Category.TEST)) == (["cat"], ["dog"])


def test_tasks_without_annotations_are_left_out_and_counted(synapse: "Synapse") -> None:
    """A version of nothing is not made."""
    make_project("cat", "dog")
    synapse("datasets", "create", "animals")
    refused = synapse(*ADD)
    assert (refused.code, "synapse tasks annotate --project boxes --file FOLDER" in refused.err) == (2, True)
    with open_backend() as backend:
        backend.tasks.set_data(backend.tasks.get(1).id, DM, 0)  # type: ignore[arg-type]  # a number is an id

    assert synapse(*ADD).err.startswith("Left out 1 task without annotations.\nMade version 1")


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("--split", "train=0.8"), "add up to 0.8"),
        (("--split", "train=0.8,tset=0.2"), "Did you mean 'test'?"),
        (("--rule", "*=tst"), "Did you mean 'test'?"),
        (("--rule", "*=test", "--by", "part"), "either --split"),
        (("--seed", "3"), "either --split"),
        (("--filter", "stat=open"), "Did you mean 'state'?"),
    ],
)
@pytest.mark.usefixtures("animals")
def test_a_mistyped_division_costs_one_look(words: tuple[str, ...], hint: str, synapse: "Synapse") -> None:
    """Nothing is made."""
    outcome = synapse(*ADD, *words)

    assert (outcome.code, hint in " ".join(outcome.err.split())) == (2, True), outcome.err
    assert synapse("datasets", "show", "animals", "--json").json["versions"] == []


@pytest.mark.usefixtures("animals")
def test_datasets_are_listed_and_shown_with_counts(synapse: "Synapse") -> None:
    """As a whole, and one version."""
    synapse(*ADD, "--rule", "night/*=test", "--rule", "*=train")
    synapse(*ADD)

    whole, one = synapse("datasets", "show", "animals"), synapse("datasets", "show", "animals@1", "--json").json
    (version,) = one["versions"]

    assert [version[each] for each in ("version", "train", "validation", "test", "ground_truths")] == [1, 7, 0, 3, 10]
    assert "version  id" in whole.out
    assert len(whole.out.splitlines()) == 7
    assert max(map(len, whole.out.splitlines())) <= 80
    assert "test           3" in synapse("datasets", "show", "animals@1").out
    assert synapse("datasets", "list", "-q").out == "animals\n"
    assert synapse("datasets", "list", "--json").json["datasets"][0]["newest"] == 2
    missing = synapse("datasets", "show", "animals@3")
    assert (missing.code, "Use one of: 1, 2" in missing.err) == (2, True)
    assert "Did you mean 'animals'?" in synapse("datasets", "show", "animls").err
    assert synapse("datasets", "create", "a@1").code == 2


@pytest.mark.usefixtures("animals")
def test_versions_and_datasets_are_removed_when_the_user_agrees(
    synapse: "Synapse", monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dataset that has versions is kept."""
    synapse(*ADD)
    kept = synapse("datasets", "rm", "animals", "--yes")
    assert (kept.code, "it has versions" in kept.err) == (2, True)

    for typed, code in (("animals", 130), ("animals@1", 0)):
        answer = io.StringIO(f"{typed}\n")
        monkeypatch.setattr(answer, "isatty", lambda: True)
        monkeypatch.setattr(sys, "stdin", answer)
        assert synapse("datasets", "rm", "animals@1").code == code

    assert synapse("datasets", "rm", "animals", "--yes").err == "Removed the dataset 'animals'.\n"
    assert synapse("datasets", "list", "-q").out == ""

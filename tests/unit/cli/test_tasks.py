"""`synapse tasks`: making, finding, showing and removing the work of a project."""

import io
import sys
from typing import TYPE_CHECKING

import pytest

from tests.unit.cli.working import DM, annotate_all, bring_in, make_project

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Synapse

NFD = "\u1112\u1161\u11ab"
"""한 in three letters."""


def test_a_task_is_made_of_each_unit_once(synapse: "Synapse") -> None:
    """The command says how many it made, and how many there were."""
    bring_in({"cat": "cat.jpg", "dog": "dog.jpg", "한": "한.jpg"})

    some = synapse("tasks", "create", "--project", "boxes", "--unit", NFD, "--unit", "cat", "--json").json
    one = synapse("tasks", "create", "--project", "boxes", "--limit", "1", "--json").json
    rest = synapse("tasks", "create", "--project", "boxes")

    assert (some["made"], some["existing"]) == (2, 0)
    assert (one["made"], one["existing"]) == (1, 2)
    assert rest.err == "Made 0 tasks in the project 'boxes'; 3 were there. See them:\n\n"
    assert rest.out == "  synapse tasks list --project boxes\n"


def test_a_task_of_a_unit_that_is_not_there_is_not_made(synapse: "Synapse") -> None:
    """Neither are the others that were asked for."""
    bring_in({"cat": "cat.jpg"})

    refused = synapse("tasks", "create", "--project", "boxes", "--unit", "cat", "--unit", "dog")

    assert (refused.code, "no data unit 'dog' in the collection 'animals'" in refused.err) == (2, True)
    assert "There are no tasks yet" in synapse("tasks", "list", "--project", "boxes").err


def test_tasks_are_listed_page_by_page_and_by_filter(synapse: "Synapse") -> None:
    """In a table that fits a terminal, as JSON, or their ids alone."""
    make_project("cat", "dog", "fox")
    annotate_all()

    table = synapse("tasks", "list", "--project", "boxes", "--limit", "2")
    listed = ("tasks", "list", "--project", "boxes")

    assert table.out.splitlines()[:2] == [
        "id  state      version  has_data  unit",
        " 1  submitted        1  yes       cat",
    ]
    assert table.err == "There are more than 2: --all, or --limit N.\n"
    assert synapse(*listed, "-q", "--filter", "id__gt=1", "--filter", "has_data=true").out == "2\n3\n"
    assert synapse(*listed, "-q", "--filter", "ids=1,3").out == "1\n3\n"
    assert synapse(*listed, "-q", "--after", "2").out == "3\n"
    assert synapse(*listed, "--filter", "state=open", "--json").json["tasks"] == []


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("stat=open", "Did you mean 'state'?"),
        ("state=opne", "Use one of open, submitted"),
        ("id__gt=x", "Use a whole number"),
        ("project=2", "the project is said by --project"),
    ],
)
def test_a_mistyped_filter_costs_one_look(text: str, hint: str, synapse: "Synapse") -> None:
    """It is a mistake on the command line, and nothing is shown instead."""
    make_project("cat")

    outcome = synapse("tasks", "list", "--project", "boxes", "--filter", text)

    assert (outcome.code, outcome.out) == (2, "")
    assert hint in " ".join(outcome.err.split())


def test_a_task_is_shown_with_its_files_and_data(synapse: "Synapse") -> None:
    """For people, and for programs."""
    make_project("cat")
    annotate_all()

    shown = synapse("tasks", "show", "1", "--json").json

    assert (shown["unit"], shown["project"], shown["state"], shown["version"]) == ("cat", "boxes", "submitted", 1)
    assert (shown["files"], shown["data"]) == ({"images": "cat.jpg"}, DM)
    assert "bounding_box" in synapse("tasks", "show", "1").out
    assert synapse("tasks", "show", "99").code == 2


def test_tasks_are_removed_when_the_user_agrees(synapse: "Synapse", monkeypatch: pytest.MonkeyPatch) -> None:
    """By id, or those of a project; how many has to be typed, or --yes."""
    make_project("cat", "dog", "fox")
    refused = synapse("tasks", "rm", "1")
    assert (refused.code, "Remove 1 task, with what was annotated? Without a terminal" in refused.err) == (2, True)
    assert synapse("tasks", "rm").code == synapse("tasks", "rm", "1", "--project", "boxes").code == 2
    assert synapse("tasks", "rm", "1", "99", "--yes").code == 2
    assert synapse("tasks", "rm", "1", "--yes").err == "Removed 1 task.\n"

    for typed, code in (("3", 130), ("2", 0)):
        answer = io.StringIO(f"{typed}\n")
        monkeypatch.setattr(answer, "isatty", lambda: True)
        monkeypatch.setattr(sys, "stdin", answer)
        assert synapse("tasks", "rm", "--project", "boxes").code == code

    assert synapse("tasks", "list", "--project", "boxes", "-q").out == ""

"""`synapse tasks annotate`: annotations from files into tasks."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from synapse_sdk.backend import FileSpecification, FileType, NewUnit, TaskFilter, open_backend
from synapse_sdk.cli.catalogue.annotation_files import MAX_BYTES, annotate, match
from tests.unit.cli.working import DM, bring_in, make_project

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Synapse

ANNOTATE = ("tasks", "annotate", "--project", "boxes", "--file")
NFD = "\u1112\u1161\u11ab"
"""한 in three letters."""


def write(folder: Path, *names: str, text: str = json.dumps(DM)) -> None:
    """Write documents."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def data() -> dict[str, Any]:
    """Return what the tasks have, by unit key."""
    with open_backend() as backend:
        tasks = backend.tasks.list(TaskFilter())
        keys = {unit.id: unit.key for unit in backend.data_units.many(task.unit_id for task in tasks)}
        return {keys[task.unit_id]: task.data for task in tasks}


def test_files_are_for_the_units_whose_primary_files_they_are_named_after(synapse: "Synapse", home: Path) -> None:
    """Whatever the unit key, the case of the suffix, the place of dots and the way letters are composed."""
    names = {
        "a": "cat.jpg",
        "b": "photo.final.png",
        "c": ".hidden.jpg",
        "d": "한.jpg",
        "e": "park/wren.jpg",
        "f": "-x y.jpg",
    }
    bring_in(names)
    synapse("tasks", "create", "--project", "boxes")
    write(
        home / "json", "cat.JSON", "photo.final.json", ".hidden.json", f"{NFD}.json", "wren.json", "-x y.json", "x.txt"
    )

    outcome = synapse(*ANNOTATE, "json")

    assert (outcome.code, outcome.err, outcome.out) == (0, "Annotated 6 tasks of 'boxes'.\n", "")
    assert data() == dict.fromkeys(names, DM)


def test_an_export_is_put_back_also_where_units_lack_their_primary_file(synapse: "Synapse", home: Path) -> None:
    """What a document is called by an export, and which task it is for, is one rule."""
    specifications = [
        FileSpecification(name="images", file_type=FileType.IMAGE, is_primary=True, is_required=False),
        FileSpecification(name="labels", is_required=False),
        FileSpecification(name="depth", is_required=False),
    ]
    with open_backend() as backend:
        collection = backend.collections.create("animals", specifications=specifications).id
        storage = backend.storages.ensure("memory:").id
        reserved = [each.file.id for each in backend.ingestion.reserve("run", collection, storage, [("h", 9, "h")])]
        files = {"labels": (reserved[0], "l/owl.txt"), "depth": (reserved[0], "d/wren.tif")}
        backend.ingestion.register("run", collection, [NewUnit(key="a", files=files)], stored=reserved)
        backend.ingestion.publish("run")
        backend.projects.create("boxes", collection)
    synapse("tasks", "create", "--project", "boxes")
    with open_backend() as backend:
        backend.tasks.set_data(backend.tasks.list(TaskFilter())[0].id, DM, 0)
    exported = synapse("export", "task", "--project", "boxes", "--out", "out", "--no-originals")
    assert (exported.code, [path.name for path in (home / "out" / "json").iterdir()]) == (0, ["wren.json"])

    outcome = synapse(*ANNOTATE, "out/json")

    assert (outcome.code, outcome.err) == (0, "Annotated 1 task of 'boxes'.\n")


def test_what_cannot_be_matched_is_reported_and_left_alone(synapse: "Synapse", home: Path) -> None:
    """Files of no task, of several tasks, two files of one task, and tasks without a file."""
    bring_in({"a": "one/cat.jpg", "b": "two/cat.jpg", "c": "dog.jpg", "d": "fox.jpg", "e": "park/owl.jpg"})
    synapse("tasks", "create", "--project", "boxes")
    write(home / "json", "cat.json", "two/cat.json", "dog.json", "cow.json", "owl.json", "park/owl.json")

    planned = synapse(*ANNOTATE, "json", "--dry-run")
    assert (planned.code, set(data().values())) == (3, {None})
    outcome = synapse(*ANNOTATE, "json", "--json")

    assert outcome.code == 3
    assert outcome.json["ambiguous"] == ["cat.json", "owl.json", "park/owl.json"]
    assert (outcome.json["unmatched"], outcome.json["annotated"]) == (["cow.json"], 2)
    assert outcome.json["tasks_without_file"] == 2
    assert {key for key, document in data().items() if document} == {"b", "c"}
    assert "1 file of no task:\n  cow.json\n3 files that may be for several tasks, or share one:\n" in planned.err
    assert planned.err.endswith("Would annotate 2 tasks of 'boxes'. Nothing was changed.\n")


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ('{"images": [], "images": []}', "Key 'images' appears twice"),
        ('{"images": [NaN]}', "not a finite number"),
        ('{"images": ' + "[" * 300 + "]" * 300 + "}", "more than 64 levels deep"),
        ('{"images": ', "Expecting value"),
        ('{"images": ["\\ud800"]}', "half of a character"),
        ("[]", "holds no JSON object"),
        ('{"bird": "wren"}', "its keys are 'bird', and none is one of DM"),
        ("{}", "its keys are none"),
    ],
)
def test_a_file_that_is_no_annotation_is_refused(text: str, hint: str, synapse: "Synapse", home: Path) -> None:
    """The others are taken all the same."""
    make_project("cat", "dog")
    write(home / "json", "cat.json", text=text)
    write(home / "json", "dog.json")

    outcome = synapse(*ANNOTATE, "json")

    assert (outcome.code, hint in outcome.err) == (3, True), outcome.err
    assert outcome.err.endswith("Annotated 1 task of 'boxes'.\n")
    assert data() == {"cat": None, "dog": DM}


def test_a_huge_file_is_not_read_to_its_end(synapse: "Synapse", home: Path) -> None:
    """One with more than a document may have is refused."""
    make_project("cat")
    write(home / "json", "cat.json")
    with (home / "json" / "cat.json").open("r+b") as file:
        file.truncate(2**30)

    outcome = synapse(*ANNOTATE, "json")

    assert (outcome.code, f"may have {MAX_BYTES:,}" in outcome.err) == (3, True)


def test_documents_of_another_kind_are_taken_when_asked_for(synapse: "Synapse", home: Path) -> None:
    """Whatever is a JSON object, but nothing else."""
    make_project("cat", "dog")
    write(home / "json", "cat.json", text='{"bird": "wren"}')
    write(home / "json", "dog.json", text="3")

    outcome = synapse(*ANNOTATE, "json", "--any")

    assert (outcome.code, data()) == (3, {"cat": {"bird": "wren"}, "dog": None})


def test_a_task_that_is_changed_meanwhile_keeps_what_it_has(home: Path) -> None:
    """Somebody else's work is not overwritten; the file is counted as a conflict, as is one whose task is gone."""
    make_project("cat", "dog", "fox")
    write(home / "json", "cat.json", "dog.json", "fox.json")
    with open_backend() as backend:
        found = match(backend, backend.projects.get("boxes"), home / "json")
        cat, _, fox = backend.tasks.list(TaskFilter())
        backend.tasks.set_data(cat.id, {"images": []}, 0)
        backend.tasks.remove([fox.id])

        annotate(backend, found, home / "json", accepts_any=False)

    assert (found.done, found.conflicts, found.losses) == (1, ["cat.json", "fox.json"], 2)
    assert data() == {"cat": {"images": []}, "dog": DM}


def test_one_document_is_given_to_one_task(synapse: "Synapse", home: Path) -> None:
    """Whatever its name; a mistake in it is the error of the command."""
    make_project("cat")
    write(home, "x.json")

    outcome = synapse(*ANNOTATE, "x.json", "--task", "1")

    assert (outcome.code, outcome.err, data()) == (0, "Annotated 1 task of 'boxes'.\n", {"cat": DM})
    write(home, "x.json", text='{"images": [], "images": []}')
    assert synapse(*ANNOTATE, "x.json", "--task", "1").code == 78
    assert synapse(*ANNOTATE, "x.json", "--task", "99").code == 78
    write(home, "x.json")
    assert synapse(*ANNOTATE, "x.json", "--task", "99").code == 2
    assert synapse(*ANNOTATE, "x.json").code == 2
    assert synapse(*ANNOTATE, ".", "--task", "1").code == 2
    assert synapse(*ANNOTATE, "nowhere").code == 2
    (home / "empty").mkdir()
    assert synapse(*ANNOTATE, "empty").code == 78

"""`synapse tasks annotate` with a dataset, or with a file of each data unit: one run, which can be undone."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from synapse_sdk.backend import TaskFilter, open_backend
from tests.unit.cli.working import bring_in, leave_model, make_birds, make_project
from tests.unit.inference.onnx_models import bright_box, names_of

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Synapse

ANNOTATE = ("tasks", "annotate", "--project", "boxes")


def write_coco(path: Path, *names: str) -> None:
    """Write a COCO file with a box on each image."""
    images = [{"id": n, "file_name": name, "width": 40, "height": 20} for n, name in enumerate(names, 1)]
    boxes = [{"id": n, "image_id": n, "category_id": 1, "bbox": [1, 2, 3, 4]} for n in range(1, len(names) + 1)]
    path.write_text(json.dumps({"images": images, "annotations": boxes, "categories": [{"id": 1, "name": "cat"}]}))


def data() -> list[Any]:
    """Return what the tasks have."""
    with open_backend() as backend:
        return [task.data for task in backend.tasks.list(TaskFilter())]


def test_a_dataset_is_one_run(synapse: "Synapse", home: Path) -> None:
    """What it did is told; it is in the journal."""
    make_project("wren", "owl")
    write_coco(home / "birds.json", "wren.jpg", "owl.jpg")

    outcome = synapse(*ANNOTATE, "--file", "birds.json", "--progress", "none")

    assert (outcome.code, outcome.out.splitlines()[0]) == (0, "Annotated 2 tasks")
    assert None not in data()
    (listed,) = synapse("runs", "list", "--json").json["runs"]
    assert (listed["action"], listed["status"]) == ("add_task_data", "succeeded")


def test_what_no_task_has_gives_exit_code_3(synapse: "Synapse", home: Path) -> None:
    """With the names, first without changing anything."""
    make_project("wren", "owl")
    write_coco(home / "birds.json", "wren.jpg", "crane.jpg")

    planned = synapse(*ANNOTATE, "--file", "birds.json", "--dry-run")
    assert (planned.code, data()) == (3, [None, None])
    assert "1 image of the file unmatched:\n  crane.jpg\nNothing was changed.\n" in planned.err
    assert synapse(*ANNOTATE, "--file", "birds.json", "--dry-run", "--json").json["fit"] == 1
    outcome = synapse(*ANNOTATE, "--file", "birds.json", "--progress", "none")

    assert outcome.code == 3
    assert "  unmatched  1 image of the file:\n    crane.jpg\n" in outcome.out
    assert "  skipped    1 task without annotations\n" in outcome.out


def test_only_the_tasks_that_fit_are_annotated(synapse: "Synapse", home: Path) -> None:
    """As `--filter` says."""
    make_project("wren", "owl")
    write_coco(home / "birds.json", "wren.jpg")

    outcome = synapse(*ANNOTATE, "--file", "birds.json", "--format", "coco", "--filter", "ids=1", "--json")

    assert (outcome.code, [each is None for each in data()]) == (0, [False, True])


def test_units_without_the_file_fail_their_tasks(synapse: "Synapse") -> None:
    """All of them: the run has failed, and says why."""
    make_project("wren")

    outcome = synapse(*ANNOTATE, "--specification", "images", "--progress", "none")

    assert outcome.code != 0
    assert "No task could be annotated" in outcome.err


def test_a_model_annotates(synapse: "Synapse", home: Path) -> None:
    """A callable by its name; a dry run loads it, and asks nothing."""
    make_birds(home / "store")
    with open_backend() as backend:
        things = backend.collections.get("photos").id
        project = backend.projects.create("boxes", things)
        backend.tasks.create(project.id, [unit.id for unit in backend.data_units.list(things)])
    model = "tests.unit.plugins.actions.add_task_data.models:detect"

    planned = synapse(*ANNOTATE, "--model", model, "--dry-run")
    assert (planned.code, data()) == (0, [None] * 3)
    outcome = synapse(*ANNOTATE, "--model", model, "--progress", "none")

    assert (outcome.code, outcome.out.splitlines()[0]) == (0, "Annotated 3 tasks")
    assert None not in data()


@pytest.mark.parametrize("named", ["boxes.onnx", "boxes@1", "file"])
def test_an_onnx_model_annotates(synapse: "Synapse", home: Path, named: str) -> None:
    """By path, by name in the registry, by URL; `--set` says what counts, and the run does not depend on the folder."""
    make_birds(home / "store")
    content = bright_box(metadata=names_of("cat", "dog"))
    (home / "boxes.onnx").write_bytes(content)
    leave_model("boxes", "1", content)
    with open_backend() as backend:
        things = backend.collections.get("photos").id
        project = backend.projects.create("boxes", things, configuration={"classes": ["cat", "bird"]})
        backend.tasks.create(project.id, [unit.id for unit in backend.data_units.list(things)])
    model = ("--model", (home / "boxes.onnx").as_uri() if named == "file" else named)

    refused = synapse(*ANNOTATE, *model, "--dry-run")
    assert (refused.code, "classes that the project has not: dog" in refused.err) == (78, True)
    chosen = ("--set", 'classes=["cat"]', "--set", "confidence=0.5")
    outcome = synapse(*ANNOTATE, *model, *chosen, "--progress", "none")

    assert (outcome.code, outcome.out.splitlines()[0]) == (0, "Annotated 3 tasks"), outcome.err
    (listed,) = synapse("runs", "list", "--json").json["runs"]
    params = synapse("runs", "show", listed["id"], "--json").json["params"]
    assert params["pre_processor_params"] == {"classes": ["cat"], "confidence": 0.5}
    assert params["model"] == (str(home / named) if named == "boxes.onnx" else model[1])


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        ((), "one of --file, --specification and --model"),
        (("--file", "birds.json", "--specification", "images"), "one of --file, --specification and --model"),
        (("--specification", "images", "--task", "1"), "--task and --any are for DM documents"),
        (("--file", "birds.json", "--set", "iou=0.5"), "--set is what a --model is told"),
        (("--file", "birds.json", "--any"), "--task and --any are for DM documents"),
        (("--file", "birds.json", "--filter", "colour=red"), "colour"),
        (("--file", "docs", "--filter", "ids=1"), "not for single documents"),
        (("--file", "birds.json", "--format", "pdf"), "no format 'pdf'"),
    ],
)
def test_what_makes_no_sense_together_is_a_usage_error(
    synapse: "Synapse", home: Path, arguments: tuple[str, ...], hint: str
) -> None:
    """Nothing is run."""
    bring_in({"wren": "wren.jpg"})
    write_coco(home / "birds.json", "wren.jpg")
    (home / "docs").mkdir()

    outcome = synapse(*ANNOTATE, *arguments)

    assert (outcome.code, hint in outcome.err) == (2, True), outcome.err

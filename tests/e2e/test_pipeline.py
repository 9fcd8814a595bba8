"""The example of a pipeline from the command line: finished, stopped, killed, resumed, undone."""

import json
import shutil
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from synapse_sdk.backend import FileSpecification, FileType, TaskFilter, open_backend

if TYPE_CHECKING:
    from tests.e2e.conftest import Running, Shell

PATIENCE = 60.0
EXAMPLES = Path(__file__).parents[2] / "examples"
PIPELINE = "photo_to_yolo.yaml"
MODES = ("local", "process")


@pytest.fixture(autouse=True)
def _project(shell: "Shell") -> None:
    """The example with its photos and boxes, and the collection and project that it needs."""
    for name in ("photos", "annotations"):
        shutil.copytree(EXAMPLES / name, shell.folder / name)
    shutil.copy(EXAMPLES / PIPELINE, shell.folder)
    shell.environ["SYNAPSE_BACKEND"] = str(shell.folder / "backend.db")
    specifications = [
        FileSpecification(name="images", file_type=FileType.IMAGE, is_primary=True),
        FileSpecification(name="annotations", file_type=FileType.DATA, extensions=(".json",), is_required=False),
    ]
    with open_backend(shell.folder / "backend.db") as backend:
        backend.projects.create("boxes", backend.collections.create("photos", specifications=specifications).id)


def test_a_killed_worker_process_leaves_a_pipeline_that_goes_on(shell: "Shell") -> None:
    """What its actions had done is recorded by the worker, and known to everybody."""
    lost = shell.run("run", PIPELINE, "--mode", "process", env={"SYNAPSE_FAILPOINTS": "export.published=kill@1"})

    resumed = shell.run("runs", "resume", "last")

    assert "runs resume" in lost.err
    assert resumed.code == 0, resumed.err
    assert seen(shell) == ALL


def kill(running: "Running") -> None:
    """Kill a process, and wait for its end."""
    running.signal(signal.SIGKILL)
    assert running.process.wait(PATIENCE) == -signal.SIGKILL


def seen(shell: "Shell") -> dict[str, Any]:
    """Return what there is to be seen of a run: units, tasks with annotations, exports, the dataset."""
    with open_backend(shell.folder / "backend.db") as backend:
        units = backend.data_units.list(backend.collections.get("photos").id)
        tasks = backend.tasks.list(TaskFilter())
    dataset = shell.folder / "photos_yolo"
    return {
        "units": len(units),
        "tasks": [task.data is not None for task in tasks],
        "exports": [path.name for path in sorted((shell.folder / "exports").glob("*"))],
        "labels": len([*dataset.rglob("labels/**/*.txt")]) if dataset.exists() else None,
    }


NOTHING = {"units": 0, "tasks": [], "exports": [], "labels": None}
ALL = {"units": 6, "tasks": [True] * 6, "exports": ["photos"], "labels": 6}


@pytest.mark.parametrize("mode", MODES)
def test_photos_become_a_yolo_dataset_in_one_run(shell: "Shell", mode: str) -> None:
    """Whose record shows every action with its own steps."""
    outcome = shell.run("run", PIPELINE, "--mode", mode)

    assert outcome.code == 0, outcome.err
    assert seen(shell) == ALL
    assert "convert: 6 items of yolo in photos_yolo" in outcome.out
    listed = json.loads(shell.run("runs", "list", "--json").out)["runs"]
    assert [(run["action"], run["status"]) for run in listed] == [("photo_to_yolo", "succeeded")]
    shown = json.loads(shell.run("runs", "show", "last", "--json").out)
    assert [step["step"] for step in shown["steps"]] == ["upload", "create_tasks", "annotate", "export", "convert"]
    assert [step["step"] for step in shown["steps"][4]["steps"]] == ["convert_dataset"]
    assert "  upload_files" in shell.run("runs", "show", "last").out


def test_a_dry_run_says_what_is_handed_on(shell: "Shell") -> None:
    """And runs nothing."""
    outcome = shell.run("run", PIPELINE, "--dry-run")

    assert outcome.code == 0
    assert "annotate.project is create_tasks.project" in outcome.out
    assert "convert.path is export.output_path" in outcome.out
    assert seen(shell) == NOTHING


def test_the_last_action_fails_and_nothing_is_left(shell: "Shell") -> None:
    """Of any of them."""
    (shell.folder / "photos_yolo").mkdir()
    (shell.folder / "photos_yolo" / "mine.txt").touch()

    outcome = shell.run("run", PIPELINE)

    assert outcome.code == 1, outcome.err
    assert "Step 'convert' failed: Step 'convert_dataset' failed:" in outcome.err
    assert seen(shell) == {**NOTHING, "labels": 0}


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_undoes_all_actions(shell: "Shell", number: int, code: int) -> None:
    """Those that had ended as well as the one that runs."""
    ended = shell.signalled("run", PIPELINE, at="export.saved=stop@1", number=number)

    assert ended.code == code, ended.err
    assert seen(shell) == NOTHING
    assert "Traceback" not in ended.err


@pytest.mark.parametrize(
    "at",
    [
        pytest.param("upload.registered", marks=pytest.mark.full),
        pytest.param("create_tasks.made", marks=pytest.mark.full),
        "tasks.submitted",
        pytest.param("export.published", marks=pytest.mark.full),
    ],
)
def test_a_killed_pipeline_is_resumed_or_undone_by_another_process(shell: "Shell", at: str) -> None:
    """Whichever action was running; undone once, then run again and resumed."""
    kill(shell.stopped("run", PIPELINE, at=f"{at}=stop@1"))
    undone = shell.run("runs", "rollback", "last")
    after_undoing = seen(shell)
    kill(shell.stopped("run", PIPELINE, at=f"{at}=stop@1"))

    resumed = shell.run("runs", "resume", "last")

    assert undone.code == 0, undone.err
    assert after_undoing == NOTHING
    assert resumed.code == 0, resumed.err
    assert seen(shell) == ALL


def test_parameters_of_the_command_reach_their_actions(shell: "Shell") -> None:
    """By the name of the action."""
    outcome = shell.run("run", PIPELINE, "--set", "convert.output=elsewhere")

    assert outcome.code == 0, outcome.err
    assert (shell.folder / "elsewhere" / "dataset.yaml").exists()


def test_what_is_wrong_is_said_before_anything_runs(shell: "Shell") -> None:
    """With the place in the document, or the parameter."""
    text = (shell.folder / PIPELINE).read_text()
    (shell.folder / "key.yaml").write_text(text.replace("weight: 0.4", "wieght: 0.4"))
    (shell.folder / "line.yaml").write_text(text.replace("pipeline: photo_to_yolo", "pipeline: photo: x"))

    key, line = shell.run("run", "key.yaml"), shell.run("run", "line.yaml")
    param = shell.run("run", PIPELINE, "--set", "annotate.project=${upload.collection}")

    assert "actions[1].wieght: unknown key; did you mean 'weight'?" in key.err
    assert "line.yaml:6:16" in line.err
    assert "annotate.project: ${upload.collection} names a data collection, not a project" in param.err
    assert (key.code, line.code, param.code) == (78, 78, 2)
    assert seen(shell) == NOTHING

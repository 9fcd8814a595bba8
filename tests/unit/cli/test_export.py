"""`synapse export`: what it says, how it ends, and that the same command goes on with what was interrupted."""

import json
import os
import subprocess
import sys
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from synapse_sdk.backend import Category, NewGroundTruth, TaskFilter, open_backend
from synapse_sdk.storage import open_storage
from tests.conformance.s3_server import LOGIN

if TYPE_CHECKING:
    from tests.conformance.s3_server import S3Server
    from tests.unit.cli.conftest import Synapse

EXPORT = ("export", "task", "--project", "boxes", "--out", "./out")
NUMBERS = count(1)


@pytest.fixture(autouse=True)
def boxes(home: Path, synapse: "Synapse") -> Path:
    """A project `boxes` with three annotated photos; where their objects are."""
    for number in range(3):
        path = home / "photos" / "images" / f"cat{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"picture {number}")
    assert synapse("collections", "describe", "photos", "--create", "animals").code == 0
    assert synapse("upload", "photos", "--collection", "animals", "--storage", "./store").code == 0
    with open_backend() as backend:
        animals = backend.collections.get("animals")
        project = backend.projects.create("boxes", animals.id)
        backend.tasks.create(project.id, [unit.id for unit in backend.data_units.list(animals.id)])
        for task in backend.tasks.list(TaskFilter(project=project.id)):
            backend.tasks.set_data(task.id, {"n": int(task.id)}, task.version)
    return home / "store"


def add_empty(number: int) -> None:
    """Take the data of a task away."""
    with open_backend() as backend:
        task = backend.tasks.list(TaskFilter())[number]
        backend.tasks.set_data(task.id, None, task.version)


def lose(store: Path, number: int) -> None:
    """Delete the object of a task."""
    with open_backend() as backend:
        task = backend.tasks.list(TaskFilter())[number]
        (store / backend.data_units.get(task.unit_id).files["images"].key).unlink()


def files(folder: Path) -> set[str]:
    """Return the paths of the files below a folder."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


ALL = {
    "manifest.json",
    *(f"json/cat{number}.json" for number in range(3)),
    *(f"origin_files/cat{number}.jpg" for number in range(3)),
}


def die(at: str, *args: str) -> None:
    """Run a command in a process of its own that dies at a failpoint."""
    environ = {**os.environ, "SYNAPSE_FAILPOINTS": f"{at}=kill@1"}
    command = [sys.executable, "-P", "-m", "synapse_sdk.cli", *args]
    ended = subprocess.run(command, env=environ, capture_output=True, timeout=60, check=False)
    assert ended.returncode == 137, ended.stderr


def last_run(synapse: "Synapse") -> dict[str, Any]:
    """Return what the list says of the last run."""
    run: dict[str, Any] = synapse("runs", "list", "--json", "--limit", "1").json["runs"][0]
    return run


# What it says


def test_an_export_is_told_in_a_few_lines(synapse: "Synapse", home: Path) -> None:
    """Where it is, how much, and where the report is."""
    outcome = synapse(*EXPORT)

    head, originals, report = outcome.out.splitlines()
    assert outcome.code == 0
    assert head == "3 items in out"
    assert originals == "  originals  27 B"
    assert Path(report.split()[1]).is_file()
    assert files(home / "out") == ALL
    assert last_run(synapse)["status"] == "succeeded"


def test_programs_get_events_and_one_result(synapse: "Synapse", home: Path) -> None:
    """The whole result, as the last line; nothing on the other stream."""
    add_empty(0)

    outcome = synapse(*EXPORT, "--json")

    kinds = [line["type"] for line in outcome.lines]
    result = outcome.lines[-1]
    assert outcome.err == ""
    assert (kinds[0], kinds[-1], kinds.count("result")) == ("run_started", "result", 1)
    assert (result["status"], result["exit_code"]) == ("succeeded", outcome.code)
    assert outcome.code == 3
    told = result["result"]
    assert (told["total_count"], told["exported_count"], told["failed_count"], told["skipped_count"]) == (3, 2, 1, 0)
    assert told["output_path"] == str(home / "out")
    assert [each["code"] for each in told["failures"]] == ["NULL_DATA"]


def test_losses_are_named_and_have_an_exit_code(synapse: "Synapse", home: Path, boxes: Path) -> None:
    """3 for an export that lacks something, 1 for one that was to stop at that."""
    add_empty(1)
    lose(boxes, 0)

    stopped = synapse(*EXPORT, "--on-error", "stop")
    nothing = files(home / "out")
    outcome = synapse(*EXPORT)

    assert stopped.code == 1
    assert "it has no annotation data" in stopped.err
    assert "--on-error continue" in stopped.err
    assert nothing == set()
    assert outcome.code == 3
    assert outcome.out.startswith("1 item in out\n")
    assert "  failed     2 items:\n" in outcome.out
    assert ": it has no annotation data\n" in outcome.out
    assert "What could not be exported is listed in error_file_list.json" in outcome.err
    assert "error_file_list.json" in files(home / "out")


def test_when_nothing_can_be_exported_the_run_fails(synapse: "Synapse", home: Path) -> None:
    """X7: 1, and nothing is left."""
    for number in range(3):
        add_empty(number)

    outcome = synapse(*EXPORT)

    assert outcome.code == 1
    assert "No item could be exported" in outcome.err
    assert not (home / "out").exists()


def test_an_export_of_nothing_is_one(synapse: "Synapse", home: Path) -> None:
    """0, with a manifest."""
    outcome = synapse(*EXPORT, "--filter", "id__gt=1000")

    assert (outcome.code, outcome.out.splitlines()[0]) == (0, "0 items in out")
    assert files(home / "out") == {"manifest.json"}


@pytest.mark.parametrize("how", [(), ("--dry-run",)])
def test_an_export_of_nothing_says_why(synapse: "Synapse", how: tuple[str, ...]) -> None:
    """How many items there are without the filter; or that there are none at all. Programs get counts."""
    with open_backend() as backend:
        backend.projects.create("empty", backend.collections.get("animals").id)

    narrow = synapse(*EXPORT, "--filter", "id__gt=1000", *how)
    empty = synapse("export", "task", "--project", "empty", "--out", "./empty", *how)
    told = synapse(*EXPORT[:-1], "./json", "--filter", "id__gt=1000", *how, "--json")
    all_of_them = synapse(*EXPORT[:-1], "./all", *how)

    assert "Nothing fits --filter: without it there are 3.\n" in narrow.err
    assert "There is nothing of target task to export.\n" in empty.err
    assert "fits" not in told.err
    assert "othing " not in all_of_them.err.replace("Nothing was exported", "")
    assert narrow.code == empty.code == told.code == all_of_them.code == 0


def test_only_documents(synapse: "Synapse", home: Path, boxes: Path) -> None:
    """Then storages may be gone."""
    lose(boxes, 0)

    assert synapse(*EXPORT, "--no-originals").code == 0
    assert files(home / "out") == {path for path in ALL if not path.startswith("origin_files")}


def test_a_dry_run_tells_everything_and_changes_nothing(synapse: "Synapse", home: Path) -> None:
    """For people and for programs."""
    add_empty(0)
    before = {path for path in home.rglob("*") if "backend" not in path.name}

    outcome = synapse(*EXPORT, "--dry-run")
    document = synapse(*EXPORT, "--dry-run", "--json").json

    assert outcome.code == 0
    assert outcome.out.startswith(f"3 items of target task into {home / 'out'}\n")
    assert "With 2 files (18 B)." in outcome.out
    assert "Nothing was exported." in outcome.err
    assert "--filter has_data=true" in outcome.err
    assert document == {
        "target": "task",
        "total": 3,
        "fit": 2,
        "without_data": 1,
        "files": 2,
        "file_bytes": 18,
        "output_path": str(home / "out"),
        "schema_version": 1,
    }
    assert {path for path in home.rglob("*") if "backend" not in path.name} == before


def test_ground_truths_and_assignments(synapse: "Synapse", home: Path) -> None:
    """By dataset, with or without a version; by project."""
    with open_backend() as backend:
        tasks = backend.tasks.list(TaskFilter())
        birds = backend.ground_truths.create_dataset("birds")
        new = [NewGroundTruth(category=Category.TRAIN, task_id=task.id) for task in tasks]
        backend.ground_truths.create_version(birds.id, new)
        backend.assignments.create([tasks[0].id], "ada")

    for number, dataset in enumerate(("birds", "birds@1")):
        assert synapse("export", "ground_truth", "--dataset", dataset, "--out", f"g{number}").code == 0
        assert files(home / f"g{number}") == ALL
    assignment = synapse("export", "assignment", "--project", "boxes", "--filter", "user=ada", "--out", "a")
    assert assignment.code == 1
    assert "it has no annotation data" in assignment.err
    missing = synapse("export", "ground_truth", "--dataset", "birds@7", "--out", "x")
    assert missing.code == 2
    assert "birds" in missing.err
    unknown = synapse("export", "ground_truth", "--dataset", "brids", "--out", "x")
    assert (unknown.code, "where  ground truth dataset brids" in unknown.err) == (2, True), unknown.err
    as_json = synapse("export", "ground_truth", "--dataset", "brids", "--out", "x", "--json")
    assert as_json.lines[-1]["error"]["where"] == {"ground_truth_dataset": "brids"}
    wrong = synapse("export", "ground_truth", "--dataset", "birds", "--filter", "category=x", "--out", "x")
    assert (wrong.code, "--filter" in wrong.err) == (2, True), wrong.err


# What is wrong on the command line


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("export",), "TARGET"),
        (("export", "task", "--project", "boxes"), "--out"),
        (("export", "tasks", "--project", "boxes", "--out", "x"), "task, assignment, ground_truth"),
        (("export", "task", "--out", "x"), "--project"),
        (("export", "task", "--dataset", "d", "--out", "x"), "--project"),
        (("export", "task", "--project", "boxes", "--dataset", "d", "--out", "x"), "--dataset"),
        (("export", "ground_truth", "--out", "x"), "--dataset"),
        (("export", "ground_truth", "--dataset", "d", "--project", "boxes", "--out", "x"), "--project"),
        (("export", "task", "--project", "bxes", "--out", "x"), "boxes"),
        ((*EXPORT, "--filter", "project=7"), "--project"),
        ((*EXPORT, "--format", "tfrecord"), "tfrecord"),
        ((*EXPORT, "--on-error", "ignore"), "ignore"),
        ((*EXPORT, "--concurrency", "0"), "concurrency"),
        (("export", "task", "--project", "boxes", "--out", "/"), "not the name of a new folder"),
        (("export", "task", "--project", "boxes", "--out", ".."), "not the name of a new folder"),
        (("export", "task", "--project", "boxes", "--out", "a\nb"), "control characters"),
        (("export", "task", "--project", "boxes", "--out", "x" * 300), "255 bytes"),
        (("export", "task", "--project", "boxes", "--out", "~no-such-user/x"), "~no-such-user"),
        (("export", "task", "--project", "boxes", "--out", "memory://whole"), "names a whole storage"),
        (("export", "task", "--project", "boxes", "--out", "s3://a:secret@b/c/d"), "password"),
    ],
)
def test_a_wrong_command_line_is_explained(synapse: "Synapse", args: tuple[str, ...], says: str) -> None:
    """By 2, and nothing has begun; no secret is shown."""
    outcome = synapse(*args)

    assert (outcome.code, says in outcome.err) == (2, True), outcome.err
    assert "secret" not in outcome.err
    assert synapse("runs", "list", "--json").json["runs"][0]["action"] == "upload"


@pytest.mark.parametrize("how", [(), ("--dry-run",)])
@pytest.mark.parametrize(
    "wrong", ["colour=red", "has_data=perhaps", "state", "=x", "ids=a", "id__gt=", "created__gt=yesterday"]
)
def test_a_wrong_filter_is_refused_before_anything(
    synapse: "Synapse", home: Path, wrong: str, how: tuple[str, ...]
) -> None:
    """X8: it is named, as a mistake on the command line; nothing was started."""
    outcome = synapse(*EXPORT, "--filter", wrong, *how)

    assert (outcome.code, "--filter" in outcome.err) == (2, True)
    assert wrong.partition("=")[0] in outcome.err
    assert not (home / "out").exists()
    assert last_run(synapse)["action"] == "upload"


@pytest.mark.parametrize("taken", ["folder", "file", "dangling link", "the current folder"])
def test_a_place_that_is_taken_is_refused(synapse: "Synapse", home: Path, taken: str) -> None:
    """Before anything has begun; dry runs say so as well."""
    place = home / "out"
    if taken == "folder":
        place.mkdir()
    elif taken == "file":
        place.touch()
    elif taken == "dangling link":
        place.symlink_to("nowhere")
    args = (*EXPORT[:-1], "." if taken == "the current folder" else "./out")

    outcomes = [synapse(*args), synapse(*args, "--dry-run")]

    for outcome in outcomes:
        assert (outcome.code, "already" in outcome.err) == (1, True)
    assert last_run(synapse)["action"] == "upload"
    assert place.is_symlink() or not place.is_dir() or not any(place.iterdir())


def test_a_place_below_a_file_is_an_error(synapse: "Synapse", home: Path) -> None:
    """It names the file, and is no bug of ours."""
    (home / "file").touch()

    outcome = synapse(*EXPORT[:-1], "file/out")

    assert outcome.code == 1
    assert f"Cannot write '{home / 'file'}" in outcome.err
    assert (home / "file").is_file()


# Where it goes


@pytest.mark.parametrize("out", ["new/er/out", "../beside", "한국어 (1)", "--out=-rf", "~/out"])
def test_the_folder_is_what_was_named(synapse: "Synapse", home: Path, out: str) -> None:
    """Relative to the current folder, or to the home folder."""
    args = ("--out", out) if not out.startswith("--out") else (out,)

    outcome = synapse(*EXPORT[:-2], *args)

    assert outcome.code == 0, outcome.err
    place = Path(out.removeprefix("--out=")).expanduser()
    assert files(home / place) == ALL


def test_a_storage_that_the_backend_knows_is_used_with_its_credentials(
    synapse: "Synapse", moto: "S3Server", monkeypatch: pytest.MonkeyPatch
) -> None:
    """For a URL below its own, percent-encoded or not, and for its root."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    bucket = moto.make_bucket()
    url = f"s3://{bucket}/ex?endpoint={moto.endpoint}&region=us-east-1"
    with open_backend() as backend:
        backend.storages.create("bucket", url, credentials=LOGIN)

    for out in (f"s3://{bucket}/ex/one", f"s3://{bucket}/ex/deep%20er/a%20b", f"s3://{bucket}/ex/deep er/c d/"):
        outcome = synapse(*EXPORT[:-1], out)
        assert outcome.code == 0, outcome.err

    with open_storage(url, credentials=LOGIN) as storage:
        found = {info.key for info in storage.list()}
    assert found == {f"{place}/{path}" for place in ("one", "deep er/a b", "deep er/c d") for path in ALL}
    again = synapse(*EXPORT[:-1], f"s3://{bucket}/ex/one")
    assert (again.code, "already" in again.err) == (1, True)


# The same command again


@pytest.mark.parametrize("at", ["export.converted", "export.saved", "export.published"])
def test_the_same_command_goes_on_after_a_crash(synapse: "Synapse", home: Path, at: str) -> None:
    """One export, under its name, and nothing else."""
    die(at, *EXPORT)
    interrupted = last_run(synapse)

    outcome = synapse(*EXPORT)

    assert (outcome.code, "Going on with run" in outcome.err) == (0, True), outcome.err
    assert last_run(synapse)["id"] == interrupted["id"]
    assert files(home / "out") == ALL
    assert not [path for path in home.iterdir() if path.name.endswith(".partial")]


def test_another_command_is_another_export(synapse: "Synapse", home: Path) -> None:
    """And leaves the interrupted one alone; how it is tuned makes no difference."""
    die("export.saved", *EXPORT)
    interrupted = last_run(synapse)["id"]

    other = synapse(*EXPORT[:-1], "./other")
    tuned = synapse(*EXPORT, "--concurrency", "3", "--on-error", "stop")

    assert (other.code, tuned.code) == (0, 0)
    assert f"Going on with run {interrupted}" in tuned.err
    assert files(home / "out") == files(home / "other") == ALL


def test_the_manifest_says_what_was_asked_for(synapse: "Synapse", home: Path) -> None:
    """Target, filter, and the run."""
    synapse(*EXPORT, "--filter", "has_data=true")

    manifest = json.loads((home / "out" / "manifest.json").read_text())
    assert (manifest["name"], manifest["target"], manifest["format"]) == ("out", "task", "dm")
    assert manifest["filter"]["has_data"] in {True, "true"}
    assert manifest["run"] == last_run(synapse)["id"]

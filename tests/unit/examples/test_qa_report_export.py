"""The example that changes the export action: its exporter, its steps, and how it ends."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from synapse_sdk.backend import FileSpecification, TaskFilter, open_backend
from synapse_sdk.errors import StepFailedError
from synapse_sdk.plugins import find_runs, resume_run, run_action, run_plugin
from synapse_sdk.plugins.actions.upload import DefaultUploadAction
from synapse_sdk.reporting import MemoryReporter
from synapse_sdk.reporting.events import Event, Logged, StepFinished
from synapse_sdk.types import JsonObject

EXAMPLES = Path(__file__).parents[3] / "examples"
PLUGIN = EXAMPLES / "qa_report_export"
ANNOTATED = ("camera.png", "coffee.png", "고양이.png")
PHOTOS = (*ANNOTATED, "china.jpg")
"""Photos of the examples."""
WHAT = {"name": "boxes", "storage": "./exports", "target": "task", "filter": {"project": "boxes", "has_data": True}}
"""What is exported, and where to."""
KILLED = 137
"""The exit code of a process that a failpoint has killed."""


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A project with real photos, and the annotations that come with them."""
    (tmp_path / ".synapse").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SYNAPSE_BACKEND", raising=False)
    Path("photos", "images").mkdir(parents=True)
    for photo in PHOTOS:
        shutil.copy(EXAMPLES / "photos" / photo, Path("photos", "images"))
    with open_backend() as backend:
        images = FileSpecification(name="images", is_primary=True)
        collection = backend.collections.create("photos", specifications=[images])
        run_action(DefaultUploadAction, {"data_collection": "photos", "path": "photos"}, journal=False)
        project = backend.projects.create("boxes", collection.id)
        backend.tasks.create(project.id, [unit.id for unit in backend.data_units.list(collection.id)])
    for photo in ANNOTATED:
        document = EXAMPLES / "annotations" / f"{Path(photo).stem}.json"
        annotate(photo, json.loads(document.read_text(encoding="utf-8")))


def annotate(photo: str, document: JsonObject) -> None:
    """Give the task of a photo its annotation data."""
    with open_backend() as backend:
        for task in backend.tasks.list(TaskFilter(project=backend.projects.get("boxes").id)):
            if backend.data_units.get(task.unit_id).key == Path(photo).stem:
                backend.tasks.set_data(task.id, document, task.version)


def box(label: str, width: float = 30, height: float = 20) -> JsonObject:
    """Return a document with one box."""
    return {"images": [{"bounding_box": [{"id": "b1", "classification": label, "data": [0, 0, width, height]}]}]}


def export(reporter: MemoryReporter | None = None, **params: Any) -> Any:  # noqa: ANN401  # parameters and result of a plugin
    """Run the example."""
    return run_plugin(str(PLUGIN), "export", {**WHAT, **params}, reporter=reporter, journal=False)


def exported(path: str) -> str:
    """Return a file of the export."""
    return Path("exports", "boxes", path).read_text(encoding="utf-8")


def test_the_report_is_part_of_the_export() -> None:
    """It has the boxes by class and the smallest ones, and is listed with its digest like everything else."""
    result = export(most_listed=2)

    assert (result.success, result.exported_count, result.skipped_count) == (True, 3, 0)
    assert "Items: 3, without a box: 0. Boxes: 9." in exported("qa_report.md")
    assert "| eye | 2 |" in exported("qa_report.md")
    assert exported("qa_report.md").endswith("| 고양이.png | nose | 48 | 37 |\n| 고양이.png | eye | 46 | 55 |\n")
    listed = {each["path"]: each["sha256"] for each in json.loads(exported("manifest.json"))["files"]}
    assert listed["qa_report.md"] == hashlib.sha256(exported("qa_report.md").encode()).hexdigest()


def test_what_is_exported_is_what_was_annotated() -> None:
    """Photos byte for byte, documents value for value, under the names that they had."""
    export()

    for photo in ANNOTATED:
        original, name = EXAMPLES / "photos" / photo, f"{Path(photo).stem}.json"
        assert Path("exports/boxes/origin_files", photo).read_bytes() == original.read_bytes()
        annotated = (EXAMPLES / "annotations" / name).read_text(encoding="utf-8")
        assert json.loads(exported(f"json/{name}")) == json.loads(annotated)


def test_small_boxes_are_left_out_and_items_without_any_are_skipped() -> None:
    """The report tells of them all the same."""
    result = export(min_side_px=60)

    labels = [each["classification"] for each in json.loads(exported("json/camera.json"))["images"][0]["bounding_box"]]
    assert labels == ["person", "camera", "tripod"]
    assert [len(image["bounding_box"]) for image in json.loads(exported("json/고양이.json"))["images"]] == [2]
    assert "Boxes: 9." in exported("qa_report.md")
    assert (result.exported_count, result.skipped_count) == (3, 0)

    annotate("camera.png", box("camera", 1, 1))
    assert export(name="again").skipped_count == 1


@pytest.mark.parametrize(
    ("classes", "complaint"),
    [
        (("cat", "eye"), "coffee.png: 'cup' is no class"),
        (("camera", "cat", "cup", "eye", "nose", "person", "spoon"), "camera.png: 'tripod' is no class"),
    ],
)
def test_a_label_that_is_no_class_fails_the_run(classes: tuple[str, ...], complaint: str) -> None:
    """Before anything is converted; nothing is left."""
    with pytest.raises(StepFailedError, match="Step 'check_labels' failed: Labels are wrong") as failed:
        export(classes=classes)

    assert complaint in str(failed.value)
    assert not Path("exports").exists()


def test_the_classes_of_the_project_are_those_that_count() -> None:
    """They are part of its configuration; a box has to have one of them."""
    with open_backend() as backend:
        project = backend.projects.get("boxes")
        backend.projects.configure(project.id, {"classes": ["dog"]})
    with pytest.raises(StepFailedError, match=r"camera\.png: 'person' is no class"):
        export()

    assert export(classes=["camera", "cat", "cup", "eye", "nose", "person", "spoon", "tripod"]).success


def test_a_box_needs_a_label() -> None:
    """Where there are no classes, too; and it has to be one."""
    annotate("camera.png", box(""))
    annotate("coffee.png", {"images": [{"bounding_box": ["cup"]}]})

    with pytest.raises(StepFailedError) as failed:
        export()

    assert "camera.png: a box without a label; coffee.png: A box cannot be understood: 'cup'" in str(failed.value)


def test_what_was_checked_is_what_is_exported() -> None:
    """Also when somebody changes a label between the two."""

    class Meddler(MemoryReporter):
        def observe(self, event: Event) -> None:
            super().observe(event)
            if isinstance(event, StepFinished) and event.step == "check_labels":
                annotate("camera.png", box("typo"))

    export(Meddler())

    assert "typo" not in exported("qa_report.md")
    assert "typo" not in exported("json/camera.json")


def test_a_run_that_was_killed_goes_on_with_what_was_checked() -> None:
    """Its process died when files were saved; somebody changed a label before it was resumed."""
    command = [sys.executable, "-m", "synapse_sdk.cli", "run", str(PLUGIN), "export", "--params", json.dumps(WHAT)]
    environ = os.environ | {"SYNAPSE_FAILPOINTS": "export.saved=kill@1"}
    killed = subprocess.run(command, env=environ, capture_output=True, check=False)
    nothing = Path("exports", "boxes").exists()
    annotate("camera.png", box("typo"))
    (run,) = find_runs(interrupted=True)

    result = resume_run(run.id)

    assert (killed.returncode, nothing) == (KILLED, False)
    assert (result.success, result.exported_count) == (True, 3)
    assert "typo" not in exported("qa_report.md")


def test_the_log_tells_when_all_is_saved() -> None:
    """With the figures."""
    reporter = MemoryReporter()

    export(reporter)

    (told,) = [each for each in reporter.events if isinstance(each, Logged) and each.event == "boxes_saved"]
    assert dict(told.data) == {"name": "boxes", "exported": 3, "failed": 0, "skipped": 0}


def test_items_without_data_fail_and_are_in_the_report() -> None:
    """By the names of their photos."""
    result = export(filter={"project": "boxes"})

    assert (result.exported_count, result.failed_count) == (3, 1)
    assert "## Items without a box\n\n- china.jpg\n" in exported("qa_report.md")

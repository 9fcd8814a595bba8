"""What the example promises about a whole run, on the real photos and through the engine."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from image_report.action import ImageReportAction
from image_report.context import ImageProcessingContext
from image_report.errors import FolderError
from image_report.folders import find_images
from image_report.result import ImageReportResult
from image_report.steps import DiscoverImagesStep, ResizeImagesStep
from PIL import Image
from pydantic import ValidationError

from synapse_sdk.errors import InvalidParamsError, StepFailedError
from synapse_sdk.plugins import RuntimeContext
from synapse_sdk.plugins.runner import run_action, run_plugin
from synapse_sdk.plugins.steps import BaseStep, StepRegistry, StepResult
from synapse_sdk.reporting import MemoryReporter

EXAMPLES = Path(__file__).parents[3] / "examples"
COPIED = 11
"""How many of the twelve sample photos are not broken."""


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Return a folder with copies of the sample photos."""
    return Path(shutil.copytree(EXAMPLES / "photos", tmp_path / "photos"))


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Return a folder that does not exist, in one that does not exist either."""
    return tmp_path / "results" / "out"


def run(input_dir: Path, output_dir: Path, **params: Any) -> ImageReportResult:  # noqa: ANN401  # params of any type
    """Run the action in this process, with copies that are 200 pixels wide."""
    folders = {"input_dir": input_dir, "output_dir": output_dir}
    result = run_action(ImageReportAction, {**folders, "resize_width": 200, **params})
    assert isinstance(result, ImageReportResult)
    return result


def everything_in(folder: Path) -> dict[str, str]:
    """Return the path and a digest of everything in a folder."""
    return {
        str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest() if path.is_file() else "not a file"
        for path in folder.rglob("*")
    }


def test_every_photo_is_accounted_for(photos: Path, out: Path) -> None:
    """All but the broken photo have a copy, which has one line each in both reports."""
    result = run(photos, out)

    names = {path.name for path in photos.iterdir()} - {"README.md"}
    assert (result.discovered, result.processed, result.failed) == (len(names), COPIED, 1)
    assert [failure.file for failure in result.failures] == ["clock.jpg"]
    assert "truncated" in result.failures[0].reason
    assert {path.name for path in out.iterdir()} == names - {"clock.jpg"} | {"report.json", "report.md"}
    report = json.loads((out / "report.json").read_bytes())
    assert {image["file"] for image in report["images"]} == names
    assert report["bytes_saved"] == result.bytes_saved > 0
    lines = Path(result.report_path).read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.startswith("| clock.jpg |") and "| failed: image file is truncated" in line]
    assert len([line for line in lines if line.startswith("|")]) == len(names) + 2


def test_the_copies_look_right(photos: Path, out: Path) -> None:
    """Upright, transparent, in colours for screens, and no wider than asked."""
    run(photos, out, resize_width=400)

    expected = {
        "raccoon.JPG": ("RGB", (400, 300), "EXIF rotated"),
        "rocket.jpg": ("RGB", (400, 267), "EXIF rotated"),
        "flower.jpg": ("RGB", (400, 267), "CMYK converted"),
        "coffee.png": ("RGBA", (380, 360), "kept as it is"),
        "camera.png": ("L", (400, 400), ""),
        "고양이.png": ("RGB", (400, 266), ""),
        "grace hopper 1984.jpg": ("RGB", (400, 469), ""),
    }
    report = json.loads((out / "report.json").read_bytes())
    notes = {image["file"]: ", ".join(image["notes"]) for image in report["images"]}
    for name, (mode, size, note) in expected.items():
        with Image.open(out / name) as image:
            assert (image.mode, image.size, notes[name]) == (mode, size, note)


def test_progress_reaches_the_end_and_failures_are_logged(photos: Path, out: Path) -> None:
    """Whoever watches sees each image count, and each failure at once."""
    reporter = MemoryReporter()

    run_action(ImageReportAction, {"input_dir": photos, "output_dir": out}, reporter=reporter)

    assert reporter.percents == sorted(reporter.percents)
    assert reporter.percents[-1] == 100
    assert reporter.progress["resize_images"] == (COPIED + 1, COPIED + 1)
    assert reporter.metrics["resize_images"]["failed"] == 1
    assert [data["path"] for event, data in reporter.logs if event == "resize_failed"] == [str(photos / "clock.jpg")]


@pytest.mark.parametrize("mode", ["local", "process"])
def test_the_folder_is_a_plugin(photos: Path, out: Path, mode: str) -> None:
    """`config.yaml` leads to the action, in this process and in one of its own."""
    params = {"input_dir": str(photos), "output_dir": str(out), "resize_width": 100}

    result = run_plugin(EXAMPLES / "image_report", "image_report", params, mode=mode)

    assert (result.discovered, result.processed, result.failed) == (COPIED + 1, COPIED, 1)


class FailingStep(BaseStep[ImageProcessingContext]):
    """Fails after having looked at what is there."""

    name = "fail"
    progress_weight = 0.1

    def __init__(self, look: Callable[[Path], None]) -> None:
        self._look = look

    def execute(self, context: ImageProcessingContext) -> StepResult:
        """Look and fail."""
        self._look(Path(context.output_dir))
        return StepResult(success=False, error="on purpose")


def run_with_failure_after(step: str, look: Callable[[Path], None], input_dir: Path, output_dir: Path) -> None:
    """Run the action with a failing step inserted, which must end the run."""

    class Failing(ImageReportAction):
        def setup_steps(self, registry: StepRegistry[ImageProcessingContext]) -> None:
            super().setup_steps(registry)
            registry.insert_after(step, FailingStep(look))

    with pytest.raises(StepFailedError, match="'fail' failed: on purpose") as caught:
        run_action(Failing, {"input_dir": input_dir, "output_dir": output_dir, "resize_width": 100})
    assert caught.value.rollback_errors == ()


@pytest.mark.parametrize(("step", "files"), [("resize_images", COPIED), ("generate_report", COPIED + 2)])
def test_a_later_failure_takes_every_output_back(
    tmp_path: Path, photos: Path, out: Path, step: str, files: int
) -> None:
    """The outputs were there, and then everything is as it was before, folders included."""
    before = everything_in(tmp_path)
    seen: list[int] = []

    run_with_failure_after(step, lambda folder: seen.append(len(everything_in(folder))), photos, out)

    assert seen == [files]
    assert everything_in(tmp_path) == before


def test_rollback_touches_nothing_else(tmp_path: Path, photos: Path, out: Path) -> None:
    """Files that were in the output folder, and one that appears during the run, survive."""
    out.mkdir(parents=True)
    (out / "notes.txt").write_text("theirs")
    (out / "china.jpg").write_bytes(b"theirs, under the name of a copy")
    before = everything_in(tmp_path)

    run_with_failure_after("generate_report", lambda folder: (folder / "late.txt").touch(), photos, out)

    (out / "late.txt").unlink()
    assert everything_in(tmp_path) == before


def test_a_file_that_is_there_is_not_overwritten(photos: Path, out: Path) -> None:
    """The photo of that name fails with a reason, and the others are resized."""
    out.mkdir(parents=True)
    (out / "china.jpg").write_bytes(b"theirs")

    result = run(photos, out)

    assert (out / "china.jpg").read_bytes() == b"theirs"
    reasons = {failure.file: failure.reason for failure in result.failures}
    assert reasons["china.jpg"] == "the output folder already has a file of this name"
    assert (result.processed, result.failed) == (COPIED - 1, 2)


def test_a_second_run_refuses_the_folder_of_the_first(photos: Path, out: Path) -> None:
    """It says so before it does anything, and leaves the first run's files alone."""
    run(photos, out)
    before = everything_in(out)

    with pytest.raises(StepFailedError, match=r"already has a 'report\.json'.*Set output_dir to a new folder"):
        run(photos, out)

    assert everything_in(out) == before


def test_an_output_folder_inside_the_input_folder_is_not_looked_into(photos: Path) -> None:
    """A second run finds the photos, and not the copies of the first."""
    first = run(photos, photos / "small")

    second = run(photos, photos / "smaller", resize_width=50)

    assert second.discovered == first.discovered


def test_if_all_images_fail_the_run_fails(tmp_path: Path, out: Path) -> None:
    """The error gives the first reasons, and nothing is left."""
    (tmp_path / "in").mkdir()
    for number in range(7):
        (tmp_path / "in" / f"{number}.png").write_bytes(b"not an image")

    with pytest.raises(StepFailedError, match=r"None of the 7 images could be resized: 0\.png: not a.*; and 2 more$"):
        run(tmp_path / "in", out)

    assert not out.parent.exists()


def test_a_step_that_is_tried_again_begins_afresh(photos: Path, out: Path) -> None:
    """Copies of a try that was cut short are not mistaken for somebody else's."""
    context = ImageProcessingContext(RuntimeContext(), input_dir=str(photos), output_dir=str(out))
    DiscoverImagesStep().execute(context)
    step = ResizeImagesStep()

    first, second = step.execute(context), step.execute(context)
    step.rollback(context, StepResult(rollback_data={"undo_log": context.undo_log}))

    assert second.data == first.data
    assert context.errors == []
    assert not out.parent.exists()


def test_names_and_files_of_any_kind_are_dealt_with(tmp_path: Path, out: Path) -> None:
    """Names that are markup or no text, links to nowhere, and folders called like an image."""
    folder = tmp_path / "in"
    (folder / "folder.jpg").mkdir(parents=True)
    os.mkfifo(folder / "pipe.png")
    (folder / "dangling.jpg").symlink_to("nowhere")
    Image.new("RGB", (300, 300)).save(folder / "a|b\n<i>*.png")
    shutil.copy(folder / "a|b\n<i>*.png", folder / os.fsdecode(b"\xff.PNG"))

    result = run(folder, out)

    assert [(failure.file, failure.reason) for failure in result.failures] == [
        ("\\udcff.PNG", "its name is not valid UTF-8; rename it"),
        ("dangling.jpg", "No such file or directory"),
    ]
    assert result.processed == 1
    table = (out / "report.md").read_text(encoding="utf-8").split("\n\n")[-1].splitlines()
    assert [line.split(" | ")[0] for line in table[2:]] == [r"| \\udcff.PNG", r"| a\|b \<i>\*.png", "| dangling.jpg"]


def test_the_input_folder_must_be_one_with_images(tmp_path: Path, out: Path) -> None:
    """Each mistake has its own message, which names the path and the way out."""
    (tmp_path / "file.jpg").touch()
    (tmp_path / "empty").mkdir()
    (tmp_path / "loop").symlink_to("loop")

    for name, message in {
        "missing": r"The input folder '.*missing' does not exist\. Looked for /.*missing\. Set input_dir to the folder",
        "file.jpg": r"The input folder '.*file\.jpg' is a file\. Set input_dir to its folder",
        "loop": r"The input folder '.*loop' cannot be read\. Too many levels of symbolic links\. Check",
        "empty": r"No images found in .*empty\. Set input_dir to a folder with \.jpg, \.jpeg, \.png files",
    }.items():
        with pytest.raises(StepFailedError, match=f"'discover_images' failed: {message}"):
            run(tmp_path / name, out)

    assert not out.parent.exists()


def test_an_unreadable_input_folder_is_named(tmp_path: Path) -> None:
    """The error says that permissions are the reason."""
    locked = tmp_path / "locked"
    locked.mkdir(mode=0)

    message = r"locked' cannot be read\. Permission denied\. Check its permissions"
    with somebody_but_root(), pytest.raises(FolderError, match=message):
        find_images(locked)


@contextmanager
def somebody_but_root() -> Iterator[None]:
    """Give up the rights of root for a while, if they are there: root may read everything."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


def test_the_output_folder_must_be_one_that_can_take_copies(tmp_path: Path, photos: Path) -> None:
    """A file, a path through a file, a dangling link and the input folder are refused; nothing changes."""
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("nowhere")
    before = everything_in(tmp_path)

    for path, message in {
        tmp_path / "file": "is not a folder. Set output_dir to a new folder",
        tmp_path / "link": "is not a folder. Set output_dir to a new folder",
        tmp_path / "file" / "out": "Cannot write .*Not a directory. Set output_dir to a folder you may write to",
        photos: "is the input folder. Photos are never overwritten",
        tmp_path / "photos" / ".." / "photos": "is the input folder. Photos are never overwritten",
    }.items():
        with pytest.raises(StepFailedError, match=message):
            run(photos, path)

    assert everything_in(tmp_path) == before


def test_a_full_disk_ends_the_run_and_leaves_nothing(
    tmp_path: Path, photos: Path, out: Path, disk_full: Callable[[], AbstractContextManager[None]]
) -> None:
    """When one copy cannot be written no other can; the copies written before are taken back."""
    before = everything_in(tmp_path)

    full = r"Cannot write '.*camera\.png'\. File too large\. Free some space"
    with disk_full(), pytest.raises(StepFailedError, match=full) as caught:
        run(photos, out, resize_width=300)

    assert caught.value.rollback_errors == ()
    assert everything_in(tmp_path) == before


def test_params_that_do_not_fit_are_listed_at_once(photos: Path) -> None:
    """Each with its name; a blank folder does not mean the current one."""
    params = {"input_dir": photos, "output_dir": " ", "resize_width": 0, "quality": 96, "widht": 3}

    with pytest.raises(InvalidParamsError) as caught:
        run_action(ImageReportAction, params)

    assert [problem.split(":")[0] for problem in caught.value.problems] == [
        "output_dir",
        "resize_width",
        "quality",
        "widht",
    ]


def test_a_leading_tilde_is_the_home_folder(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--set output_dir=~/out` works where the shell does not expand it."""
    monkeypatch.setenv("HOME", str(tmp_path))

    assert run(photos, Path("~/out")).output_dir == str(tmp_path / "out")


def test_a_result_that_loses_an_image_is_refused() -> None:
    """The figures must add up."""
    figures = {"discovered": 3, "processed": 1, "failed": 1, "bytes_saved": 0, "output_dir": "out", "report_path": ""}

    with pytest.raises(ValidationError, match="3 images discovered, but 1 processed and 1 failed"):
        ImageReportResult.model_validate({**figures, "failures": [{"file": "a.jpg", "reason": "broken"}]})

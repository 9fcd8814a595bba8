"""`synapse demo`: every claim is checked, and one that does not hold is not made."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

import synapse_sdk
from synapse_sdk.cli import demo_folder
from synapse_sdk.cli.demo_folder import find_examples, make_folder, seal_folder, snapshot
from synapse_sdk.cli.errors import CommandLineError

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Synapse

SOUND_PHOTOS = 8
"""More than the demo lets the job copy before it kills it."""


@pytest.fixture
def examples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Examples that a test may spoil: a few different photos, one of them broken, annotations, and the plugin."""
    folder = tmp_path / "examples"
    shutil.copytree(find_examples() / "image_report", folder / "image_report")
    shutil.copytree(find_examples() / "annotations", folder / "annotations")
    (folder / "photos").mkdir()
    for name in ("camera.png", "clock.jpg"):
        shutil.copy(find_examples() / "photos" / name, folder / "photos" / name)
    with Image.open(folder / "photos" / "camera.png") as camera:
        for number in range(1, SOUND_PHOTOS):
            camera.crop((0, 0, camera.width - number, camera.height)).save(folder / "photos" / f"camera {number}.png")
    monkeypatch.setattr(demo_folder, "find_examples", lambda: folder)
    return folder


@pytest.mark.usefixtures("examples")
def test_the_demo_tells_its_story_and_leaves_nothing_behind(synapse: "Synapse", home: Path) -> None:
    """It practises what it preaches."""
    outcome = synapse("demo")

    assert outcome.code == 0
    assert outcome.out.index("Act 1") < outcome.out.index("Act 2") < outcome.out.index("What to try next")
    assert f"ok  {SOUND_PHOTOS + 1} photos found = {SOUND_PHOTOS} resized + 1 failed" in outcome.out
    assert f"ok  copies in again/ when the job failed: {SOUND_PHOTOS}; now: none" in outcome.out
    assert f"ok  6 copies from before the kill are untouched, {SOUND_PHOTOS - 6 + 2} files are new" in outcome.out
    assert "ok  your shopping-list.txt is still there, byte for byte" in outcome.out
    assert "ok  exported photos: 1, each what was uploaded, byte for byte" in outcome.out
    assert "ok  both say the same, within half a pixel" in outcome.out
    assert max(len(line) for line in outcome.out.splitlines()) <= 80
    assert list(home.iterdir()) == []


@pytest.mark.usefixtures("examples")
def test_whose_shell_does_not_find_the_command_is_told_how(synapse: "Synapse", monkeypatch: pytest.MonkeyPatch) -> None:
    """After `make demo` the command is in an environment that no shell knows yet."""
    monkeypatch.setattr("sys.prefix", str(Path.cwd() / "env"))
    Path("env/bin").mkdir(parents=True)
    Path("env/bin/activate").touch()
    monkeypatch.setenv("PATH", "")

    outcome = synapse("demo")

    assert "What to try next\n----------------\n  . env/bin/activate\n" in outcome.out


@pytest.mark.usefixtures("examples")
def test_what_is_kept_can_be_looked_at_and_is_replaced_by_the_next_demo(synapse: "Synapse", home: Path) -> None:
    """As long as nobody has worked in it."""
    assert synapse("demo", "--keep").code == 0
    assert (home / "synapse-demo" / "small" / "camera.png").is_file()

    assert synapse("demo", "--keep").code == 0
    (home / "synapse-demo" / "small" / "note.txt").touch()
    refused = synapse("demo")

    assert refused.code == 2
    assert "the demo never deletes your work" in refused.err
    assert (home / "synapse-demo" / "small" / "note.txt").exists()


@pytest.mark.parametrize("is_file", [True, False])
@pytest.mark.usefixtures("examples")
def test_a_folder_of_somebody_else_is_left_alone(is_file: bool, home: Path) -> None:  # noqa: FBT001  # a parameter of the test
    """Even an empty one."""
    folder = home / "synapse-demo"
    folder.touch() if is_file else folder.mkdir()

    with pytest.raises(CommandLineError, match="exists already"):
        make_folder(folder)


def test_a_rollback_that_leaves_something_is_told_as_it_is(synapse: "Synapse", examples: Path, home: Path) -> None:
    """Exit code 1, no claim, and the evidence is kept."""
    step = examples / "image_report" / "image_report" / "steps" / "resize_images.py"
    code = step.read_text(encoding="utf-8")
    step.write_text(code.replace("context.errors += take_back", "list"), encoding="utf-8")

    outcome = synapse("demo")

    assert outcome.code == 1
    assert "This does not hold: the copies are gone again" in outcome.out
    assert "now: none" not in outcome.out
    assert "What to try next" not in outcome.out
    assert (home / "synapse-demo" / "again" / "camera.png").exists()


def test_a_job_that_fails_in_the_first_act_is_told_as_it_is(synapse: "Synapse", examples: Path) -> None:
    """The demo does not go on to boast."""
    shutil.rmtree(examples / "photos")
    (examples / "photos").mkdir()
    (examples / "photos" / "notes.txt").touch()

    outcome = synapse("demo")

    assert outcome.code == 1
    assert "This does not hold: the job succeeds (its exit code is 1)" in outcome.out
    assert "Act 2" not in outcome.out


def test_a_copy_without_examples_says_so(synapse: "Synapse", monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Instead of failing somewhere inside."""
    monkeypatch.setattr(synapse_sdk, "__file__", str(tmp_path / "site" / "synapse_sdk" / "__init__.py"))

    outcome = synapse("demo")

    assert outcome.code == 2
    assert "comes without its examples" in outcome.err


def test_a_seal_notices_every_change(home: Path) -> None:
    """Files added, removed and edited."""
    folder = home / "synapse-demo"
    folder.mkdir()
    (folder / "a").write_text("1", encoding="utf-8")
    seal_folder(folder)

    assert demo_folder.is_sealed(folder)
    (folder / "a").write_text("2", encoding="utf-8")
    assert not demo_folder.is_sealed(folder)
    (folder / "a").unlink()
    assert not demo_folder.is_sealed(folder)
    assert list(snapshot(folder)) == [".made-by-synapse-demo.json"]

import os
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from PIL import Image

from synapse_sdk.formats.base import ExifPolicy
from synapse_sdk.formats.images import Images, ImageSizes, images_below, is_safe_name
from synapse_sdk.formats.images import sizes as sizes_module
from synapse_sdk.formats.images.headers import ImageFacts, read_facts
from synapse_sdk.formats.losses import LossLog, Outcome
from synapse_sdk.formats.model import Annotation, Box, Item, Verbatim
from synapse_sdk.formats.name_lists import NameList
from tests.faults.privileges import obeying_permissions


def save(path: Path, size: tuple[int, int] = (64, 48), orientation: int = 1) -> Path:
    """Write an image."""
    path.parent.mkdir(parents=True, exist_ok=True)
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.new("RGB", size).save(path, "JPEG", exif=exif)
    return path


def item(path: Path | str, width: int = 0, height: int = 0) -> Item:
    """Return an item with two annotations."""
    annotations = [Annotation(id=each, label="car", box=Box(1, 2, 3, 4)) for each in "12"]
    return Item(name="a.jpg", path=str(path), width=width, height=height, annotations=annotations)


def test_an_item_gets_the_size_of_its_image(tmp_path: Path) -> None:
    """And nothing is said about it."""
    losses, one = LossLog(), item(save(tmp_path / "a.jpg"))

    assert ImageSizes().measure(one, ExifPolicy.APPLY, losses)
    assert (one.width, one.height) == (64, 48)
    assert not losses.reasons


@pytest.mark.parametrize(
    ("orientation", "policy", "expected"),
    [
        (1, ExifPolicy.APPLY, (64, 48)),
        (3, ExifPolicy.APPLY, (64, 48)),
        (4, ExifPolicy.APPLY, (64, 48)),
        (5, ExifPolicy.APPLY, (48, 64)),
        (6, ExifPolicy.APPLY, (48, 64)),
        (7, ExifPolicy.APPLY, (48, 64)),
        (8, ExifPolicy.APPLY, (48, 64)),
        (6, ExifPolicy.IGNORE, (64, 48)),
    ],
)
def test_images_are_as_large_as_they_are_shown(
    tmp_path: Path, orientation: int, policy: ExifPolicy, expected: tuple[int, int]
) -> None:
    """Y6: the log names those that are shown turned."""
    losses, one = LossLog(), item(save(tmp_path / "a.jpg", orientation=orientation))

    assert ImageSizes().measure(one, policy, losses)
    assert (one.width, one.height) == expected
    said = [(outcome, reason.code) for outcome, reason in losses.reasons]
    assert said == ([(Outcome.NOTED, "TURNED")] if orientation != 1 and policy is ExifPolicy.APPLY else [])


def test_the_size_that_the_source_says_wins(tmp_path: Path) -> None:
    """Y6: also if the image is of another, or not there."""
    one = item(tmp_path / "none.jpg", 100, 50)

    assert ImageSizes().measure(one, ExifPolicy.APPLY, LossLog())
    assert (one.width, one.height) == (100, 50)


@pytest.mark.parametrize(
    ("path", "code"),
    [("", "MISSING_IMAGE"), ("gone.jpg", "MISSING_IMAGE"), ("text.jpg", "UNREADABLE_IMAGE"), (".", "UNREADABLE_IMAGE")],
)
def test_an_item_without_readable_image_has_no_size(tmp_path: Path, path: str, code: str) -> None:
    """The log says why; the item's annotations are dropped with it."""
    (tmp_path / "text.jpg").write_text("no image")
    losses = LossLog()

    assert not ImageSizes().measure(item(path and tmp_path / path), ExifPolicy.APPLY, losses)
    assert [(outcome, reason.code) for outcome, reason in losses.reasons] == [(Outcome.DROPPED, code)]
    assert losses.annotations[Outcome.DROPPED] == 2


@pytest.mark.parametrize("is_there", [True, False])
def test_what_is_no_image_has_no_size(tmp_path: Path, *, is_there: bool) -> None:
    """L10: a video is not an image that is damaged or missing, and nothing need be mended."""
    (tmp_path / "a.mp4").write_text("film")
    span = Verbatim("segmentation", "video_1", {"startFrame": 3, "endFrame": 40})
    video = Item(name="a.mp4", annotations=[Annotation(id="1", label="run", shape=span)])
    video.path = str(tmp_path / "a.mp4") if is_there else ""
    losses = LossLog()

    assert not ImageSizes().measure(video, ExifPolicy.APPLY, losses)
    assert not ImageSizes().measure(video, ExifPolicy.APPLY, losses, of_others=Outcome.NOTED)

    assert {(str(outcome), reason.code): count for (outcome, reason), count in losses.reasons.items()} == {
        ("dropped", "NO_IMAGE"): 1,
        ("noted", "NO_IMAGE"): 1,
    }


def test_a_pipe_is_no_image(tmp_path: Path) -> None:
    """Opening one would wait for somebody to write into it."""
    os.mkfifo(tmp_path / "a.jpg")
    losses = LossLog()

    assert not ImageSizes().measure(item(tmp_path / "a.jpg"), ExifPolicy.APPLY, losses)
    ((_, reason),) = losses.reasons
    assert reason.code == "UNREADABLE_IMAGE"


def test_links_are_measured_once(tmp_path: Path) -> None:
    """Hard links and symbolic ones to a file are that file, whatever became of its name."""
    save(tmp_path / "a.jpg")
    (tmp_path / "b.jpg").hardlink_to(tmp_path / "a.jpg")
    (tmp_path / "c.jpg").symlink_to("a.jpg")
    sizes = ImageSizes()

    facts = [sizes.facts(str(tmp_path / name)) for name in ("a.jpg", "b.jpg", "c.jpg")]

    assert facts[0] is facts[1] is facts[2]


def test_an_image_that_changes_is_measured_again(tmp_path: Path) -> None:
    """Its name is not what it is known by."""
    sizes, path = ImageSizes(), save(tmp_path / "a.jpg")
    before = sizes.facts(str(path))
    save(path, (7, 9))

    after = sizes.facts(str(path))

    assert (before.width, after.width) == (64, 7)


def test_images_are_measured_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Datasets have many items of one image, such as tiles, and it may be there under several names."""
    read: list[str] = []

    def read_and_count(path: str) -> ImageFacts:
        read.append(path)
        return read_facts(path)

    monkeypatch.setattr(sizes_module, "read_facts", read_and_count)
    sizes, path = ImageSizes(), str(save(tmp_path / "a.jpg"))
    (tmp_path / "b.jpg").hardlink_to(path)

    for _ in range(10):
        sizes.facts(path)
        sizes.facts(str(tmp_path / "b.jpg"))

    assert read == [path]


def test_all_images_of_a_folder_are_found_in_order(tmp_path: Path) -> None:
    """D8: with a suffix in any case, in folders within it, by names of all scripts."""
    decomposed = unicodedata.normalize("NFD", "한국.png")
    names = ["B.JPG", "a b.jpeg", "a.b.c.webp", "camA/x.jpg", "camA/y.tiff", "camB/x.jpg", "z.TIF", decomposed]
    others = [".hidden.jpg", ".cache/x.jpg", "notes.txt", "jpg", "camA/x.txt", "x.jpg.bak"]
    for name in names + others:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()

    found = images_below(tmp_path).found

    assert [*found] == sorted(names)


def test_links_to_images_are_images(tmp_path: Path) -> None:
    """Links to folders are not followed, which may lead in circles, and links to nothing are none: it is said."""
    save(tmp_path / "elsewhere" / "a.jpg")
    folder = tmp_path / "images"
    folder.mkdir()
    (folder / "b.jpg").symlink_to("../elsewhere/a.jpg")
    (folder / "c.jpg").symlink_to("nowhere.jpg")
    (folder / "d.jpg").symlink_to("d.jpg")
    (folder / "again").symlink_to(".")
    (folder / "folder.jpg").mkdir()
    os.mkfifo(folder / "pipe.jpg")

    images = images_below(folder)

    assert [*images.found] == ["b.jpg"]
    assert {each.name: (each.reason.code, each.words) for each in images.passed_over} == {
        "again": ("SYMLINK", "it leads to a folder"),
        "c.jpg": ("SYMLINK", "it cannot be followed: No such file or directory"),
        "d.jpg": ("SYMLINK", "it cannot be followed: Too many levels of symbolic links"),
        "pipe.jpg": ("UNREADABLE_IMAGE", "it is no file"),
    }


def test_links_to_other_files_are_no_images_and_no_loss(tmp_path: Path) -> None:
    """Labels beside images may be links, too."""
    (tmp_path / "a.txt").touch()
    (tmp_path / "b.txt").symlink_to("a.txt")

    assert images_below(tmp_path) == Images(NameList(), [])


CHILD = """
import sys
from pathlib import Path
from synapse_sdk.formats.images import images_below

found = images_below(Path(sys.argv[1]))
print([*found.found], [(each.name, each.reason.code, each.words) for each in found.passed_over])
images_below(Path(sys.argv[1], "locked"))
"""


def test_a_folder_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    """What is beside it is read; only the topmost folder has to be readable."""
    for name in ("a.jpg", "locked/b.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "locked").chmod(0)

    command = [*obeying_permissions(), sys.executable, "-c", CHILD, str(tmp_path)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    (tmp_path / "locked").chmod(0o700)

    assert done.stdout == "['a.jpg'] [('locked', 'UNREADABLE_FOLDER', 'Permission denied')]\n"
    assert done.stderr.splitlines()[-1].startswith("PermissionError")


def test_folders_may_be_nested_deeper_than_python_recurses(tmp_path: Path) -> None:
    """Whoever packed them."""
    depth = sys.getrecursionlimit() + 100
    folders = [f"{tmp_path}/{'d/' * number}" for number in range(1, depth + 1)]
    for folder in folders:
        os.mkdir(folder)  # noqa: PTH102  # a Path of such a depth is slow
    Path(folders[-1], "a.jpg").touch()

    try:
        assert [*images_below(tmp_path).found] == ["d/" * depth + "a.jpg"]
    finally:
        os.unlink(f"{folders[-1]}a.jpg")  # noqa: PTH108  # as above
        for folder in reversed(folders):
            os.rmdir(folder)  # noqa: PTH106  # as above; and nothing that recurses can remove them


@pytest.mark.parametrize(
    "name",
    [
        "a.jpg",
        "camA/x.jpg",
        "a..b.jpg",
        "..a.jpg",
        "a b/ c .jpg",
        "한국.jpg",
        unicodedata.normalize("NFD", "é.jpg"),
        "x" * 255,
    ],
)
def test_names_of_files_are_safe(name: str) -> None:
    """C8: odd ones are, too."""
    assert is_safe_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/",
        "/etc/passwd",
        "a/",
        "a//b.jpg",
        "./a.jpg",
        "../a.jpg",
        "a/../b.jpg",
        "..",
        "a\0b.jpg",
        "..\\a.jpg",
        "C:\\a.jpg",
        "x" * 256,
        "한" * 86,
        "a/" + "x" * 300 + "/b.jpg",
        os.fsdecode(b"caf\xe9.jpg"),
        "a\ud800.jpg",
    ],
)
def test_names_that_lead_out_or_cannot_be_are_not_safe(name: str) -> None:
    """C14: nor are those that no file can have, or no document can name."""
    assert not is_safe_name(name)

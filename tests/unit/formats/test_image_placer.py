import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from synapse_sdk.errors import ConfigurationError, InvalidDatasetError
from synapse_sdk.formats.base import ImageTransfer
from synapse_sdk.formats.images import ImagePlacer
from synapse_sdk.formats.losses import LossLog, Outcome
from synapse_sdk.formats.model import Item

TRANSFERS = [ImageTransfer.COPY, ImageTransfer.HARDLINK, ImageTransfer.SYMLINK]
DATA = bytes(range(256)) * 10_000
"""More than is copied at a time."""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """An image; nobody looks into it."""
    path = tmp_path / "source" / "wren.jpg"
    path.parent.mkdir()
    path.write_bytes(DATA)
    return path


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """Where images go."""
    path = tmp_path / "target"
    path.mkdir()
    return path


@pytest.fixture
def other_device(target: Path) -> Iterator[Path]:
    """A folder on another device."""
    shared = Path("/dev/shm")  # noqa: S108  # the only other device that Linux is sure to have
    if not shared.is_dir() or shared.stat().st_dev == target.stat().st_dev:
        pytest.skip("there is no other device")
    path = shared / f"images-{os.getpid()}"
    path.mkdir()
    yield path
    shutil.rmtree(path)


def item(path: Path | str, name: str = "wren.jpg") -> Item:
    """Return an item."""
    return Item(name=name, path=str(path))


@pytest.mark.parametrize("transfer", TRANSFERS)
@pytest.mark.parametrize("name", ["wren.jpg", "camA/1/wren.jpg", "한국 é/a b.c.jpg", "x" * 251 + ".jpg"])
def test_images_come_to_their_place(source: Path, target: Path, transfer: ImageTransfer, name: str) -> None:
    """Not one byte of them is another, and the source stays."""
    losses = LossLog()

    assert ImagePlacer(target, transfer, losses).place(item(source), name)

    assert (target / name).read_bytes() == DATA
    assert source.read_bytes() == DATA
    assert not losses.reasons


def test_copies_are_files_of_their_own(source: Path, target: Path) -> None:
    """What is done to the source later does not reach them."""
    ImagePlacer(target, ImageTransfer.COPY, LossLog()).place(item(source), "a.jpg")
    with source.open("r+b") as file:
        file.write(b"changed")

    assert (target / "a.jpg").read_bytes() == DATA
    assert not (target / "a.jpg").is_symlink()


def test_hard_links_are_the_file_itself(source: Path, target: Path) -> None:
    """Behind symbolic links as well, which would break when their dataset goes."""
    (source.parent / "link.jpg").symlink_to("wren.jpg")
    placer = ImagePlacer(target, ImageTransfer.HARDLINK, LossLog())

    placer.place(item(source), "a.jpg")
    placer.place(item(source.parent / "link.jpg"), "b.jpg")

    assert source.stat().st_nlink == 3
    assert not (target / "b.jpg").is_symlink()


def test_symbolic_links_lead_to_the_file_from_anywhere(
    source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are absolute, since targets are moved when they are whole, and lead to the file, not to another link."""
    (source.parent / "link.jpg").symlink_to("wren.jpg")
    monkeypatch.chdir(source.parent)

    ImagePlacer(target, ImageTransfer.SYMLINK, LossLog()).place(item("link.jpg"), "a.jpg")

    assert (target / "a.jpg").readlink() == source.resolve()


def test_no_image_need_come(target: Path) -> None:
    """Also if there is none."""
    losses = LossLog()

    assert ImagePlacer(target, ImageTransfer.NONE, losses).place(item("nowhere.jpg"), "a/b.jpg")
    assert not [*target.iterdir()]
    assert not losses.reasons


@pytest.mark.parametrize("transfer", TRANSFERS)
@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("", "MISSING_IMAGE"),
        ("gone.jpg", "MISSING_IMAGE"),
        ("broken.jpg", "MISSING_IMAGE"),
        ("folder", "UNREADABLE_IMAGE"),
        ("pipe.jpg", "UNREADABLE_IMAGE"),
        ("circle.jpg", "UNREADABLE_IMAGE"),
    ],
)
def test_an_image_that_cannot_be_read_is_reported(
    source: Path, target: Path, transfer: ImageTransfer, path: str, code: str
) -> None:
    """The item stays, without it, and nothing is left behind."""
    folder = source.parent
    (folder / "folder").mkdir()
    os.mkfifo(folder / "pipe.jpg")
    (folder / "broken.jpg").symlink_to("nowhere.jpg")
    (folder / "circle.jpg").symlink_to("circle.jpg")
    losses = LossLog()

    assert not ImagePlacer(target, transfer, losses).place(item(path and folder / path), "a.jpg")

    assert [(outcome, reason.code) for outcome, reason in losses.reasons] == [(Outcome.CHANGED, code)]
    assert not os.path.lexists(target / "a.jpg")


@pytest.mark.parametrize("transfer", TRANSFERS)
@pytest.mark.parametrize("taken", ["a.jpg", "a.jpg/b.jpg", "folder"])
def test_no_image_replaces_another(source: Path, target: Path, transfer: ImageTransfer, taken: str) -> None:
    """C7: nor does a name go on behind that of an image."""
    placer = ImagePlacer(target, transfer, LossLog())
    placer.place(item(source), "a.jpg")
    (target / "folder").mkdir()

    with pytest.raises(InvalidDatasetError, match=f"Two images of the dataset would be '{taken}'. Rename one"):
        placer.place(item(source), taken)

    assert (target / "a.jpg").read_bytes() == DATA


@pytest.mark.parametrize("name", ["../a.jpg", "/a.jpg", "a/../../b.jpg", ""])
def test_no_image_leaves_the_target(source: Path, target: Path, name: str) -> None:
    """C14: whoever made the name."""
    with pytest.raises(InvalidDatasetError, match="would leave the folder"):
        ImagePlacer(target, ImageTransfer.COPY, LossLog()).place(item(source), name)

    assert sorted(path.name for path in target.parent.iterdir()) == ["source", "target"]


@pytest.mark.parametrize("transfer", TRANSFERS)
def test_a_path_that_is_too_long_is_reported(source: Path, target: Path, transfer: ImageTransfer) -> None:
    """One such item does not end the conversion."""
    losses = LossLog()

    assert not ImagePlacer(target, transfer, losses).place(item(source), "/".join(["x" * 250] * 20))

    assert [(outcome, reason.code) for outcome, reason in losses.reasons] == [(Outcome.CHANGED, "UNSAFE_NAME")]


def test_hard_links_to_another_device_are_refused_with_a_way_out(source: Path, other_device: Path) -> None:
    """Copies would not be what was asked for."""
    with pytest.raises(ConfigurationError, match=r"'wren.jpg' cannot be linked .*: .*\. .*\. Choose images=copy"):
        ImagePlacer(other_device, ImageTransfer.HARDLINK, LossLog()).place(item(source), "a.jpg")


def test_symbolic_links_and_copies_reach_another_device(source: Path, other_device: Path) -> None:
    """Only hard links do not."""
    assert ImagePlacer(other_device, ImageTransfer.SYMLINK, LossLog()).place(item(source), "a.jpg")
    assert ImagePlacer(other_device, ImageTransfer.COPY, LossLog()).place(item(source), "b.jpg")

    assert (other_device / "a.jpg").read_bytes() == (other_device / "b.jpg").read_bytes() == DATA


def test_a_target_that_is_gone_is_an_error_of_the_system(source: Path, target: Path) -> None:
    """It is not the fault of the dataset."""
    target.rmdir()

    with pytest.raises(FileNotFoundError):
        ImagePlacer(target, ImageTransfer.COPY, LossLog()).place(item(source), "a.jpg")

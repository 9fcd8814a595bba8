import os
import socket
from pathlib import Path

import pytest

from synapse_sdk.errors import ConfigurationError
from synapse_sdk.plugins.actions.upload.inventory import Inventory, Rules, take_inventory
from synapse_sdk.plugins.actions.upload.sources.folder import FolderSource


def inventory_of(folder: Path, **rules: object) -> Inventory:
    """Take the inventory of a folder whose specification is `images`."""
    known = Rules(specifications=frozenset({"images"}), **rules)  # type: ignore[arg-type]  # the fields of Rules
    return take_inventory({"": (FolderSource(folder), True)}, known)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder with one good file."""
    (tmp_path / "photos" / "images").mkdir(parents=True)
    (tmp_path / "photos" / "images" / "good.jpg").write_bytes(b"good")
    return tmp_path / "photos"


def test_files_are_found_with_size_and_time(photos: Path) -> None:
    """In the order of their names, whatever the file system says."""
    (photos / "images" / "deep" / "er").mkdir(parents=True)
    (photos / "images" / "deep" / "er" / "b.jpg").write_bytes(b"22")
    (photos / "images" / "a.jpg").write_bytes(b"1")

    found = inventory_of(photos)

    assert found.paths == ["images/a.jpg", "images/deep/er/b.jpg", "images/good.jpg"]
    assert found.sizes == [1, 2, 4]
    assert found.versions[2] == (photos / "images" / "good.jpg").stat().st_mtime_ns
    assert not found.failed
    assert not found.filtered


def test_an_empty_file_is_refused(photos: Path) -> None:
    """It is a loss, and says why."""
    (photos / "images" / "empty.jpg").touch()

    assert inventory_of(photos).failed == {"images/empty.jpg": "EMPTY_FILE: it has no bytes"}


def test_a_large_file_is_refused_by_its_size(photos: Path) -> None:
    """The limit is in the words."""
    (photos / "images" / "large.jpg").write_bytes(bytes(11))

    failed = inventory_of(photos, max_bytes=10).failed

    assert failed == {"images/large.jpg": "FILE_TOO_LARGE: its 11 bytes are more than the 10 that are allowed"}


def test_what_is_no_file_is_refused_by_its_kind(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe would never end, and a socket cannot be read."""
    os.mkfifo(photos / "images" / "pipe.jpg")
    monkeypatch.chdir(photos / "images")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket.jpg")

        failed = inventory_of(photos).failed

    assert failed == {"images/pipe.jpg": "NOT_A_FILE: it is a pipe", "images/socket.jpg": "NOT_A_FILE: it is a socket"}


def test_links_are_followed_within_the_tree_only(photos: Path, tmp_path: Path) -> None:
    """Out of it, in circles and to nowhere are refused; to a folder of the tree is no loss."""
    (tmp_path / "secret").write_text("key")
    images = photos / "images"
    (images / "deep").mkdir()
    (images / "inside.jpg").symlink_to("good.jpg")
    (images / "outside.jpg").symlink_to(tmp_path / "secret")
    (images / "nowhere.jpg").symlink_to("missing")
    (images / "circle.jpg").symlink_to("circle.jpg")
    (images / "again").symlink_to("deep")
    (images / "up").symlink_to("..")

    found = inventory_of(photos)

    assert found.paths == ["images/good.jpg", "images/inside.jpg"]
    reasons = {path: told.partition(":")[0] for path, told in found.failed.items()}
    assert reasons == {
        "images/outside.jpg": "UNSAFE_LINK",
        "images/nowhere.jpg": "UNSAFE_LINK",
        "images/circle.jpg": "UNSAFE_LINK",
        "images/up": "UNSAFE_LINK",
    }
    assert found.failed["images/nowhere.jpg"].endswith("the link leads to missing, which is not there")
    assert found.filtered["images/again/"].startswith("LINKED_FOLDER")


def test_a_name_that_is_no_text_is_refused(photos: Path) -> None:
    """It is shown with its bytes written out; a control character is refused as well."""
    (photos / "images" / os.fsdecode(b"caf\xe9.jpg")).write_bytes(b"1")
    (photos / "images" / "line\nbreak.jpg").write_bytes(b"1")

    failed = inventory_of(photos).failed

    assert failed["images/caf\\xe9.jpg"] == "UNSAFE_NAME: its name is not UTF-8 text"
    assert failed["images/line\\nbreak.jpg"].startswith("UNSAFE_NAME: its name has the control character")


@pytest.mark.parametrize("name", ["a b.jpg", "고양이.jpg", "-x.jpg", "=cmd.jpg", ".hidden.jpg", "x" * 251 + ".jpg"])
def test_odd_names_are_fine(photos: Path, name: str) -> None:
    """A name is data."""
    (photos / "images" / name).write_bytes(b"1")

    assert f"images/{name}" in inventory_of(photos).paths


def test_what_systems_leave_behind_is_filtered(photos: Path) -> None:
    """A folder of the system's counts once, whatever is in it."""
    (photos / "images" / "@eaDir").mkdir()
    (photos / "images" / "@eaDir" / "thumb.jpg").write_bytes(b"1")
    (photos / "images" / ".DS_Store").write_bytes(b"1")

    found = inventory_of(photos)

    assert list(found.filtered) == ["images/@eaDir/", "images/.DS_Store"]
    assert all(told.startswith("IGNORED: ") for told in found.filtered.values())


def test_folders_of_no_specification_and_patterns_filter(photos: Path) -> None:
    """Each reason has its own word."""
    (photos / "other").mkdir()
    (photos / "other" / "x.jpg").touch()  # it is empty, and nobody wants it anyway
    (photos / "loose.jpg").write_bytes(b"1")
    for name in ("keep.jpg", "drop.jpg", "keep.png"):
        (photos / "images" / name).write_bytes(b"1")

    found = inventory_of(photos, include=["*.jpg"], exclude=["images/drop*"])

    assert found.paths == ["images/good.jpg", "images/keep.jpg"]
    assert {path: told.partition(":")[0] for path, told in found.filtered.items()} == {
        "other/x.jpg": "NO_SPECIFICATION",
        "loose.jpg": "NO_SPECIFICATION",
        "images/drop.jpg": "EXCLUDED",
        "images/keep.png": "EXCLUDED",
    }
    assert not found.failed


def test_what_is_excluded_does_not_fail(photos: Path, tmp_path: Path) -> None:
    """Whatever it is; but a link that may hide files which are to be included is no matter of include."""
    images = photos / "images"
    os.mkfifo(images / "pipe")
    (images / "up.jpg").symlink_to(tmp_path)
    (images / "more").symlink_to(tmp_path)
    (images / "broken.jpg").symlink_to("missing.jpg")

    found = inventory_of(photos, include=["*.jpg"], exclude=["images/b*"])

    assert found.paths == ["images/good.jpg"]
    assert {path: told.partition(":")[0] for path, told in found.filtered.items()} == {
        "images/pipe": "EXCLUDED",
        "images/broken.jpg": "EXCLUDED",
    }
    assert found.failed.keys() == {"images/up.jpg", "images/more"}


def test_a_bad_file_of_a_type_that_is_not_taken_is_no_loss(photos: Path) -> None:
    """An empty `__init__.py` among images, say; an empty image is one."""
    images = photos / "images"
    for name in ("__init__.py", "empty.jpg", "tab\t.txt"):
        (images / name).touch()

    found = inventory_of(photos, extensions={"images": (".jpg",)})

    assert found.filtered == {
        "images/__init__.py": "UNSUPPORTED_EXTENSION: 'images' takes .jpg",
        "images/tab\\t.txt": "UNSUPPORTED_EXTENSION: 'images' takes .jpg",
    }
    assert found.failed.keys() == {"images/empty.jpg"}


def test_a_sheet_at_the_root_is_noticed(photos: Path) -> None:
    """The first of the usual names wins, and none of them is uploaded."""
    (photos / "meta.csv").write_text("filename,a\n")
    (photos / "meta.xlsx").write_text("")

    found = inventory_of(photos)

    assert found.sheet == "meta.xlsx"
    assert found.filtered["meta.csv"] == "METADATA_SHEET: meta.xlsx is used instead"


def test_a_source_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    """It names the path and where it was looked for."""
    with pytest.raises(ConfigurationError, match=r"There is no .*missing.*Looked for"):
        inventory_of(tmp_path / "missing")

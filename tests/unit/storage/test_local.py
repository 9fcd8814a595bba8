"""What only storages in folders have to promise."""

import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from synapse_sdk.errors import (
    InvalidKeyError,
    ObjectExistsError,
    ObjectNotFoundError,
    StorageDeniedError,
    StorageError,
    StorageIntegrityError,
    StorageUnavailableError,
)
from synapse_sdk.storage import LocalStorage, steady
from synapse_sdk.storage.content import Digested
from synapse_sdk.storage.durable import Unsynced
from synapse_sdk.storage.local import Link
from synapse_sdk.storage.syscalls import rename_new, rename_new_by_claim, rename_new_by_link, start_writing
from synapse_sdk.storage.unfinished import TEMPORARY, temporary_name


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder beside the storage, which is none of its business."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "secret.txt").write_text("secret")
    return folder


@pytest.fixture
def storage(tmp_path: Path) -> LocalStorage:
    """An empty storage."""
    return LocalStorage(tmp_path / "root")


def test_nothing_is_made_before_something_is_put(storage: LocalStorage) -> None:
    """Looking makes no folder."""
    assert list(storage.list()) == []
    assert not storage.exists("cat.jpg")
    storage.delete(["cat.jpg"])
    assert storage.abort_unfinished() == 0

    assert not storage.root.exists()


def test_links_are_not_followed(storage: LocalStorage, outside: Path) -> None:
    """Neither to read, nor to write, nor to delete, wherever in a key they stand."""
    storage.put("cat.jpg", b"meow")
    (storage.root / "folder").symlink_to(outside)
    (storage.root / "link.txt").symlink_to(outside / "secret.txt")
    (storage.root / "loop").symlink_to("loop")

    for key in ("folder/secret.txt", "link.txt", "loop", "loop/x"):
        with pytest.raises(ObjectNotFoundError):
            storage.get(key)
    for key in ("folder/new.txt", "loop/new.txt"):
        with pytest.raises(InvalidKeyError):
            storage.put(key, b"mine")
    with pytest.raises(ObjectExistsError):
        storage.put("link.txt", b"mine")
    storage.delete(["folder/secret.txt"])

    assert [info.key for info in storage.list()] == ["cat.jpg"]
    assert [path.name for path in outside.iterdir()] == ["secret.txt"]
    assert (outside / "secret.txt").read_text() == "secret"
    storage.put("link.txt", b"mine", overwrite=True)
    assert storage.get("link.txt") == b"mine"
    assert (outside / "secret.txt").read_text() == "secret"


def test_what_is_no_file_is_no_object(storage: LocalStorage) -> None:
    """A pipe is not waited for."""
    storage.put("cat.jpg", b"meow")
    os.mkfifo(storage.root / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        here = Path.cwd()
        os.chdir(storage.root)  # the path of a socket has to be short
        try:
            server.bind("socket")
        finally:
            os.chdir(here)

        for key in ("pipe", "socket"):
            with pytest.raises(ObjectNotFoundError):
                storage.get(key)
            with pytest.raises(ObjectExistsError):
                storage.put(key, b"meow")
        assert [info.key for info in storage.list()] == ["cat.jpg"]


def test_an_object_is_not_a_folder(storage: LocalStorage) -> None:
    """A file system cannot have both under one name, and says so."""
    storage.put("photos", b"meow")

    with pytest.raises(InvalidKeyError):
        storage.put("photos/cat.jpg", b"meow")
    storage.put("music/cat.mp3", b"meow")
    for overwrite in (False, True):
        with pytest.raises(ObjectExistsError):
            storage.put("music", b"meow", overwrite=overwrite)
    assert storage.abort_unfinished() == 0


def test_folders_go_with_their_last_object(storage: LocalStorage) -> None:
    """But the root stays, and so does what has something in it."""
    storage.put("a/b/c/cat.jpg", b"meow")
    storage.put("a/dog.jpg", b"woof")

    storage.delete(["a/b/c/cat.jpg"])
    assert [path.name for path in (storage.root / "a").iterdir()] == ["dog.jpg"]
    storage.delete(["a/dog.jpg"])

    assert list(storage.root.iterdir()) == []


def test_names_that_are_no_text_are_kept(storage: LocalStorage) -> None:
    """Linux has names of any bytes."""
    key = os.fsdecode(b"folder/\xff\xfe.jpg")

    storage.put(key, b"meow")

    assert [info.key for info in storage.list()] == [key]
    assert storage.get(key) == b"meow"


def test_unfinished_files_are_hidden_and_cleared(storage: LocalStorage) -> None:
    """Those below the prefix, and no others."""
    storage.put("photos/cat.jpg", b"meow")
    long = "x" * 255
    for name in ("photos/dog.jpg", f"photos/{long}", "music/dog.mp3"):
        path = storage.root / name
        path.parent.mkdir(exist_ok=True)
        path.with_name(temporary_name(path.name)).write_bytes(b"half")

    assert [info.key for info in storage.list()] == ["photos/cat.jpg"]
    assert storage.abort_unfinished("photos/c") == 0
    assert storage.abort_unfinished(f"photos/{long}") == 1
    assert storage.abort_unfinished("photos/") == 1
    assert storage.abort_unfinished() == 1
    assert sorted(path.name for path in storage.root.rglob("*")) == ["cat.jpg", "photos"]


def test_what_puts_to_some_keys_have_left_is_cleared_away_and_nothing_else(storage: LocalStorage) -> None:
    """Others may be putting objects into the same folder."""
    keys = ["photos/cat.jpg", "photos/dog.jpg", "music/dog.mp3"]
    left = []
    for key in keys:
        storage.put(key, b"meow")
        left.append((storage.root / key).with_name(temporary_name(key.rpartition("/")[2])))
        left[-1].write_bytes(b"half")

    storage.abort_unfinished_of([keys[0], keys[2], "nowhere/cat.jpg"])

    assert [path.exists() for path in left] == [False, True, False]
    assert sorted(info.key for info in storage.list()) == sorted(keys)


def test_of_many_objects_only_those_that_cannot_be_deleted_stay(storage: LocalStorage) -> None:
    """The error names them, wherever they are."""
    for key in ("photos/cat.jpg", "photos/2024/dog.jpg", "music/dog.mp3"):
        storage.put(key, b"meow")

    with pytest.raises(StorageError) as raised:
        storage.delete(["photos/cat.jpg", "photos/2024", "nowhere/cat.jpg", "music/dog.mp3"])

    assert raised.value.where["keys"] == ["photos/2024"]
    assert [info.key for info in storage.list()] == ["photos/2024/dog.jpg"]
    assert not (storage.root / "music").exists()
    with pytest.raises(InvalidKeyError, match="unfinished"):
        storage.put(f"photos/{TEMPORARY}1", b"meow")


def test_a_hard_link_costs_no_copy(tmp_path: Path) -> None:
    """And is verified all the same."""
    storage, source = LocalStorage(tmp_path / "root", link="hardlink"), tmp_path / "cat.jpg"
    source.write_bytes(b"meow")

    storage.put("a/cat.jpg", b"meow", source=source)

    assert source.samefile(storage.root / "a/cat.jpg")
    with pytest.raises(StorageIntegrityError):
        storage.put("a/other.jpg", b"woof", source=source)
    assert [info.key for info in storage.list()] == ["a/cat.jpg"]
    assert storage.url.endswith("?link=hardlink")


def test_a_copy_is_made_where_a_link_cannot(tmp_path: Path) -> None:
    """Across file systems, or where there are no shared blocks."""
    shared = Path("/dev/shm")  # noqa: S108  # another file system, if it is there
    if not shared.is_dir() or shared.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no other file system here")
    source = shared / f"synapse-{os.getpid()}.jpg"
    source.write_bytes(b"meow")
    try:
        for link in ("hardlink", "reflink"):
            storage = LocalStorage(tmp_path / link, link=link)
            storage.put("cat.jpg", iter([b"me", b"ow"]), size=4, source=source)
            assert storage.get("cat.jpg") == b"meow"
            assert not source.samefile(storage.root / "cat.jpg")
    finally:
        source.unlink()


@pytest.mark.parametrize("rename", [rename_new, rename_new_by_link, rename_new_by_claim])
def test_every_way_to_rename_replaces_nothing(tmp_path: Path, rename: Callable[[int, str, str], None]) -> None:
    """Whichever a file system has."""
    (tmp_path / "old").write_text("old")
    (tmp_path / "taken").write_text("taken")
    folder = os.open(tmp_path, os.O_RDONLY)
    try:
        with pytest.raises(FileExistsError):
            rename(folder, "old", "taken")
        assert (tmp_path / "old").read_text() == "old"
        assert (tmp_path / "taken").read_text() == "taken"
        rename(folder, "old", "new")
    finally:
        os.close(folder)

    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"new": "old", "taken": "taken"}


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("count", [1, 20])
def test_what_has_to_be_synced_may_be_gone(tmp_path: Path, count: int, *, whole: bool) -> None:
    """Deleted objects need no disk."""
    unsynced = Unsynced(tmp_path, whole=whole and None)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "kept").write_text("kept")
    for number in range(count):
        unsynced.add(["a", f"gone{number}"], tmp_path.stat().st_dev)
        unsynced.add(["b", "gone"], tmp_path.stat().st_dev)
    unsynced.add(["a", "kept"], tmp_path.stat().st_dev)

    unsynced.sync()
    unsynced.sync()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_is_closed_is_denied(storage: LocalStorage) -> None:
    """With its name."""
    storage.put("a/cat.jpg", b"meow")
    (storage.root / "a").chmod(0o500)

    with pytest.raises(StorageDeniedError, match=r"a/dog\.jpg"):
        storage.put("a/dog.jpg", b"woof")
    (storage.root / "a").chmod(0o700)


@pytest.mark.parametrize("link", ["copy", "hardlink"])
def test_content_with_its_digest_is_stored_as_any_other(tmp_path: Path, link: Link) -> None:
    """It is compared with what was announced, with what is there, and with a file that is linked instead."""
    source = tmp_path / "cat.jpg"
    source.write_bytes(b"meow")
    content, other = Digested(b"meow"), Digested(b"woof")
    with LocalStorage(tmp_path / "root", link=link) as storage:
        assert storage.put("cat.jpg", content, size=4, sha256=content.sha256, source=source).is_new
        assert storage.put("cat.jpg", content).sha256 == content.sha256
        with pytest.raises(ObjectExistsError):
            storage.put("cat.jpg", other)
        for wrong in ({"sha256": other.sha256}, {"size": 5}):
            with pytest.raises(StorageIntegrityError):
                storage.put("wrong.jpg", content, **wrong)
        if link == "hardlink":
            source.write_bytes(b"woof!")
            with pytest.raises(StorageIntegrityError):
                storage.put("dog.jpg", other, source=source)
        assert not storage.exists("wrong.jpg")


def test_the_disk_begins_with_large_objects_while_they_are_read(
    storage: LocalStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stretch after stretch, each byte once; small ones can wait."""
    begun: list[tuple[int, int]] = []

    def noted(handle: int, start: int, end: int) -> None:
        assert os.fstat(handle).st_size == end
        begun.append((start, end))
        start_writing(handle, start, end)

    monkeypatch.setattr(steady, "start_writing", noted)
    size = 2 * steady.STRETCH + 10

    storage.put("small.bin", bytes(steady.STRETCH - 1))
    storage.put("large.bin", iter([bytes(steady.STRETCH // 2)] * 4 + [bytes(10)]), size=size)
    storage.flush()

    assert begun == [(0, steady.STRETCH), (steady.STRETCH, 2 * steady.STRETCH)]
    assert storage.stat("large.bin").size == size


@pytest.mark.skipif(sys.platform != "linux", reason="other systems cannot be asked")
def test_a_disk_that_cannot_begin_is_told_of(tmp_path: Path) -> None:
    """Loudly, as when bytes are written."""
    with (tmp_path / "x").open("wb") as file:
        handle = file.fileno()

    with pytest.raises(OSError, match="Bad file descriptor"):
        start_writing(handle, 0, 1)


def test_a_file_in_place_of_the_folder_is_named(tmp_path: Path) -> None:
    """And not blamed on the key."""
    (tmp_path / "store").write_bytes(b"x")

    with pytest.raises(StorageError, match=r"store is no folder.*Name a folder"):
        LocalStorage(tmp_path / "store").put("cat.jpg", b"meow")
    with pytest.raises(StorageError, match=r"store is no folder.*Name a folder"):
        [*LocalStorage(tmp_path / "store").list("cats/")]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such place")
def test_a_folder_that_cannot_be_made_is_named() -> None:
    """With what the system says."""
    with pytest.raises(StorageUnavailableError, match=r"/proc/store cannot keep the folder.*No such file"):
        LocalStorage("/proc/store").put("cat.jpg", b"meow")

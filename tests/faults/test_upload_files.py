"""Uploads of files that are strange, hostile, or change meanwhile: F20 to F25."""

import csv
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from synapse_sdk.backend import FileSpecification
from synapse_sdk.errors import InvalidSheetError, StepFailedError, StorageFullError, UnsafeArchiveError
from tests.faults.disks import small_disk
from tests.faults.odd_names import FILE_NAMES
from tests.unit.documents.archives.builders import write_archive
from tests.unit.documents.sheets.workbooks import with_cells
from tests.unit.plugins.actions.upload.world import World

MIB = 1 << 20
LIMITED = """
import resource, sys
from synapse_sdk.plugins import run_action
from synapse_sdk.plugins.actions.upload import DefaultUploadAction
import synapse_sdk.backend.embedded.backend, synapse_sdk.storage.local
limit, value = getattr(resource, sys.argv[1]), int(sys.argv[2])
resource.setrlimit(limit, (value, value))
try:
    print(run_action(DefaultUploadAction, {"data_collection": "things", "storage": "store/", "path": "data"}).uploaded)
except BaseException as error:
    print(type(error).__name__, error)
"""


def upload_within(limit: str, value: int) -> str:
    """Upload in a process that may have less of something, and return what it says."""
    command = [sys.executable, "-c", LIMITED, limit, str(value)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


# F7, F8: no room


@pytest.fixture(params=["size=600k", "nr_inodes=40"])
def with_small_store(request: pytest.FixtureRequest, world: World) -> Iterator[World]:
    """A project whose store is on a file system with little room, or room for few files."""
    with small_disk(world.store, request.param):
        yield world


@pytest.mark.parametrize("on_error", ["stop", "continue"])
def test_a_full_disk_fails_the_run_and_nothing_partial_is_left(with_small_store: World, on_error: str) -> None:
    """F8: whatever is to be done about single files, because it is not a matter of one of them."""
    for number in range(40):
        with_small_store.write(f"images/{number}.jpg", bytes([number]) * 20_000)

    with pytest.raises(StepFailedError, match=r"No space left on device.*Make room") as caught:
        with_small_store.upload(on_error=on_error)

    assert isinstance(caught.value.__cause__, StorageFullError)
    assert list(with_small_store.store.iterdir()) == []
    assert with_small_store.units(None) == {}
    with_small_store.check()


def test_a_limit_on_file_sizes_does_the_same(world: World) -> None:
    """F8: for those who cannot mount a small disk."""
    world.write("images/small.jpg", b"small")
    world.write("images/large.jpg", bytes(12 * MIB))

    said = upload_within("RLIMIT_FSIZE", 4 * MIB)

    assert said.startswith("StepFailedError Step 'upload_files' failed")
    assert "File too large" in said
    assert world.objects() == set()
    world.check()


# F20: few file handles


@pytest.mark.parametrize("handles", [40, pytest.param(400, marks=pytest.mark.full)])
def test_few_file_handles_are_enough(world: World, handles: int) -> None:
    """F20: they are bounded by what is sent at a time; where even that is too much, it is tried again with less."""
    for number in range(300):
        world.write(f"images/{number}.jpg", str(number).encode())

    assert upload_within("RLIMIT_NOFILE", handles) == "300"
    world.check()


# F21: files that change


def test_a_file_that_grows_while_it_is_read_is_not_uploaded(world: World) -> None:
    """F21: it fails by name; the others are there, byte for byte."""
    growing = world.write("images/growing.jpg", bytes(24 * MIB))
    world.write("images/quiet.jpg", b"quiet")
    done = threading.Event()

    def grow() -> None:
        with growing.open("ab", buffering=0) as file:
            while not done.wait(0.001):
                file.write(b"x")

    writer = threading.Thread(target=grow)
    writer.start()
    try:
        result = world.upload(on_error="continue")
    finally:
        done.set()
        writer.join()

    assert {failure.file: failure.code for failure in result.failures} == {"images/growing.jpg": "FILE_CHANGED"}
    assert world.units().keys() == {"quiet"}
    world.check()


# F22: odd names


def test_every_name_comes_back_or_is_refused_by_name(world: World) -> None:
    """F22, G20: byte for byte; nothing in a report steers a terminal or is a formula."""
    images = world.folder / "data" / "images"
    images.mkdir(parents=True)
    names = {name for name in FILE_NAMES if "/" not in name}
    for number, name in enumerate(sorted(names, key=os.fsencode)):
        (images / name).write_bytes(b"content of %d" % number)
    world.backend.collections.create("anything", specifications=[FileSpecification(name="images")])

    result = world.upload(data_collection="anything", on_error="continue")

    collection = world.backend.collections.get("anything")
    kept = {unit.files["images"].name for unit in world.backend.data_units.list(collection.id)}
    refused = {failure.file: failure.code for failure in result.failures}
    assert kept < names
    assert set(refused.values()) <= {"UNSAFE_NAME", "NAME_COLLISION"}
    assert len(kept) + len(refused) == result.discovered == len(names)
    with Path(result.report_path).with_suffix(".csv").open(newline="", encoding="utf-8") as file:
        cells = [row["file"] for row in csv.DictReader(file)]
    assert len(cells) == len(names)
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in cells)
    text = Path(result.report_path).read_text(encoding="utf-8")
    assert "\x1b" not in text
    assert "\x1b" not in Path(result.report_path).with_suffix(".csv").read_text(encoding="utf-8")
    assert len(json.loads(text)["files"]) == len(names)


# F23: what is no file


def test_what_is_no_file_is_refused_by_name_and_nothing_waits(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """F23: links in a circle and out of the tree, a pipe, a socket, a device; hard and inner links are files."""
    cat = world.write("images/cat.jpg", b"cat")
    images = cat.parent
    os.link(cat, images / "hard.jpg")
    (images / "inner.jpg").symlink_to("cat.jpg")
    (images / "circle.jpg").symlink_to("circle.jpg")
    (images / "out.jpg").symlink_to("/etc/passwd")
    (images / "broken.jpg").symlink_to("nowhere.jpg")
    odd = world.folder / os.fsdecode(b"caf\xe9\x1b[2J")
    odd.touch()
    (images / "odd.jpg").symlink_to(odd)
    os.mkfifo(images / "pipe.jpg")
    monkeypatch.chdir(images)  # a socket's path may have 107 bytes
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket.jpg")
    wanted = {
        "images/circle.jpg": "UNSAFE_LINK",
        "images/out.jpg": "UNSAFE_LINK",
        "images/odd.jpg": "UNSAFE_LINK",
        "images/broken.jpg": "UNSAFE_LINK",
        "images/pipe.jpg": "NOT_A_FILE",
        "images/socket.jpg": "NOT_A_FILE",
    }
    if os.geteuid() == 0:
        os.mknod(images / "device.jpg", 0o600 | 0o020000, os.makedev(1, 5))  # /dev/zero, which never ends
        wanted["images/device.jpg"] = "NOT_A_FILE"
    monkeypatch.chdir(world.folder)

    result = world.upload(on_error="continue")

    assert {failure.file: failure.code for failure in result.failures} == wanted
    assert world.units().keys() == {"cat", "hard", "inner"}
    assert "\x1b" not in Path(result.report_path).with_suffix(".csv").read_text(encoding="utf-8")
    world.check()


def test_a_pipe_that_takes_the_place_of_a_file_is_noticed(world: World) -> None:
    """F23: between the check and the reading; nobody waits for somebody to write into it."""
    cat = world.write("images/cat.jpg", b"cat")
    world.write("images/dog.jpg", b"dog")

    def swap() -> None:
        cat.unlink()
        os.mkfifo(cat)

    result = world.upload_after(swap, before="upload_files", on_error="continue")

    assert {failure.file: failure.code for failure in result.failures} == {"images/cat.jpg": "NOT_A_FILE"}
    world.check()


# F24, F25: archives and sheets


def test_a_bomb_of_an_archive_fails_the_run_and_nothing_is_left(world: World) -> None:
    """F24: neither unpacked files nor objects."""
    path = write_archive(world.folder / "bomb.zip", {"images/cat.jpg": b"cat", "images/zeros.jpg": bytes(48 * MIB)})

    with pytest.raises(StepFailedError, match=r"bomb.zip") as caught:
        world.upload(path=str(path))

    assert isinstance(caught.value.__cause__, UnsafeArchiveError)
    assert list((world.folder / ".synapse").glob("runs/*/work*/**/*")) == []
    assert world.objects() == set()
    world.check()


@pytest.mark.parametrize("name", ["../../out.jpg", "/etc/out.jpg", "images/../../out.jpg"])
def test_an_archive_that_wants_to_leave_its_folder_fails_the_run(world: World, name: str) -> None:
    """F24: and writes nothing."""
    path = write_archive(world.folder / "bad.tar", {"images/cat.jpg": b"cat", name: b"out"})
    before = {each for each in world.folder.rglob("*") if ".synapse" not in each.parts}

    with pytest.raises(StepFailedError):
        world.upload(path=str(path))

    assert {each for each in world.folder.rglob("*") if ".synapse" not in each.parts} <= before | {world.store}
    world.check()


def test_a_hostile_sheet_fails_the_run_before_anything_is_sent(world: World) -> None:
    """F25: one cell that makes readers fill all the others."""
    world.write("images/cat.jpg", b"cat")
    far = '<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>far</t></is></c></row>'
    with_cells(world.folder / "data" / "meta.xlsx", far)

    with pytest.raises(StepFailedError, match=r"validate_files.*meta.xlsx") as caught:
        world.upload()

    assert isinstance(caught.value.__cause__, InvalidSheetError)
    assert world.objects() == set()
    world.check()

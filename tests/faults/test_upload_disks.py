"""Uploads while the disk of the journal (F7), or that of the backend, fills up: a process, and a disk of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from synapse_sdk.backend import Backend, CollectionId, FileSpecification, open_backend
from synapse_sdk.journal import RunRecord, SqliteJournal
from tests.e2e.conftest import Outcome, Shell
from tests.faults.disks import run_while_it_fills, small_disk
from tests.unit.plugins.actions.upload.world import World

pytestmark = pytest.mark.full

THINGS = CollectionId(1)
PHOTOS = 30
SHEET = "filename,place\n" + "".join(f"{number}.jpg,Rome\n" for number in range(PHOTOS))


@pytest.fixture
def shell(world: World) -> Iterator[Shell]:
    """A shell in the project, which has photos to upload and a sheet about them."""
    for number in range(PHOTOS):
        world.write(f"images/{number}.jpg", f"photo {number}")
    world.write("meta.csv", SHEET)
    shell = Shell(world.folder)
    yield shell
    shell.clean_up()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 3 MiB."""
    with small_disk(tmp_path / "disk") as folder:
        yield folder


def upload_while_it_fills(shell: Shell, disk: Path, *options: str, at: str) -> Outcome:
    """Upload, and fill the disk up when the upload has come to a place."""
    command = ("upload", "data", "--collection", "things", "--storage", "./store", *options)
    return run_while_it_fills(shell, disk, command, at=at)


def run_in(journal: Path) -> RunRecord:
    """Return the one run of a journal."""
    with SqliteJournal(journal, read_only=True) as opened:
        (run,) = opened.runs()
    return run


@pytest.mark.parametrize("at", ["upload.reserved", "upload.registered"])
def test_a_full_disk_of_the_journal_fails_the_run_which_is_undone(
    world: World, shell: Shell, disk: Path, at: str
) -> None:
    """F7: all of it, and that is recorded in what was set aside; the message says where and how much to free."""
    journal = disk / "journal.db"

    ended = upload_while_it_fills(shell, disk, "--journal", str(journal), at=at)

    assert ended.code == 74, ended.err
    assert f"The disk of the journal '{journal}' is full" in ended.err
    assert "Free at least 1,048,576 bytes" in ended.err
    assert run_in(journal).status == "rolled_back"
    assert world.objects() == set()
    assert world.units(None) == {}
    world.check()


@pytest.fixture
def small_backend(disk: Path) -> Iterator[Backend]:
    """A backend on the small disk, with the collection."""
    with open_backend(disk / "backend.db") as backend:
        backend.collections.create("things", specifications=[FileSpecification(name="images")])
        yield backend


def keys(backend: Backend) -> set[str]:
    """Return the keys of all objects that a backend knows."""
    return {file.key for file in backend.data_files.list(THINGS)}


@pytest.mark.parametrize("at", ["upload.reserved", "upload.registered"])
def test_on_a_full_disk_of_the_backend_nothing_is_lost(
    world: World, shell: Shell, disk: Path, small_backend: Backend, at: str
) -> None:
    """It cannot even note what was undone; once there is room, the same command does that, and brings the photos in."""
    options = ("--backend", str(disk / "backend.db"), "--journal", str(world.folder / "journal.db"))

    ended = upload_while_it_fills(shell, disk, *options, at=at)
    known = keys(small_backend)
    left = world.objects()
    (disk / "filling").unlink()
    again = shell.run("upload", "data", "--collection", "things", "--storage", "./store", *options)

    assert ended.code == 4, ended.err
    assert f"The disk of the backend '{disk / 'backend.db'}' is full" in ended.err
    assert left <= known
    assert again.code == 0, again.err
    assert len(small_backend.data_units.list(THINGS)) == len(world.objects()) == PHOTOS
    assert world.objects() == keys(small_backend)

"""Exports while the disk of the journal fills up (F7): a process, and a disk of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from synapse_sdk.journal import SqliteJournal
from tests.e2e.conftest import Shell
from tests.faults.disks import run_while_it_fills, small_disk
from tests.faults.exporting import store
from tests.unit.plugins.actions.upload.world import World

pytestmark = pytest.mark.full

PHOTOS = {f"{number}.jpg": b"photo %d" % number for number in range(30)}


@pytest.fixture
def shell(world: World) -> Iterator[Shell]:
    """A shell in the project, which has photos to export."""
    store(world, PHOTOS)
    shell = Shell(world.folder)
    yield shell
    shell.clean_up()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 3 MiB."""
    with small_disk(tmp_path / "disk") as folder:
        yield folder


@pytest.mark.parametrize("at", ["export.converted", "export.saved"])
def test_a_full_disk_of_the_journal_fails_the_run_which_is_undone(
    world: World, shell: Shell, disk: Path, at: str
) -> None:
    """All of it, and that is recorded in what was set aside; once there is room the same command exports."""
    journal = disk / "journal.db"
    command = ("export", "task", "--project", "birds", "--out", "./out/birds", "--journal", str(journal))

    ended = run_while_it_fills(shell, disk, command, at=at)

    assert ended.code == 74, ended.err
    assert f"The disk of the journal '{journal}' is full" in ended.err
    with SqliteJournal(journal, read_only=True) as opened:
        (run,) = opened.runs()
    assert run.status == "rolled_back"
    assert not (world.folder / "out").exists()
    assert list(world.folder.glob(".synapse/runs/*/work")) == []

    (disk / "filling").unlink()
    again = shell.run(*command)
    assert again.code in {0, 3}, again.err
    assert (world.folder / "out" / "birds" / "manifest.json").exists()

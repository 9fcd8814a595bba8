"""The power fails: what the journal has acknowledged is there afterwards (F4).

A file system in a file is told to forget everything that was not yet told to the disk (the shutdown call of ext4, which
only root may make), and is mounted again, as after a power cut.
"""

import fcntl
import os
import shutil
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from synapse_sdk.journal import Owner, RunId, RunSource, SqliteJournal, read_state
from tests.unit.journal.samples import append

pytestmark = pytest.mark.full

RUN = RunId("7f3a00112233")
SHUTDOWN = 0x8004587D
"""EXT4_IOC_SHUTDOWN"""
WITHOUT_FLUSHING = struct.pack("I", 2)


class Disk:
    """A small disk that can lose its power."""

    def __init__(self, folder: Path) -> None:
        self._image = folder / "disk.img"
        self.root = folder / "disk"
        self.root.mkdir()
        with self._image.open("wb") as image:
            image.truncate(32 << 20)
        self._run("mkfs.ext4", "-q", "-F", str(self._image))
        self.plug_in()

    def plug_in(self) -> None:
        """Mount it; the file system mends itself."""
        self._run("mount", "-o", "loop", str(self._image), str(self.root))

    def lose_power(self) -> None:
        """Forget what the disk was not told, and mount it again."""
        handle = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.ioctl(handle, SHUTDOWN, WITHOUT_FLUSHING)
        finally:
            os.close(handle)
        self.unplug()
        self.plug_in()

    def unplug(self) -> None:
        """Unmount it."""
        self._run("umount", str(self.root))

    @staticmethod
    def _run(*command: str) -> None:
        subprocess.run(command, check=True, capture_output=True, timeout=60)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """A disk, where one can be had."""
    if os.geteuid() != 0 or shutil.which("mkfs.ext4") is None:
        pytest.skip("needs root and mkfs.ext4")
    try:
        disk = Disk(tmp_path)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no file system can be mounted here: {getattr(error, 'stderr', error)!r}")
    try:
        disk.lose_power()
    except OSError as error:
        disk.unplug()
        pytest.skip(f"the file system cannot be shut down here: {error}")
    yield disk
    disk.unplug()


@pytest.mark.parametrize("frames", [1, 2, 7, 60])
def test_every_acknowledged_frame_survives_the_loss_of_power(disk: Disk, frames: int) -> None:
    """At the level `power`, which is the usual one."""
    path = disk.root / "folder" / "journal.db"
    journal = SqliteJournal(path, level="power")
    journal.create_run(RUN, RunSource(plugin="", action="greet"))
    append(journal, journal.acquire_lease(RUN, Owner(host="lab", pid=1)), frames, padding=2000)
    _lose_power(disk, journal)

    with SqliteJournal(path) as found:
        assert found.problems() == []
        assert read_state(found, RUN).frames == frames


@pytest.mark.parametrize("level", ["group", "kill"])
def test_a_faster_level_may_lose_frames_and_is_never_damaged(disk: Disk, level: str) -> None:
    """Half a frame is never there; the first ones may be all there are."""
    path = disk.root / "journal.db"
    with SqliteJournal(path) as first:
        first.create_run(RUN, RunSource(plugin="", action="greet"))
    journal = SqliteJournal(path, level=level)  # type: ignore[arg-type]  # it is one of them
    append(journal, journal.acquire_lease(RUN, Owner(host="lab", pid=1)), 20, padding=2000)
    _lose_power(disk, journal)

    with SqliteJournal(path) as found:
        assert found.problems() == []
        assert read_state(found, RUN).frames <= 20


def _lose_power(disk: Disk, journal: SqliteJournal) -> None:
    """Shut the disk down while the journal is open, as the power does; closing it then cannot write any more."""
    handle = os.open(disk.root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.ioctl(handle, SHUTDOWN, WITHOUT_FLUSHING)
    finally:
        os.close(handle)
    journal.close()
    disk.unplug()
    disk.plug_in()

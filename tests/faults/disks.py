"""Disks with little room."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.e2e.conftest import Outcome, Shell

__all__ = ["fill_up", "run_while_it_fills", "small_disk"]

FILLING = "filling"


@contextmanager
def small_disk(folder: Path, limit: str = "size=3m") -> Iterator[Path]:
    """Yield a folder that is a disk of its own; whoever cannot mount one skips the test.

    Args:
        folder: Where; it is made.
        limit: What there is little of, as an option of tmpfs.
    """
    folder.mkdir()
    mount, unmount = shutil.which("mount"), shutil.which("umount")
    if os.geteuid() != 0 or mount is None or unmount is None:
        pytest.skip("only root can mount a small disk")
    if subprocess.run([mount, "-t", "tmpfs", "-o", limit, "tmpfs", folder], check=False).returncode != 0:
        pytest.skip("this system mounts no small disk")
    try:
        yield folder
    finally:
        subprocess.run([unmount, folder], check=True)


def fill_up(disk: Path) -> Path:
    """Leave no room on a disk, and return the file to delete when there is to be some again."""
    filling = disk / FILLING
    with suppress(OSError), filling.open("ab", buffering=0) as file:
        while True:
            file.write(b"x" * 4096)
    return filling


def run_while_it_fills(shell: Shell, disk: Path, command: Sequence[str], *, at: str) -> Outcome:
    """Run a command, and fill a disk up when it has come to a place."""
    running = shell.stopped(*command, at=f"{at}=stop@1")
    fill_up(disk)
    running.signal(signal.SIGCONT)
    return running.end()

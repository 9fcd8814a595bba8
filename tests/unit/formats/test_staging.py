"""Folders that appear whole, or not at all."""

import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from synapse_sdk.errors import ConfigurationError, ConflictError
from synapse_sdk.formats.staging import check_is_free, remove_staged, staged

DYING = """
import sys, os, signal
from pathlib import Path
from synapse_sdk.formats.staging import staged
with staged(Path(sys.argv[1])) as (folder, _):
    (folder / "deep").mkdir()
    (folder / "deep" / "half.txt").write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_target_appears_when_all_is_written(tmp_path: Path) -> None:
    """Until then there is nothing at its place."""
    target = tmp_path / "new" / "er"

    with staged(target) as (folder, _):
        (folder / "a.txt").write_text("a")
        assert not target.exists()

    assert {path.name for path in target.iterdir()} == {"a.txt"}
    assert [path.name for path in target.parent.iterdir()] == ["er"]


def test_after_a_failure_nothing_is_left(tmp_path: Path) -> None:
    """Not even folders above the target that were made for it."""
    with pytest.raises(RuntimeError), staged(tmp_path / "new" / "er") as (folder, _):  # noqa: PT012  # fails inside
        (folder / "a.txt").write_text("a")
        raise RuntimeError

    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_told_with_what_was_written(tmp_path: Path) -> None:
    """The system itself names nothing when there is no room for what is in a file."""
    with (
        pytest.raises(OSError, match=r"No space left on device: '.*/out'"),
        staged(tmp_path / "out"),
        Path("/dev/full").open("wb", buffering=0) as file,
    ):
        file.write(b"a")


def test_an_empty_folder_may_be_there(tmp_path: Path) -> None:
    """It is replaced."""
    target = tmp_path / "out"
    target.mkdir()

    with staged(target) as (folder, _):
        (folder / "a.txt").write_text("a")

    assert (target / "a.txt").exists()


@pytest.mark.parametrize("kind", ["file", "full folder"])
def test_what_is_there_is_not_replaced(tmp_path: Path, kind: str) -> None:
    """The error names it."""
    target = tmp_path / "out"
    if kind == "file":
        target.write_text("mine")
    else:
        target.mkdir()
        (target / "mine").write_text("mine")

    with pytest.raises(ConfigurationError, match="out"), staged(target):
        pytest.fail("the block runs")

    assert target.exists()


@pytest.mark.parametrize("leads_to", ["there", "nowhere"])
def test_a_link_is_refused_before_anything_is_written(tmp_path: Path, leads_to: str) -> None:
    """No folder can be moved to where one is, even if it leads to an empty folder."""
    (tmp_path / "there").mkdir()
    (tmp_path / "out").symlink_to(leads_to)

    with pytest.raises(ConfigurationError, match=r"'.*/out' is a link.* Name the folder"), staged(tmp_path / "out"):
        pytest.fail("the block runs")

    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "there"]


def test_a_mount_point_is_refused_before_anything_is_written() -> None:
    """No folder can be moved there either; one inside of it can be written."""
    with pytest.raises(ConfigurationError, match=r"mounted at '/dev'.* inside of it: /dev/dataset"):
        check_is_free(Path("/dev"))


def test_what_comes_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    """Whoever was there first keeps the place, and nothing else is left."""
    target = tmp_path / "out"

    with pytest.raises(OSError, match="not empty"), staged(target) as (folder, _):  # noqa: PT012  # fails at its end
        (folder / "ours").write_text("ours")
        target.mkdir()
        (target / "theirs").write_text("theirs")

    assert {path.name for path in target.iterdir()} == {"theirs"}
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_two_processes_do_not_write_one_target(tmp_path: Path) -> None:
    """The second is told, and disturbs nothing."""
    with staged(tmp_path / "out") as (folder, _):
        (folder / "a").write_text("a")
        with pytest.raises(ConflictError, match="Another process"), staged(tmp_path / "out"):
            pytest.fail("the block runs")

    assert (tmp_path / "out" / "a").exists()


def test_what_a_killed_process_left_is_taken_over(tmp_path: Path) -> None:
    """Its half files are not in the target of the next one."""
    done = subprocess.run([sys.executable, "-c", DYING, str(tmp_path / "out")], check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert [path.name for path in tmp_path.iterdir()] == [".out.partial"]

    with staged(tmp_path / "out") as (folder, _):
        (folder / "whole").write_text("whole")

    assert {path.name for path in (tmp_path / "out").iterdir()} == {"whole"}
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_what_a_killed_process_left_can_be_removed(tmp_path: Path) -> None:
    """As often as one likes."""
    subprocess.run([sys.executable, "-c", DYING, str(tmp_path / "out")], check=False, timeout=60)

    remove_staged(tmp_path / "out")
    remove_staged(tmp_path / "out")

    assert list(tmp_path.iterdir()) == []


def test_a_link_at_the_place_of_the_staging_folder_is_not_followed(tmp_path: Path) -> None:
    """Nothing is written, or removed, where it leads."""
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").write_text("mine")
    (tmp_path / ".out.partial").symlink_to(tmp_path / "precious")

    with pytest.raises(OSError, match=r"\.out\.partial"), staged(tmp_path / "out"):
        pytest.fail("the block runs")

    assert (tmp_path / "precious" / "file").read_text() == "mine"


def test_the_lock_is_free_afterwards(tmp_path: Path) -> None:
    """No descriptor stays open."""
    with staged(tmp_path / "out"):
        pass
    held = os.open(tmp_path / "out", os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        os.close(held)

import os
import subprocess
import sys
from pathlib import Path

from synapse_sdk.executors.ray.scratch import Scratch

HOLD = """
import sys, time
from pathlib import Path
from synapse_sdk.executors.ray.scratch import Scratch
print(Scratch(Path(sys.argv[1])).folder, flush=True)
sys.stdin.read()
"""


def test_a_folder_is_removed_with_all_that_is_in_it(tmp_path: Path) -> None:
    """And only that one."""
    base = tmp_path / "base"
    scratch, other = Scratch(base), Scratch(base)
    (scratch.directory() / "file").touch()

    scratch.remove()

    assert not scratch.folder.exists()
    assert other.folder.exists()
    other.remove()
    assert [path.name for path in base.iterdir()] == [".lock"]


def test_what_a_dead_process_has_left_is_removed_by_the_next(tmp_path: Path) -> None:
    """As long as it lives, it stays."""
    base = tmp_path / "base"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(base)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        folder = Path(process.stdout.readline().strip())
        Scratch(base).remove()
        assert folder.exists()
        process.kill()

    Scratch(base).remove()

    assert not folder.exists()


def test_a_process_that_was_handed_the_lock_keeps_the_folder(tmp_path: Path) -> None:
    """Also if the one that made it is gone."""
    scratch = Scratch(tmp_path / "base")
    with subprocess.Popen(["sleep", "60"], pass_fds=[scratch.lock]) as process:  # noqa: S607  # any will do
        os.close(scratch.lock)
        Scratch(tmp_path / "base").remove()
        assert scratch.folder.exists()
        process.kill()
    Scratch(tmp_path / "base").remove()

    assert not scratch.folder.exists()

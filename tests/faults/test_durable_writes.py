"""A run whose process is killed at every write of its journal (F1), or whose disk fails (F9) or fills up (F7).

What the journal alone does then is in `test_journal_writes.py`. Here whole runs are brought to their end afterwards,
and the invariants are checked: the journal is whole (I1) and has all that was acknowledged (I2), what is there is
what it says (I3, I6), the run has ended (I4), what stood there before is untouched (I5), nothing temporary is left
(I7), and no secret is anywhere (I8).
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from synapse_sdk.journal import SqliteJournal, read_state
from synapse_sdk.journal.repair import check
from synapse_sdk.plugins import resume_run, rollback_run
from tests.faults.durable_child import RUN, Scene, everything_is_there, nothing_is_left

pytestmark = pytest.mark.full

CANARY = "canary-7c1e"
SECRET = {"password": CANARY}
MOST = 200
"""More writes than a run has."""


@pytest.fixture(scope="module")
def strace() -> str:
    """What ends a process at a system call of our choice, or lets one fail."""
    found = shutil.which("strace")
    if found is None:
        missing = "strace is not installed"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    return found


def run_under(strace: str, scene: Scene, inject: str) -> dict[str, object]:
    """Run the action while something is done to the writes of its journal; return what it says, if it lives."""
    (scene.folder / "bystander").write_text("untouched")
    call = inject.partition(":")[0]
    watched = [option for end in ("", "-wal") for option in ("-P", f"{scene.path}{end}")]
    options = ["-f", "-qq", *watched, "-e", f"trace={call}", "-e", f"inject={inject}"]
    child = scene.start(prefix=(strace, *options, "-o", "/dev/null"), password=CANARY)
    printed, errors = child.process.communicate(timeout=60)
    assert CANARY not in printed + errors
    return {"code": child.process.returncode, "printed": printed}


def has_begun(scene: Scene) -> bool:
    """Whether the journal has the run; and that it has all that was done by then (I2)."""
    with SqliteJournal(scene.path) as journal:
        if not journal.runs():
            assert scene.diary == []
            return False
        state = read_state(journal, RUN)
    recorded = {entry["file"] for step in state.steps.values() for entry in step.undo_log}
    assert set(scene.files) <= recorded
    begun = [line.removeprefix("run ") for line in scene.diary if line.startswith("run ")]
    assert set(begun) <= set(state.order)
    assert all(state.steps[name].is_finished for name in begun[:-1])
    return True


def bring_to_its_end(scene: Scene, *, forward: bool) -> str:
    """Resume a run or roll it back, check that all is as it should be, and return how it ended."""
    if not has_begun(scene):
        return "not begun"
    if not scene.run.has_ended:
        if forward:
            result = resume_run(RUN, journal=scene.path, params=SECRET)
            assert sorted(set(result)) == scene.files
        else:
            rollback_run(RUN, journal=scene.path, params=SECRET)
    assert_all_is_well(scene)
    return scene.run.status


def assert_all_is_well(scene: Scene) -> None:
    """Check the invariants that hold after every end."""
    with SqliteJournal(scene.path) as journal:
        assert journal.problems() == []
        assert check(journal).findings == ()
    assert scene.run.has_ended
    assert everything_is_there(scene) if scene.run.status == "succeeded" else nothing_is_left(scene)
    assert (scene.folder / "bystander").read_text() == "untouched"
    assert {path.name for path in scene.folder.iterdir()} - set(scene.files) <= {"bystander", "diary"}
    beside = {path.name for path in scene.path.parent.iterdir()}
    assert beside <= {scene.folder.name, scene.path.name, f"{scene.path.name}.ballast"}
    assert CANARY.encode() not in scene.path.read_bytes()


@pytest.fixture
def scenes(tmp_path: Path) -> Iterator[Scene]:
    """A new folder and journal each time."""

    def all_of_them() -> Iterator[Scene]:
        for number in range(MOST):
            place = tmp_path / str(number)
            place.mkdir()
            with Scene.set_up(place) as scene:
                yield scene

    return all_of_them()


@pytest.mark.parametrize("forward", [True, False], ids=["resumed", "rolled back"])
@pytest.mark.parametrize(("call", "step"), [("pwrite64", 6), ("fdatasync", 2)])
def test_a_run_that_is_killed_at_a_write_can_be_brought_to_its_end(
    strace: str, scenes: Iterator[Scene], call: str, step: int, *, forward: bool
) -> None:
    """From the first write on; some are resumed, and some rolled back."""
    first = 1 if forward else 1 + step // 2
    for when, scene in zip(range(first, MOST, step), scenes, strict=False):
        said = run_under(strace, scene, f"{call}:signal=KILL:when={when}")
        bring_to_its_end(scene, forward=forward)
        if said["code"] == 0:
            assert when > 15
            assert scene.run.status == "succeeded"
            return
    pytest.fail("it never came to its end")


@pytest.mark.parametrize(
    "inject",
    ["fdatasync:error=EIO:when={}", "pwrite64:error=EIO:when={}", "pwrite64:error=ENOSPC:when={}+"],
    ids=["a sync fails", "a write fails", "the disk is full from now on"],
)
def test_a_run_whose_journal_fails_leaves_nothing_behind(strace: str, scenes: Iterator[Scene], inject: str) -> None:
    """It undoes what it did, even if that cannot be recorded; then that is made up for later."""
    ends = set()
    for when, scene in zip(range(8, 20, 2) if "sync" in inject else range(24, 62, 7), scenes, strict=False):
        said = run_under(strace, scene, inject.format(when))
        assert everything_is_there(scene) if '"result"' in str(said["printed"]) else nothing_is_left(scene)
        ends.add(bring_to_its_end(scene, forward=False))
    assert "rolled_back" in ends

"""Recoveries that are killed again and again, at moments chosen by lot, come to an end nevertheless (F3).

Each test prints its seed; `SYNAPSE_SEED=... pytest tests/faults/test_recovery.py` plays it again.
"""

import os
import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest
from PIL import Image

from synapse_sdk.failpoints import FAILPOINTS
from synapse_sdk.journal import SqliteJournal, read_state
from synapse_sdk.journal.repair import check
from synapse_sdk.testing import snapshot_tree
from synapse_sdk.testing.crash_process import CrashProcess
from tests.faults.busy_action import BusyAction
from tests.unit.testing.crash_actions import SafeAction

IMAGE_REPORT = Path(__file__).parents[2] / "examples" / "image_report", "image_report"
ROUNDS = 6
"""Runs of each kind, so that all of them take a few seconds."""
MOST_CYCLES = 60
"""Times that a recovery is killed at most; after that it is left in peace."""

type Verb = Literal["resume", "rollback"]


@dataclass
class Laboratory:
    """An action, its world, and what there is to be seen of it before and after a run."""

    process: CrashProcess
    sandbox: Path
    initial: dict[str, str] = field(default_factory=dict)
    expected: dict[str, str] = field(default_factory=dict)
    trace: tuple[str, ...] = ()

    def reset(self) -> None:
        """Empty the world."""
        shutil.rmtree(self.process.world)
        self.process.world.mkdir()

    def progress(self, run_id: str) -> tuple[int, int, int]:
        """Return what must never become less: frames, steps that are done, steps that are undone; check all (I1)."""
        with SqliteJournal(self.sandbox / "journal.db", read_only=True) as journal:
            report = check(journal)
            assert report.findings == ()
            state = read_state(journal, run_id)
        done = sum(step.is_finished for step in state.steps.values())
        return state.frames, done, sum(step.status == "rolled_back" for step in state.steps.values())


@pytest.fixture(scope="module", params=["small", "busy", "image_report"])
def laboratory(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laboratory]:
    """Three actions; the photos of the last are looked after here (I5)."""
    place = tmp_path_factory.mktemp(request.param).resolve()
    photos, sandbox = place / "photos", place / "sandbox"
    photos.mkdir()
    (sandbox / "world").mkdir(parents=True)
    for number in range(3):
        Image.new("RGB", (30, 20), (60 * number, 90, 120)).save(photos / f"photo-{number}.png")
    before = snapshot_tree(photos)
    params = {"input_dir": str(photos), "output_dir": str(sandbox / "world" / "out"), "resize_width": 20}
    action: Any = {"small": SafeAction, "busy": BusyAction}.get(request.param, IMAGE_REPORT)
    with CrashProcess(action, params if action is IMAGE_REPORT else {}, {}, sandbox, timeout=30.0) as process:
        made = Laboratory(process, sandbox)
        outcome = process.do("run", process.new_run())
        assert outcome.status == "succeeded", outcome.error
        made.expected, made.trace = snapshot_tree(process.world), outcome.trace
        yield made
    assert snapshot_tree(photos) == before


@pytest.fixture
def lot(request: pytest.FixtureRequest) -> random.Random:
    """Chance that can be had again; pytest-randomly gives another seed each time, and prints its own."""
    seed = os.environ.get("SYNAPSE_SEED") or f"{random.getrandbits(32)}-{request.node.callspec.params['number']}"
    print(f"SYNAPSE_SEED={seed}")  # noqa: T201  # pytest shows it when the test fails
    return random.Random(seed)  # noqa: S311  # as above


def begin_and_kill(laboratory: Laboratory, lot: random.Random) -> str:
    """Begin a run that is killed somewhere on its way."""
    laboratory.reset()
    run_id = laboratory.process.new_run()
    at = lot.randrange(len(laboratory.trace))
    name = laboratory.trace[at]
    outcome = laboratory.process.do("run", run_id, dies_at=(name, laboratory.trace[: at + 1].count(name)))
    assert outcome.is_killed or outcome.status == "succeeded", outcome.error
    return run_id


def recover(laboratory: Laboratory, run_id: str, lot: random.Random, *verbs: Verb) -> str:
    """Recover a run until nobody kills it any more, and return its status."""
    last = laboratory.progress(run_id)
    for cycle in range(MOST_CYCLES + 1):
        dies_at = (lot.choice(list(FAILPOINTS)), lot.randint(1, 4)) if cycle < MOST_CYCLES else None
        outcome = laboratory.process.do(lot.choice(verbs), run_id, dies_at=dies_at)
        now = laboratory.progress(run_id)
        assert all(is_now >= was for was, is_now in zip(last, now, strict=True)), (last, now)
        last = now
        if not outcome.is_killed:
            return outcome.status
    pytest.fail("the recovery never came to its end")


@pytest.mark.parametrize("number", range(ROUNDS))
def test_a_resumed_run_converges(laboratory: Laboratory, lot: random.Random, number: int) -> None:  # noqa: ARG001  # part of the seed
    """However often it is killed, it ends as if nothing had happened."""
    run_id = begin_and_kill(laboratory, lot)

    status = recover(laboratory, run_id, lot, "resume")

    assert status == "succeeded"
    assert snapshot_tree(laboratory.process.world) == laboratory.expected


@pytest.mark.parametrize("number", range(ROUNDS))
def test_a_rollback_converges(laboratory: Laboratory, lot: random.Random, number: int) -> None:  # noqa: ARG001  # part of the seed
    """However often it is killed, nothing is left of the run in the end; unless the run was over before."""
    run_id = begin_and_kill(laboratory, lot)

    status = recover(laboratory, run_id, lot, "rollback")

    assert status in {"rolled_back", "failed", "succeeded"}
    wanted = laboratory.expected if status == "succeeded" else laboratory.initial
    assert snapshot_tree(laboratory.process.world) == wanted


@pytest.mark.parametrize("number", range(ROUNDS))
def test_who_cannot_decide_does_no_harm(laboratory: Laboratory, lot: random.Random, number: int) -> None:  # noqa: ARG001  # part of the seed
    """A run that is resumed and rolled back in turns is all there or all gone; once it goes back, it goes back."""
    run_id = begin_and_kill(laboratory, lot)

    status = recover(laboratory, run_id, lot, "resume", "rollback")

    assert status in {"rolled_back", "failed", "succeeded"}
    wanted = laboratory.expected if status == "succeeded" else laboratory.initial
    assert snapshot_tree(laboratory.process.world) == wanted

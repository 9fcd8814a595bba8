"""Recoveries that are killed again and again, at moments chosen by lot, come to an end nevertheless (F3).

Each test prints its seed; `SYNAPSE_SEED=... pytest tests/faults/test_recovery.py` plays it again.
"""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from synapse_sdk.testing import snapshot_tree
from tests.faults.busy_action import BusyAction
from tests.faults.laboratory import Laboratory
from tests.unit.testing.crash_actions import SafeAction

IMAGE_REPORT = Path(__file__).parents[2] / "examples" / "image_report", "image_report"
ROUNDS = 6
"""Runs of each kind, so that all of them take a few seconds."""


@pytest.fixture(scope="module", params=["small", "busy", "image_report"])
def laboratory(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laboratory]:
    """Three actions; the photos of the last are looked after here (I5)."""
    place = tmp_path_factory.mktemp(request.param).resolve()
    photos, sandbox = place / "photos", place / "sandbox"
    photos.mkdir()
    for number in range(3):
        Image.new("RGB", (30, 20), (60 * number, 90, 120)).save(photos / f"photo-{number}.png")
    before = snapshot_tree(photos)
    params = {"input_dir": str(photos), "output_dir": str(sandbox / "world" / "out"), "resize_width": 20}
    action: Any = {"small": SafeAction, "busy": BusyAction}.get(request.param, IMAGE_REPORT)
    given = params if action is IMAGE_REPORT else {}
    with Laboratory.set_up(action, given, sandbox, lambda _: None, snapshot_tree) as made:
        yield made
    assert snapshot_tree(photos) == before


@pytest.mark.parametrize("number", range(ROUNDS))
def test_a_resumed_run_converges(laboratory: Laboratory, lot: random.Random, number: int) -> None:  # noqa: ARG001  # part of the seed
    """However often it is killed, it ends as if nothing had happened."""
    run_id = laboratory.begin_and_kill(lot)

    status = laboratory.recover(run_id, lot, "resume")

    laboratory.check(status, "succeeded")


@pytest.mark.parametrize("number", range(ROUNDS))
def test_a_rollback_converges(laboratory: Laboratory, lot: random.Random, number: int) -> None:  # noqa: ARG001  # part of the seed
    """However often it is killed, nothing is left of the run in the end; unless the run was over before."""
    run_id = laboratory.begin_and_kill(lot)

    status = laboratory.recover(run_id, lot, "rollback")

    laboratory.check(status, "rolled_back", "failed", "succeeded")


@pytest.mark.parametrize("number", range(ROUNDS))
def test_who_cannot_decide_does_no_harm(laboratory: Laboratory, lot: random.Random, number: int) -> None:  # noqa: ARG001  # part of the seed
    """A run that is resumed and rolled back in turns is all there or all gone; once it goes back, it goes back."""
    run_id = laboratory.begin_and_kill(lot)

    status = laboratory.recover(run_id, lot, "resume", "rollback")

    laboratory.check(status, "rolled_back", "failed", "succeeded")

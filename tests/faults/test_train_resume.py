"""A training that was killed goes on from its last checkpoint: no epoch is trained twice, and no half one is used."""

import json
from pathlib import Path

import pytest

from synapse_sdk.testing.crash_process import CrashProcess
from tests.faults.training import PARAMS, CrashTrain, look, make_world


@pytest.mark.parametrize(
    ("moment", "epochs_again"),
    [(("train.saving", 2), [1, 2]), (("train.saved", 2), [2]), (("train.trained", 1), [])],
    ids=["checkpoint without a name", "checkpoint with a name", "trained"],
)
def test_a_killed_training_goes_on_from_its_last_checkpoint(
    tmp_path: Path, moment: tuple[str, int], epochs_again: list[int]
) -> None:
    """And comes to the model that it would have come to undisturbed."""
    expected = _undisturbed(tmp_path / "undisturbed")
    place = tmp_path / "killed"
    (place / "world").mkdir(parents=True)
    make_world(place / "world")
    with CrashProcess(CrashTrain, PARAMS, {}, place, timeout=30.0) as process:
        run_id = process.new_run()
        assert process.do("run", run_id, dies_at=moment).is_killed
        outcome = process.do("resume", run_id)

    assert outcome.status == "succeeded", outcome.error
    assert look(place / "world") == expected
    saved = [name for name in outcome.trace if name == "train.saved"]
    assert len(saved) == len(epochs_again)


def test_a_checkpoint_that_was_spoilt_is_not_gone_on_from(tmp_path: Path) -> None:
    """T5: the one before it is, and the model is the same."""
    expected = _undisturbed(tmp_path / "undisturbed")
    place = tmp_path / "killed"
    (place / "world").mkdir(parents=True)
    make_world(place / "world")
    with CrashProcess(CrashTrain, PARAMS, {}, place, timeout=30.0) as process:
        run_id = process.new_run()
        assert process.do("run", run_id, dies_at=("train.saved", 2)).is_killed
        (newest,) = (place / "world" / ".synapse").rglob("checkpoints/00000002/mean")
        newest.write_text(json.dumps(0.5))
        outcome = process.do("resume", run_id)

    assert (outcome.status, look(place / "world")) == ("succeeded", expected)
    assert outcome.trace.count("train.saved") == 2


def _undisturbed(place: Path) -> object:
    (place / "world").mkdir(parents=True)
    make_world(place / "world")
    with CrashProcess(CrashTrain, PARAMS, {}, place, timeout=30.0) as process:
        assert process.do("run", process.new_run()).status == "succeeded"
    return look(place / "world")

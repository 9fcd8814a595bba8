"""Killed at any moment, a training can be finished, and it can be undone: a whole model, or none."""

from pathlib import Path

import pytest

from synapse_sdk.failpoints import FAILPOINTS
from synapse_sdk.testing import assert_crash_safe
from tests.faults.training import PARAMS, CrashTrain, look, make_world

OURS = {name for name in FAILPOINTS if name.startswith("train.")}


def test_a_training_survives_a_few_moments(tmp_path: Path) -> None:
    """A sample of what the test below tries, for every change."""
    report = assert_crash_safe(CrashTrain, PARAMS, world=make_world, look=look, sandbox=tmp_path, limit=3)

    assert report.cases >= 8


@pytest.mark.full
def test_a_training_survives_every_moment(tmp_path: Path) -> None:
    """F1 to F3: afterwards there is the model that there always is, or no trace of it."""
    report = assert_crash_safe(CrashTrain, PARAMS, world=make_world, look=look, sandbox=tmp_path, limit=100)

    assert {name for name in OURS if not report.kills.get(name)} == set()

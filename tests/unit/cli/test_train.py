"""`synapse train`: a model in one command, which goes on after a crash."""

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from synapse_sdk.backend import open_backend
from tests.unit.cli.training import write_trainer

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Synapse

TRAIN = ("train", "trainer", "--path", "numbers.json", "--progress", "none")
KILLED = 137


@pytest.fixture(autouse=True)
def _trainer(home: Path) -> None:
    """A plugin that trains."""
    write_trainer(home)


def test_a_model_is_trained_and_registered(synapse: "Synapse") -> None:
    """Its name and its figures are told."""
    outcome = synapse(*TRAIN, "--as", "mean@1", "--set", "epochs=2")

    assert outcome.code == 0, outcome.err
    assert outcome.out.splitlines()[:2] == ["Trained the model mean@1", "  train      epoch 1, mean 2.95312"]
    assert synapse("models", "show", "mean@1", "--json").json["configuration"]["hyperparameters"] == {"epochs": 2}
    (listed,) = synapse("runs", "list", "--json").json["runs"]
    assert (listed["action"], listed["status"]) == ("train", "succeeded")


def test_a_program_gets_json(synapse: "Synapse") -> None:
    """Events, and the result in the last line."""
    lines = synapse(*TRAIN[:4], "--as", "mean@1", "--json").lines

    assert (lines[-1]["type"], lines[-1]["exit_code"]) == ("result", 0)
    assert lines[-1]["result"]["model"] == {"id": 1, "name": "mean", "version": "1"}
    assert any(line.get("event") == "metrics_reported" for line in lines)


def test_a_training_begins_with_a_model(synapse: "Synapse") -> None:
    """That was trained before."""
    assert synapse(*TRAIN, "--as", "mean@1").code == 0

    outcome = synapse(*TRAIN, "--as", "mean@2", "--from", "mean@1", "--set", "epochs=1")

    assert outcome.code == 0, outcome.err
    assert synapse("models", "show", "mean", "--json").json["configuration"]["begun_with"] == "mean@1"


def test_the_same_command_goes_on_after_a_crash(synapse: "Synapse", home: Path) -> None:
    """From the last checkpoint; there is one run and one model."""
    died = subprocess.run(
        [sys.executable, "-m", "synapse_sdk.cli", *TRAIN, "--as", "mean@1"],
        env={**os.environ, "SYNAPSE_FAILPOINTS": "train.saved=kill@2"},
        cwd=home,
        check=False,
        capture_output=True,
    )
    assert died.returncode == KILLED, died.stderr

    outcome = synapse(*TRAIN, "--as", "mean@1")

    assert outcome.code == 0, outcome.err
    assert "Going on with run" in outcome.err
    (listed,) = synapse("runs", "list", "--json").json["runs"]
    assert listed["status"] == "succeeded"
    with open_backend() as backend:
        assert [(each.name, each.version) for each in backend.models.list()] == [("mean", "1")]


@pytest.mark.parametrize(
    ("args", "code", "hint"),
    [
        (("--action", "other"), 78, "does not train"),
        (("--action", "trian"), 2, "train"),
        (("--as", "mean@1", "--set", "version=2"), 2, "cannot have version"),
        (("--set", "epoch=3"), 2, "did you mean 'epochs'"),
        (("--from", "nothing"), 2, "nothing"),
        (("--storage", "nowhere"), 2, "nowhere"),
        (("--dataset", "birds"), 2, "cannot both be learned from"),
    ],
)
def test_what_could_only_fail_is_refused_before_a_run_begins(
    args: tuple[str, ...], code: int, hint: str, synapse: "Synapse"
) -> None:
    """With the way out."""
    outcome = synapse(*TRAIN, *args)

    assert (outcome.code, outcome.out) == (code, "")
    assert hint in outcome.err
    assert synapse("runs", "list", "--json").json["runs"] == []


def test_a_version_that_is_there_is_refused(synapse: "Synapse") -> None:
    """Before anything is trained."""
    assert synapse(*TRAIN, "--as", "mean@1").code == 0

    outcome = synapse(*TRAIN, "--as", "mean@1")

    assert outcome.code == 2
    assert "There is a model 'mean' of version '1' already" in outcome.err


def test_a_dry_run_shows_the_steps(synapse: "Synapse") -> None:
    """And runs none."""
    outcome = synapse(*TRAIN, "--dry-run", "--json")

    assert [each["step"] for each in outcome.json["steps"]] == ["train", "save_checkpoint", "upload_model"]
    assert synapse("models", "list", "--json").json["models"] == []

"""`synapse dataset download`: what it says, how it ends, and that the same command goes on."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.unit.cli.working import make_birds

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Synapse

DOWNLOAD = ("dataset", "download", "birds", "out")


@pytest.fixture(autouse=True)
def birds(home: Path) -> Path:
    """A version of `birds` with two images for training and one for validation; where their objects are."""
    make_birds(home / "store")
    return home / "store"


def _files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


ALL = {
    "dataset.json",
    "manifest.json",
    *(f"train/json/cat{number}.json" for number in range(2)),
    *(f"train/original_files/cat{number}.png" for number in range(2)),
    "valid/json/cat2.json",
    "valid/original_files/cat2.png",
}


def test_a_download_is_told_in_a_few_lines(synapse: "Synapse", home: Path) -> None:
    """Where it is, which version, and where the report is."""
    outcome = synapse(*DOWNLOAD)

    assert outcome.code == 0, outcome.err
    first, version, originals, report = outcome.out.splitlines()
    assert first == "3 items of dm_v2 in out"
    assert version == "  version    birds@1 (train 2, valid 1)"
    assert originals.startswith("  originals  ")
    assert report.startswith("  report     ")
    assert _files(home / "out") == ALL


def test_a_second_one_says_that_nothing_was_fetched(synapse: "Synapse") -> None:
    """It was here already."""
    assert synapse(*DOWNLOAD).code == 0

    outcome = synapse("dataset", "download", "birds@1", "other")

    assert outcome.code == 0, outcome.err
    assert "  download   not needed: it was here already" in outcome.out


def test_a_format_may_be_named(synapse: "Synapse", home: Path) -> None:
    """Then what was downloaded is converted."""
    outcome = synapse(*DOWNLOAD, "--format", "yolo", "--class", "cat", "--images", "hardlink", "--json")

    assert outcome.code == 0, outcome.err
    result = json.loads(outcome.out.splitlines()[-1])["result"]
    assert (result["format"], result["count"]) == ("yolo", 3)
    assert (home / "out" / "dataset.yaml").is_file()


def test_splits_and_filters_may_be_named(synapse: "Synapse", home: Path) -> None:
    """As the action has them."""
    outcome = synapse(
        *DOWNLOAD, "--split", "train:category=validation", "--split", "test:category=train", "--no-originals"
    )

    assert outcome.code == 0, outcome.err
    assert {path for path in _files(home / "out") if "/" in path} == {
        "train/json/cat2.json",
        "test/json/cat0.json",
        "test/json/cat1.json",
    }


def test_losses_have_an_exit_code(synapse: "Synapse", birds: Path) -> None:
    """3, as for every other command."""
    _lose_one(birds)

    outcome = synapse(*DOWNLOAD)

    assert outcome.code == 3
    assert "  failed     1 item:" in outcome.out


def test_too_many_failures_leave_nothing(synapse: "Synapse", birds: Path, home: Path) -> None:
    """Then it is an error."""
    _lose_one(birds)

    outcome = synapse(*DOWNLOAD, "--max-failed", "0")

    assert outcome.code == 1
    assert "1 item cannot be downloaded, and 0 may" in outcome.err
    assert not (home / "out").exists()


def _lose_one(store: Path) -> None:
    next(path for path in store.rglob("*") if path.is_file()).unlink()


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("dataset", "download", "brids", "out"), "brids"),
        (("dataset", "download", "birds@7", "out"), "birds"),
        ((*DOWNLOAD, "--format", "yool"), "Did you mean 'yolo'"),
        ((*DOWNLOAD, "--task", "segment"), "--task is for a conversion"),
        ((*DOWNLOAD, "--split", "train"), "SPLIT:KEY=VALUE"),
        ((*DOWNLOAD, "--split", "train:categry=train"), "categry"),
        ((*DOWNLOAD, "--filter", "category"), "KEY=VALUE"),
        (("dataset", "download", "birds", "store"), "is there already, and not empty"),
        (("dataset", "download", "birds", "/"), "is not the name of a new folder"),
    ],
)
def test_what_cannot_be_is_said_before_a_run_begins(synapse: "Synapse", args: tuple[str, ...], words: str) -> None:
    """Nothing is recorded."""
    before = synapse("runs", "list", "--json").json["runs"]

    outcome = synapse(*args)

    assert outcome.code not in {0, 3}
    assert words in outcome.err
    assert synapse("runs", "list", "--json").json["runs"] == before


@pytest.mark.parametrize("at", ["export.saved", "dataset.downloaded", "dataset.placed"])
def test_the_same_command_goes_on_after_a_crash(synapse: "Synapse", home: Path, at: str) -> None:
    """With the run that was interrupted."""
    environ = {**os.environ, "SYNAPSE_FAILPOINTS": f"{at}=kill@1"}
    command = [sys.executable, "-P", "-m", "synapse_sdk.cli", *DOWNLOAD]
    ended = subprocess.run(command, env=environ, capture_output=True, timeout=60, check=False)
    assert ended.returncode == 137, ended.stderr

    outcome = synapse(*DOWNLOAD, "--concurrency", "2") if at != "dataset.placed" else synapse(*DOWNLOAD)

    assert outcome.code == 0, outcome.err
    assert "Going on with run" in outcome.err
    assert _files(home / "out") == ALL

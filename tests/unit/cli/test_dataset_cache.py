"""`synapse dataset cache`: what is kept, and what is removed."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from synapse_sdk.plugins.actions.dataset.cache import FACTS, cache_folder
from synapse_sdk.plugins.actions.dataset.cache_holding import Holding
from tests.unit.cli.working import make_birds

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Synapse

CACHE = ("dataset", "cache")


@pytest.fixture
def kept(home: Path, synapse: "Synapse") -> Path:
    """A dataset that was downloaded long ago."""
    make_birds(home / "store")
    assert synapse("dataset", "download", "birds", "out").code == 0
    (path,) = cache_folder().iterdir()
    os.utime(path / FACTS, (0, 0))
    return path


def test_nothing_is_kept_at_first(synapse: "Synapse") -> None:
    """Nor is anything removed."""
    listed, pruned = synapse(*CACHE, "list"), synapse(*CACHE, "prune", "--all")

    assert (listed.code, listed.out) == (0, "")
    assert "No downloaded datasets" in listed.err
    assert (pruned.code, pruned.out, pruned.err) == (0, "", "0 datasets with 0 B\n")


def test_what_is_kept_is_listed(synapse: "Synapse", kept: Path) -> None:
    """For people, and for programs."""
    shown, listed = synapse(*CACHE, "list"), synapse(*CACHE, "list", "--json")

    assert "birds@1" in shown.out
    assert "1970-01-01" in shown.out
    (found,) = json.loads(listed.out)["datasets"]
    assert (found["name"], found["version"], found["is_in_use"]) == (kept.name, "birds@1", False)
    assert found["used_at"] == "1970-01-01T00:00:00+00:00"
    assert found["bytes"] > 0


@pytest.mark.parametrize("choice", [("--all",), ("--older-than", "30d"), ("--keep-bytes", "0.1kB")])
def test_what_is_meant_is_removed(synapse: "Synapse", kept: Path, choice: tuple[str, ...]) -> None:
    """But not in a dry run; what was made of it stays."""
    dry = synapse(*CACHE, "prune", *choice, "--dry-run")
    assert (dry.code, kept.exists()) == (0, True)
    assert dry.out.startswith(f"would remove {kept.name} (")

    outcome = synapse(*CACHE, "prune", *choice, "--json")

    assert outcome.code == 0, outcome.err
    report = json.loads(outcome.out)
    assert [each["name"] for each in report["datasets"]] == [kept.name]
    assert report["are_removed"]
    assert not [*cache_folder().iterdir()]
    assert Path("out", "train", "json", "cat0.json").is_file()


@pytest.mark.parametrize("choice", [("--older-than", "99999w"), ("--keep-bytes", "10GB")])
def test_what_is_not_meant_stays(synapse: "Synapse", kept: Path, choice: tuple[str, ...]) -> None:
    """It is young enough, or there is room."""
    outcome = synapse(*CACHE, "prune", *choice)

    assert (outcome.code, outcome.out, kept.is_dir()) == (0, "", True)


def test_what_a_run_holds_stays(synapse: "Synapse", kept: Path) -> None:
    """And is said to."""
    holding = Holding()
    assert holding.take(kept)

    outcome = synapse(*CACHE, "prune", "--all")
    listed = synapse(*CACHE, "list")

    assert (outcome.code, outcome.out, kept.is_dir()) == (0, "", True)
    assert "1 dataset in use by runs stayed" in outcome.err
    assert "in use" in listed.out
    holding.release()


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ((), "--older-than AGE, --keep-bytes SIZE or --all"),
        (("--older-than", "30"), "'30' is no age"),
        (("--keep-bytes", "ten"), "'ten' is no size"),
        (("--keep-bytes", "-1"), "'-1' is no size"),
    ],
)
def test_what_to_remove_has_to_be_said(synapse: "Synapse", choice: tuple[str, ...], words: str) -> None:
    """In a way that cannot be misunderstood."""
    outcome = synapse(*CACHE, "prune", *choice)

    assert outcome.code == 2
    assert words in outcome.err

"""Removing downloaded datasets that are kept: those that are meant, whole, and never one that a run is at work with."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from synapse_sdk.plugins.actions.dataset import DatasetAction, DatasetContext, DatasetParams
from synapse_sdk.plugins.actions.dataset.cache import USED, cache_folder
from synapse_sdk.plugins.actions.dataset.cache_holding import Holding
from synapse_sdk.plugins.actions.dataset.cache_pruning import (
    KeptDataset,
    choose,
    kept_datasets,
    prune,
    remove_leftovers,
)
from synapse_sdk.plugins.steps import BaseStep, StepRegistry, StepResult
from tests.unit.plugins.actions.dataset.world import DatasetWorld

NOW = datetime(2026, 11, 28, tzinfo=UTC)


def kept(name: str, days: int, size: int, *, is_held: bool = False) -> KeptDataset:
    """Return a dataset that was used some days ago."""
    used_at = NOW - timedelta(days=days)
    return KeptDataset(path=Path(name), dataset=name, size=size, used_at=used_at, is_held=is_held)


ALL = [kept("new", 1, 40), kept("held", 5, 100, is_held=True), kept("old", 10, 30), kept("older", 20, 5)]


@pytest.mark.parametrize(
    ("days", "keep_bytes", "takes_all", "names"),
    [
        (None, None, True, ["new", "old", "older"]),
        (10, None, False, ["older"]),
        (2, None, False, ["old", "older"]),
        (None, 1000, False, []),
        (None, 175, False, []),
        (None, 174, False, ["older"]),
        (None, 145, False, ["old", "older"]),
        (None, 100, False, ["new", "old", "older"]),
        (None, 0, False, ["new", "old", "older"]),
        (15, 140, False, ["old", "older"]),
    ],
)
def test_what_is_removed_is_what_was_not_used_for_longest(
    days: int | None, keep_bytes: int | None, *, takes_all: bool, names: list[str]
) -> None:
    """By age, by room, or all; what a run holds stays, and takes room."""
    since = None if days is None else NOW - timedelta(days=days)

    chosen = choose(ALL, unused_since=since, keep_bytes=keep_bytes, takes_all=takes_all)

    assert [each.path.name for each in chosen] == names


def test_what_was_downloaded_is_listed(world: DatasetWorld) -> None:
    """With its version, its bytes, and when it was used; the last one first. Downloads under way are not there."""
    world.freeze()
    world.run()
    world.run(filter={"category": "train"})
    (cache_folder() / ".birds@1-0.0000.partial").mkdir()
    (cache_folder() / "birds@0-broken").mkdir()
    for number, name in enumerate(world.cached):
        if name[0] != ".":
            path = cache_folder() / name
            (path / USED).touch()
            os.utime(path / USED, (number, number))

    found = kept_datasets(cache_folder())

    assert [each.path.name for each in found] == [name for name in reversed(world.cached) if name[0] != "."]
    assert [each.dataset for each in found] == ["birds@1", "birds@1", ""]
    assert all(each.size for each in found[:2])
    assert not any(each.is_held for each in found)


def test_what_was_removed_is_downloaded_again(world: DatasetWorld) -> None:
    """And nothing is left of it meanwhile."""
    world.freeze()
    first = world.run()
    (found,) = kept_datasets(cache_folder())

    assert prune(found)

    assert world.cached == []
    assert prune(found)  # somebody else may have been faster
    second = world.run()
    assert second.download is not None
    assert not second.download.is_cached
    assert world.data_of(first) == world.data_of(second)


class LookStep(BaseStep[DatasetContext]):
    """Tries to remove everything while the run is at work."""

    name = "look"
    progress_weight = 0.1
    seen: list[tuple[bool, bool]]

    def execute(self, context: DatasetContext) -> StepResult:
        """Look, and try."""
        LookStep.seen = [(each.is_held, prune(each)) for each in kept_datasets(cache_folder())]
        return StepResult()

    def rollback(self, context: DatasetContext, result: StepResult) -> None:
        """Do nothing."""


class PrunedAction(DatasetAction[DatasetParams]):
    """Is disturbed between download and use."""

    def setup_steps(self, registry: StepRegistry[DatasetContext]) -> None:
        """Register the steps."""
        super().setup_steps(registry)
        registry.insert_after("export_dataset", LookStep())


@pytest.mark.parametrize("is_cached", [False, True])
def test_what_a_run_uses_stays(world: DatasetWorld, *, is_cached: bool) -> None:
    """Whether it has downloaded that itself or found it; afterwards nobody holds it."""
    world.freeze()
    if is_cached:
        world.run()

    result = world.run(PrunedAction)

    assert LookStep.seen == [(True, False)]
    assert result.download is not None
    assert result.download.is_cached is is_cached
    (found,) = kept_datasets(cache_folder())
    assert not found.is_held


def test_what_is_pruned_cannot_be_held(tmp_path: Path) -> None:
    """Nor can what was never there; holding is for the folder, whatever its name becomes."""
    holding, folder = Holding(), tmp_path / "birds"
    folder.mkdir()

    assert holding.take(folder)
    assert holding.take(folder)
    assert not holding.take(tmp_path / "nowhere")
    folder.rename(tmp_path / "other")
    (other,) = kept_datasets(tmp_path)
    assert other.is_held
    assert not prune(other)
    holding.release()
    assert prune(other)
    assert not Holding().take(tmp_path / "other")


def test_a_killed_removal_is_finished_by_the_next(tmp_path: Path) -> None:
    """What it has left has a hidden name; nothing else that is hidden is touched."""
    for name in (".birds@1-0.pruned/a.json", ".birds@1-1.0000.partial/b.json"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()

    remove_leftovers(tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == [".birds@1-1.0000.partial"]

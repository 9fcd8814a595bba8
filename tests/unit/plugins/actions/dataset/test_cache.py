"""What was downloaded once is not downloaded again, and never used when it is not what is asked for."""

import json
from pathlib import Path
from typing import Any

import pytest

from synapse_sdk.errors import StepFailedError
from synapse_sdk.plugins.actions.dataset import DatasetAction, DatasetContext, DatasetParams, DatasetResult
from synapse_sdk.plugins.actions.dataset.cache import cache_folder
from synapse_sdk.plugins.steps import BaseStep, StepRegistry, StepResult
from tests.unit.plugins.actions.dataset.world import TRAIN, DatasetWorld


def is_cached(result: DatasetResult) -> bool:
    """Whether a run has used what another one had downloaded."""
    assert result.download is not None
    return result.download.is_cached


def test_the_same_is_downloaded_once(world: DatasetWorld) -> None:
    """Even where the storage is gone meanwhile; what comes out is the same, and has the same figures."""
    world.freeze()
    first = world.run()
    world.store.rename(world.folder / "gone")

    second = world.run()

    assert (is_cached(first), is_cached(second)) == (False, True)
    assert world.data_of(first) == world.data_of(second)
    assert first.download is not None
    assert second.download == first.download.model_copy(update={"is_cached": True})
    assert len(world.cached) == 1


@pytest.mark.parametrize(
    "params",
    [
        {"filter": {"category": "train"}},
        {"splits": {"train": {"category": "train"}, "test": {"category": "validation"}}},
        {"is_categorized": False},
        {"save_original_file": False},
        {"dataset": "birds@2"},
    ],
    ids=str,
)
def test_something_else_is_downloaded_anew(world: DatasetWorld, params: dict[str, Any]) -> None:
    """D4: filters, splits, layout, files and version are part of what is asked for."""
    world.freeze()
    world.run(dataset="birds@1")
    world.freeze(dict.fromkeys([world.add("wren2.png")], TRAIN))

    result = world.run(**{"dataset": "birds@1", **params})

    assert not is_cached(result)
    assert len(world.cached) == 2


def _rewrite(folder: Path) -> None:
    path = folder / "train" / "original_files" / "owl.png"
    path.write_bytes(path.read_bytes()[::-1])


def _remove(folder: Path) -> None:
    (folder / "train" / "json" / "owl.json").unlink()


def _add(folder: Path) -> None:
    (folder / "train" / "json" / "new.json").write_text("{}")


def _swap(folder: Path) -> None:
    one, two = folder / "train" / "json" / "owl.json", folder / "train" / "json" / "wren.json"
    one.rename(folder / "aside")
    two.rename(one)
    (folder / "aside").rename(two)


def _lose_manifest(folder: Path) -> None:
    (folder / "manifest.json").unlink()


def _lie(folder: Path) -> None:
    facts = json.loads((folder / "dataset.json").read_text())
    (folder / "dataset.json").write_text(json.dumps({**facts, "key": "0" * 64}))


def _garble(folder: Path) -> None:
    (folder / "dataset.json").write_text('{"dataset": ')


@pytest.mark.parametrize("harm", [_rewrite, _remove, _add, _swap, _lose_manifest, _lie, _garble])
def test_what_is_not_as_it_was_is_not_used(world: DatasetWorld, harm: Any) -> None:  # noqa: ANN401  # a function
    """D4: whatever somebody has done to it; the next download is whole again."""
    world.freeze()
    first = world.run()
    harm(cache_folder() / world.cached[0])

    second = world.run()

    assert not is_cached(second)
    assert world.data_of(second) == world.data_of(first)
    assert is_cached(world.run())


def test_a_download_with_failures_is_not_used_again(world: DatasetWorld) -> None:
    """D4: what was missing then may be there now."""
    world.freeze()
    lost = world.store / world.units()["owl.png"].files["images"].key
    content = lost.read_bytes()
    lost.unlink()
    assert world.run().losses == 1
    lost.write_bytes(content)

    result = world.run()

    assert not is_cached(result)
    assert (result.losses, result.count) == (0, 3)


class Fail(BaseStep[DatasetContext]):
    """Fails."""

    name, progress_weight = "fail", 0.0

    def execute(self, context: DatasetContext) -> StepResult:
        """Fail."""
        return StepResult(success=False, error="as it was meant to")


class Failing(DatasetAction[DatasetParams]):
    """Fails after everything."""

    def setup_steps(self, registry: StepRegistry[DatasetContext]) -> None:
        """Register one more step."""
        super().setup_steps(registry)
        registry.register(Fail())


def test_a_run_that_fails_removes_what_it_has_downloaded(world: DatasetWorld) -> None:
    """And the folders that were made for it."""
    world.freeze()

    with pytest.raises(StepFailedError):
        world.run(Failing, output="out")

    assert not (world.folder / ".synapse" / "datasets").exists()
    assert not (world.folder / "out").exists()


def test_a_run_that_fails_leaves_what_was_there_before(world: DatasetWorld) -> None:
    """A complete download of another run is none of its business."""
    world.freeze()
    world.run()
    (world.folder / "out").mkdir()

    with pytest.raises(StepFailedError):
        world.run(Failing, output="out")

    assert len(world.cached) == 1
    assert is_cached(world.run())
    assert list((world.folder / "out").iterdir()) == []


def test_changing_an_output_does_not_change_what_is_kept(world: DatasetWorld) -> None:
    """By default an output is a copy."""
    world.freeze()
    first = world.run()
    for path in Path(first.path).rglob("*.*"):
        if path.is_file():
            path.write_bytes(b"spoiled")

    second = world.run()

    assert is_cached(second)
    assert b"spoiled" not in world.data_of(second).values()


def test_what_another_run_has_begun_to_use_stays(world: DatasetWorld) -> None:
    """Although the run that has downloaded it is undone."""
    world.freeze()
    others: list[DatasetResult] = []

    class Use(Fail):
        """Has another run use the download, and fails."""

        def execute(self, context: DatasetContext) -> StepResult:
            """Do it."""
            others.append(world.run())
            return super().execute(context)

    class Using(DatasetAction[DatasetParams]):
        """Runs it."""

        def setup_steps(self, registry: StepRegistry[DatasetContext]) -> None:
            """Register one more step."""
            super().setup_steps(registry)
            registry.register(Use())

    with pytest.raises(StepFailedError):
        world.run(Using, output="out")

    assert is_cached(others[0])
    assert len(world.data_of(others[0])) == 6
    assert is_cached(world.run())
    assert not (world.folder / "out").exists()

"""The steps in workflows of other people, and one definition of each."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from synapse_sdk.errors import StepFailedError
from synapse_sdk.plugins import run_action
from synapse_sdk.plugins.action import BaseAction
from synapse_sdk.plugins.actions import dataset as package
from synapse_sdk.plugins.actions.dataset import (
    ConvertDatasetStep,
    DatasetAction,
    DatasetContext,
    DatasetOperation,
    DatasetParams,
    DatasetStepContext,
    ExportDatasetStep,
)
from synapse_sdk.plugins.actions.dataset.cache import cache_folder
from synapse_sdk.plugins.context import RuntimeContext
from synapse_sdk.plugins.steps import BaseStep, StepRegistry, StepResult
from tests.unit.plugins.actions.dataset.test_cache import Fail
from tests.unit.plugins.actions.dataset.world import DatasetWorld

SEEN: list[dict[str, Any]] = []


@dataclass
class TrainContext(DatasetStepContext):
    """The context of a workflow that knows nothing else about datasets."""

    epochs: int = 0


class Train(BaseStep[TrainContext]):
    """Looks at the dataset."""

    name, progress_weight = "train", 0.5

    def execute(self, context: TrainContext) -> StepResult:
        """Do it."""
        SEEN.append(context.dataset)
        return StepResult()


def params_of(_: TrainContext) -> DatasetParams:
    """Return the parameters for the steps."""
    return DatasetParams(operation=DatasetOperation.CONVERT, dataset="birds", target_format="yolo")


class TrainAction(BaseAction[dict[str, Any]]):
    """Trains on a version of ground truths."""

    def setup_steps(self, registry: StepRegistry[TrainContext]) -> None:
        """Register the steps."""
        registry.register(ExportDatasetStep(weight=0.3, params=params_of))
        registry.register(ConvertDatasetStep(weight=0.2, params=params_of))
        registry.register(Train())
        if self.params.get("fails"):
            registry.register(Fail())  # type: ignore[arg-type]  # it looks at nothing

    def create_context(self) -> TrainContext:
        """Say nothing about datasets."""
        return TrainContext(self.ctx)


def test_the_steps_serve_a_workflow_of_another_action(world: DatasetWorld) -> None:
    """D8: the same classes; what they need to know of the run they find out."""
    world.freeze()

    run_action(TrainAction, {})

    seen = SEEN.pop()
    assert (seen["format"], seen["count"], seen["is_categorized"]) == ("yolo", 3, True)
    assert Path(seen["config_path"]).is_file()
    assert Path(seen["source_path"]).parent == cache_folder()
    assert not list((world.folder / ".synapse" / "runs").glob("*/work"))


def test_they_undo_what_they_did_in_it(world: DatasetWorld) -> None:
    """The same as in their own action."""
    world.freeze()

    with pytest.raises(StepFailedError):
        run_action(TrainAction, {"fails": True})

    assert not (world.folder / ".synapse" / "datasets").exists()


def test_a_downloaded_dataset_says_what_it_is(world: DatasetWorld) -> None:
    """Path, format, whether it has splits, and how many items."""
    world.freeze()
    context = TrainContext(RuntimeContext())

    ExportDatasetStep(params=lambda _: DatasetParams(dataset="birds")).execute(context)

    assert context.dataset == {
        "path": str(cache_folder() / world.cached[0]),
        "format": "dm_v2",
        "is_categorized": True,
        "count": 3,
    }


def test_a_workflow_without_a_version_skips_the_download(world: DatasetWorld) -> None:
    """So that a workflow may take either."""
    step = ExportDatasetStep(params=lambda _: DatasetParams(operation=DatasetOperation.CONVERT, path=str(world.folder)))

    assert step.can_skip(TrainContext(RuntimeContext()))


def test_there_is_nothing_to_convert_without_a_dataset() -> None:
    """A workflow that was put together wrongly hears of it."""

    class Convert(BaseAction[dict[str, Any]]):
        def setup_steps(self, registry: StepRegistry[TrainContext]) -> None:
            registry.register(ConvertDatasetStep(params=lambda _: DatasetParams(dataset=1)))

        def create_context(self) -> TrainContext:
            return TrainContext(self.ctx)

    with pytest.raises(StepFailedError, match="There is no dataset to convert"):
        run_action(Convert, {})


def test_steps_may_be_added_and_replaced(world: DatasetWorld) -> None:
    """As in the other actions."""
    world.freeze()
    seen: list[str] = []

    class Look(BaseStep[DatasetContext]):
        progress_weight = 0.0

        def __init__(self, name: str) -> None:
            self._name = name

        @property
        def name(self) -> str:
            return self._name

        def execute(self, context: DatasetContext) -> StepResult:
            seen.append(f"{self._name}: {context.dataset.get('format')}")
            return StepResult()

    class Mine(DatasetAction[DatasetParams]):
        def setup_steps(self, registry: StepRegistry[DatasetContext]) -> None:
            super().setup_steps(registry)
            registry.insert_before("export_dataset", Look("before"))
            registry.insert_after("export_dataset", Look("between"))
            registry.unregister("convert_dataset")
            registry.register(ConvertDatasetStep(weight=0.4, params=lambda context: context.params))

    result = world.run(Mine, operation=DatasetOperation.CONVERT)

    assert seen == ["before: None", "between: dm_v2"]
    assert result.format == "yolo"


def test_what_the_package_offers_is_there() -> None:
    """Each name is imported when somebody asks for it."""
    assert [name for name in package.__all__ if not hasattr(package, name)] == []

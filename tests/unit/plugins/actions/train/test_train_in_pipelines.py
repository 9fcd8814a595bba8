"""Training as the last action of a pipeline: it learns from what an action before it has made."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from synapse_sdk.errors import StepFailedError
from synapse_sdk.plugins.actions.train import TrainContext
from synapse_sdk.plugins.pipelines import ActionPipeline, Part
from tests.unit.plugins.actions.dataset.world import picture
from tests.unit.plugins.actions.train.world import Counting, TrainWorld


class Failing(Counting):
    """Trains, and fails when it has."""

    def train(self, context: TrainContext) -> Path:
        """Count, and raise."""
        super().train(context)
        msg = "out of memory"
        raise RuntimeError(msg)


def parts(world: TrainWorld, training: type[Counting]) -> Sequence[Part]:
    """Return two actions: a dataset becomes one in YOLO, and that is learned from."""
    source = world.folder / "source"
    (source / "json").mkdir(parents=True)
    (source / "original_files").mkdir()
    box = {"id": "b", "classification": "wren", "attrs": [], "data": [1, 2, 3, 4]}
    for name in ("a", "b"):
        (source / "json" / f"{name}.json").write_text(json.dumps({"images": [{"bounding_box": [box]}]}))
        (source / "original_files" / f"{name}.png").write_bytes(picture(name))
    convert = {"operation": "convert", "path": str(source), "output": "yolo", "target_format": "yolo"}
    train = {"name": "counter", "storage": str(world.folder / "models"), "epochs": 1}
    return Part(action="dataset", name="convert", params=convert), Part(action=training, name="train", params=train)


def test_a_training_gets_the_dataset_that_was_converted_before(world: TrainWorld) -> None:
    """Without a word about it: both name a dataset folder."""
    result = ActionPipeline(parts(world, Counting)).execute()

    files = [path for path in (world.folder / "yolo").rglob("*") if path.is_file()]
    (model,) = world.backend.models.list()
    assert result.results["train"]["model"]["id"] == model.id
    assert world.model_content(model) == str(len(files)).encode()


def test_if_the_training_fails_the_dataset_is_gone_as_well(world: TrainWorld) -> None:
    """In reverse order: the model first."""
    with pytest.raises(StepFailedError, match="out of memory"):
        ActionPipeline(parts(world, Failing)).execute()

    assert not (world.folder / "yolo").exists()
    world.assert_nothing_is_left()

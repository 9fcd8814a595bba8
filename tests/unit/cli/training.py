"""A plugin that trains, for the tests of `synapse train`."""

from pathlib import Path

__all__ = ["write_trainer"]

MANIFEST = """\
name: Trainer
code: trainer
version: 1.0.0
category: custom
description: Learns the mean of numbers.
actions:
  train:
    entrypoint: trainer:Train
    description: Learns the mean.
  other:
    entrypoint: trainer:Other
    description: Does something else.
"""
CODE = '''\
"""Learns the mean of numbers."""

import json
from pathlib import Path

from synapse_sdk.plugins import BaseAction
from synapse_sdk.plugins.actions.train import BaseTrainAction, TrainParams


class Params(TrainParams):
    epochs: int = 3


class Train(BaseTrainAction[Params]):
    """Learn the mean."""

    params_model = Params

    def train(self, context):
        numbers = json.loads(Path(context.data_path).read_bytes())
        mean, first = 0.0, 0
        if (last := context.last_checkpoint) is not None:
            mean, first = float((last.path / "mean").read_text()), last.state["epoch"] + 1
        elif (begin := context.get_checkpoint()) is not None:
            mean = float(Path(begin["path"]).read_text())
        for epoch in range(first, self.params.epochs):
            for number in numbers:
                mean += 0.5 * (number - mean)
            context.report_metrics({"mean": mean}, epoch=epoch)
            with context.new_checkpoint(epoch=epoch) as folder:
                (folder / "mean").write_text(repr(mean))
        path = context.model_folder / "mean.txt"
        path.write_text(repr(mean))
        return path


class Other(BaseAction[dict[str, int]]):
    """Do something else."""

    def execute(self):
        return 1
'''


def write_trainer(home: Path) -> None:
    """Write the plugin `trainer`, and `numbers.json` to learn from."""
    (home / "trainer").mkdir()
    (home / "trainer" / "config.yaml").write_text(MANIFEST)
    (home / "trainer" / "trainer.py").write_text(CODE)
    (home / "numbers.json").write_text("[1, 2, 4]")

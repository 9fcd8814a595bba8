"""Trainings that go wrong: their world, and what there is to be seen of it, the same in each try."""

import json
from pathlib import Path
from typing import Any

from synapse_sdk.backend import open_backend
from synapse_sdk.plugins.actions.model_files import model_storage
from synapse_sdk.plugins.actions.train import BaseTrainAction, TrainContext, TrainParams

__all__ = ["PARAMS", "CrashParams", "CrashTrain", "look", "make_world"]

PARAMS = {"path": "numbers.json", "name": "mean", "version": "1", "storage": "store", "epochs": 3}
SOMEBODY_ELSE = b"another model"


class CrashParams(TrainParams):
    """Parameters of the training below."""

    epochs: int = 3


class CrashTrain(BaseTrainAction[CrashParams]):
    """Learns the mean of some numbers by going towards it; its checkpoints hold all that it needs."""

    params_model = CrashParams

    def train(self, context: TrainContext) -> Path:
        """Train, with a checkpoint after each epoch."""
        numbers = json.loads(Path(context.data_path).read_bytes())
        mean, first = 0.0, 0
        if (last := context.last_checkpoint) is not None:
            mean, first = float((last.path / "mean").read_text()), int(str(last.state["epoch"])) + 1
        for epoch in range(first, self.params.epochs):
            for number in numbers:
                mean += 0.25 * (number - mean)
            context.report_metrics({"mean": mean}, epoch=epoch)
            with context.new_checkpoint(epoch=epoch) as folder:
                (folder / "mean").write_text(repr(mean))
            context.set_progress(epoch + 1, self.params.epochs)
        path = context.model_folder / "mean.txt"
        path.write_text(repr(mean))
        return path


def make_world(folder: Path) -> None:
    """Fill an empty folder with numbers to learn from, and a storage with a model of somebody else."""
    (folder / ".synapse").mkdir()
    (folder / "numbers.json").write_text("[1.5, 2.5, 4.0]")
    (folder / "store" / "models").mkdir(parents=True)
    (folder / "store" / "models" / "theirs").write_bytes(SOMEBODY_ELSE)
    with open_backend(folder / ".synapse" / "backend.db") as backend:
        backend.storages.create("store", (folder / "store").absolute().as_uri(), is_default=True)


def look(folder: Path) -> dict[str, Any]:
    """Return what is there: models and their contents, objects of all storages, and what a run needs while it lives."""
    with open_backend(folder / ".synapse" / "backend.db") as backend:
        models = backend.models.list()
        contents = []
        for model in models:
            with model_storage(backend, model) as storage:
                contents.append(storage.get(model.file.key).decode())
        runs = [path.name for path in (folder / ".synapse").glob("runs/*")]
        staged = [str(each.state) for run in runs for each in backend.models.of_run(run)]
    store = folder / "store"
    objects = [path for path in store.rglob("*") if path.is_file()]
    return {
        "models": [(each.name, each.version, each.configuration.get("hyperparameters")) for each in models],
        "contents": contents,
        "states": staged,
        "objects": sorted((path.suffix, path.read_bytes().decode()) for path in objects),
        "work": sorted(path.name for path in (folder / ".synapse").glob("runs/*/work")),
    }

"""A project in which models are trained, and what there is to be seen of it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synapse_sdk.backend import Model
from synapse_sdk.plugins import run_action
from synapse_sdk.plugins.actions.model_files import model_storage
from synapse_sdk.plugins.actions.train import BaseTrainAction, TrainContext, TrainParams, TrainResult
from tests.unit.plugins.actions.dataset.world import DatasetWorld

__all__ = ["Counting", "CountingParams", "TrainWorld"]


class CountingParams(TrainParams):
    """Parameters of the training below."""

    epochs: int = 3
    rate: float = 0.5


class Counting(BaseTrainAction[CountingParams]):
    """Learns how many files there are: a training whose every part can be foreseen."""

    params_model = CountingParams

    def train(self, context: TrainContext) -> Path:
        """Count in epochs, with a checkpoint after each."""
        params = self.params
        last = context.last_checkpoint
        first, count = (
            (0, 0) if last is None else (int(str(last.state["epoch"])) + 1, int((last.path / "n").read_text()))
        )
        for epoch in range(first, params.epochs):
            count += len([path for path in Path(context.data_path).rglob("*") if path.is_file()])
            context.report_metrics({"count": count}, epoch=epoch)
            with context.new_checkpoint(epoch=epoch) as folder:
                (folder / "n").write_text(str(count))
            context.set_progress(epoch + 1, params.epochs)
        path = context.model_folder / "model.txt"
        path.write_text(f"{count}")
        return path


@dataclass
class TrainWorld(DatasetWorld):
    """A project with ground truths, and a folder to learn from."""

    @property
    def pictures(self) -> Path:
        """A folder with two files."""
        folder = self.folder / "pictures"
        folder.mkdir(exist_ok=True)
        for name in ("a.txt", "b.txt"):
            (folder / name).write_text(name)
        return folder

    def learn(self, action: type[BaseTrainAction[Any]] = Counting, *, job_id: str | None = None, **params: Any) -> Any:  # noqa: ANN401  # those of the action, and its dictionary
        """Run the action, and see that nothing is half done."""
        result: TrainResult = run_action(action, self.train_params(**params), job_id=job_id)
        assert json.loads(Path(result["report_path"]).read_text())["status"] == "succeeded"
        assert self.work() == []
        return result

    def train_params(self, **params: Any) -> dict[str, Any]:  # noqa: ANN401  # as above
        """Return parameters to learn from the folder, unless a dataset is named."""
        usual: dict[str, Any] = {"storage": str(self.folder / "models")}
        if "dataset" not in params and "path" not in params:
            usual["path"] = str(self.pictures)
        return {**usual, **params}

    def work(self) -> list[Path]:
        """Return the folders of runs that are still at work."""
        return [*(self.folder / ".synapse").glob("runs/*/work")]

    def model_objects(self) -> list[str]:
        """Return the objects in the storage of models."""
        root = self.folder / "models"
        return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())

    def model_content(self, model: Model) -> bytes:
        """Return the content of a model."""
        with model_storage(self.backend, model) as storage:
            return storage.get(model.file.key)

    def assert_nothing_is_left(self) -> None:
        """See that there is no model, staged or registered, no object and no work."""
        runs = {path.name for path in (self.folder / ".synapse" / "runs").glob("*")}
        assert [model for run in runs for model in self.backend.models.of_run(run)] == []
        assert self.backend.models.list() == []
        assert self.model_objects() == []
        assert self.work() == []

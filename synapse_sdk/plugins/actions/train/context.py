"""What the steps of a training share, and what the code that trains may ask and say."""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from synapse_sdk.backend import Backend, Model, open_backend
from synapse_sdk.errors import ConfigurationError, TrainingError
from synapse_sdk.failpoints import hit
from synapse_sdk.plugins.actions.dataset import DatasetParams, DatasetStepContext
from synapse_sdk.plugins.actions.dataset.cache import cache_folder
from synapse_sdk.plugins.actions.model_files import fetch_model, file_name_of, find_model
from synapse_sdk.plugins.actions.storages import storage_for
from synapse_sdk.plugins.actions.train.checkpoints import Checkpoint, Checkpoints
from synapse_sdk.plugins.actions.train.models import NewModel, registered_model, remove_models, store_model
from synapse_sdk.plugins.actions.train.params import TrainParams
from synapse_sdk.plugins.actions.train.trackers import TrackedTraining, Trackers
from synapse_sdk.plugins.checkpoint import handle
from synapse_sdk.types import JsonObject, JsonValue

__all__ = ["TrainContext"]


@dataclass
class TrainContext(DatasetStepContext):
    """Input, intermediate state and output of one training."""

    # Input, set when the run starts.
    params: TrainParams = handle()
    dataset_params: Callable[[Path], DatasetParams] = handle()
    """The action's `dataset_params`."""
    trainer: Callable[["TrainContext"], Any] = handle()
    """The action's `train`."""
    name: str = ""
    """What the model is called."""
    version: str = ""
    started_at: str = ""
    """When it began: ISO 8601, UTC."""

    # Filled in on the way.
    model_path: str = ""
    """The file or folder that the training has left; once it is kept, the copy of it."""
    metrics: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The newest figures by category: train, validation, test."""
    reported: dict[str, int] = field(default_factory=dict)
    """How often figures of each category were reported."""
    model: dict[str, Any] = field(default_factory=dict)
    """The model that was created last: `id`, `name` and `version`."""

    @property
    def client(self) -> Any:  # noqa: ANN401  # whatever client the plugin was written for
        """The client of the run, if it has one."""
        return self.runtime_ctx.client

    @cached_property
    def backend(self) -> Backend:
        """The backend; opened on use."""
        return open_backend(self.backend_url)

    # The dataset

    @property
    def data_path(self) -> str:
        """What a trainer is given: the configuration of the dataset, or its folder where there is none.

        Raises:
            ConfigurationError: There is no dataset: none was named, or it is not there any more.
        """
        named = self.dataset.get("config_path") or self.dataset.get("path")
        if not named:
            msg = "There is no dataset to learn from"
            raise ConfigurationError(msg, fix="Name one (dataset, or path)")
        path = Path(self.dataset["path"])
        if path.parent == cache_folder():  # in a run that goes on, nobody has held it yet
            self.holding.take(path)
        if not Path(named).exists():
            msg = f"The dataset {named!r} is not there"
            raise ConfigurationError(msg, fix="Name a folder that is there, or start the training anew")
        return str(named)

    def get_dataset(self) -> dict[str, Any]:
        """Return the dataset: `path`, `format`, `is_categorized`, `count`, `data_path`. Raises as `data_path` does."""
        return {**self.dataset, "data_path": self.data_path}

    # Where the training begins, and how far it is

    def get_checkpoint(self) -> dict[str, Any] | None:
        """Return the model to begin with: `category`, `path`, `id` and `name`; None if none is named.

        Its file is brought to this machine, whole and verified.

        Raises:
            RecordNotFoundError: There is no such model.
            StorageError: Its file cannot be had.
        """
        if self.params.checkpoint is None:
            return None if self.runtime_ctx.checkpoint is None else dict(self.runtime_ctx.checkpoint)
        model = self.get_model(self.params.checkpoint)
        folder = Path(self.work_folder, "begin", f"{model.id}-{model.file.sha256[:16]}")
        path = fetch_model(self.backend, model, folder / file_name_of(model))
        return {"category": "model", "path": str(path), "id": int(model.id), "name": model.name}

    @property
    def last_checkpoint(self) -> Checkpoint | None:
        """From where an interrupted training goes on: the newest whole checkpoint of this run; None at first."""
        return self._checkpoints.last()

    @contextmanager
    def new_checkpoint(self, **state: JsonValue) -> Iterator[Path]:
        """Give an empty folder to write into, which becomes the newest checkpoint of the run when the block ends.

        It is there whole or not at all, whenever the process dies, and durable when the block has ended. The two newest
        are kept until the run ends.

        Args:
            state: What the training needs besides files to go on, such as the epoch; JSON data.

        Raises:
            TrainingError: Nothing was written, or the state is no JSON.
            StorageError: It cannot be written.
        """
        with self._checkpoints.new(dict(state)) as folder:
            yield folder
        hit("train.saved")
        self.save_progress(checkpoint=dict(state))

    @property
    def model_folder(self) -> Path:
        """A folder of the run's own for the model, which is there; removed when the run has ended."""
        folder = Path(self.work_folder, "model")
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    @property
    def _checkpoints(self) -> Checkpoints:
        return Checkpoints(Path(self.work_folder, "checkpoints"))

    # What comes of it

    def report_metrics(self, metrics: Mapping[str, float], epoch: int | None = None, category: str = "train") -> None:
        """Report figures: they are shown, kept in the journal, and registered with the model; trackers get them, too.

        Args:
            metrics: Name to number.
            epoch: The epoch that they are of, if they are of one.
            category: `train`, `validation` or `test`.

        Raises:
            TrainingError: A figure is not finite: the training has diverged.
        """
        figures = {name: float(value) for name, value in metrics.items()}
        for name, value in figures.items():
            if not math.isfinite(value):
                when = "" if epoch is None else f" in epoch {epoch}"
                msg = f"The figure {name!r} of {category!r} is {value}{when}: the training has diverged"
                raise TrainingError(msg, fix="Train with a smaller learning rate, or look at the data", metric=name)
        shown: dict[str, Any] = figures if epoch is None else {"epoch": epoch, **figures}
        self.metrics = {**self.metrics, category: {**self.metrics.get(category, {}), **shown}}
        self.set_metrics(shown, category)
        self.log("metrics_reported", {"category": category, **shown})
        count = self.reported.get(category, 0)
        self.reported = {**self.reported, category: count + 1}
        self.trackers.report(figures, step=count if epoch is None else epoch, category=category)

    @cached_property
    def trackers(self) -> Trackers:
        """Where figures go besides. What one cannot keep is said once, and does not end the training."""
        training = TrackedTraining(run=self.run, name=self.name, version=self.version, hyperparameters=self.params.own)
        return Trackers(self.params.track, training, self._note_tracker)

    def end_tracking(self, *, has_succeeded: bool) -> None:
        """Tell the trackers that have figures of this training how it has ended."""
        if self.reported:
            self.trackers.end(has_succeeded=has_succeeded)

    def _note_tracker(self, name: str, error: Exception) -> None:
        self.sink_failures.note(f"tracker {name}", error)

    def create_model(self, path: str | Path, **fields: Any) -> dict[str, Any]:  # noqa: ANN401  # JSON data
        """Store the file of a model and announce it to the backend; it is registered when the run succeeds.

        The step in flight gets an undo entry; its `rollback` calls `remove_models`.

        Args:
            path: The file.
            fields: `name` and `version`, by default those of the run; all others go into the model's configuration.

        Returns:
            `id`, `name` and `version`.

        Raises:
            TrainingError: There is no file, or nothing in it.
            ConflictError: There is a model of this name and version already.
            StorageError, BackendError: It cannot be stored or announced.
        """
        self.record_undo(run=self.run)
        new = NewModel(
            run=self.run,
            name=str(fields.pop("name", self.name)),
            version=str(fields.pop("version", self.version)),
            configuration={**self._configuration(), **fields},
        )
        made = registered_model(self.backend, new)  # by a process that died after that: its files are gone
        if made is None:
            record = storage_for(self, self.backend, self.params.storage)
            made = store_model(self.backend, record, Path(path), new)
        self.model = {"id": int(made.id), "name": made.name, "version": made.version}
        self.log("model_staged", {**self.model, "size": made.file.size})
        return dict(self.model)

    def remove_models(self) -> None:
        """Remove all models of this run and their objects, for a step's `rollback`; safe to repeat."""
        remove_models(self.backend, self.run)
        self.model = {}

    def get_model(self, named: int | str) -> Model:
        """Return a model by id, `NAME@VERSION`, or `NAME` for the newest; raises RecordNotFoundError."""
        return find_model(self.backend, named)

    def _configuration(self) -> JsonObject:
        """Return what is registered with a model."""
        named = self.params.dataset if self.params.dataset is not None else self.dataset.get("path")
        known = {
            "description": self.params.description,
            "hyperparameters": self.params.own or None,
            "metrics": self.metrics or None,
            "dataset": self.download.get("dataset") or named,
            "begun_with": self.params.checkpoint,
        }
        return {name: value for name, value in known.items() if value is not None}

    def close(self) -> None:
        """Release what was opened; it is opened again when it is needed again."""
        self.holding.release()
        self.trackers.close()
        opened = self.__dict__.pop("backend", None)
        if opened is not None:
            opened.close()

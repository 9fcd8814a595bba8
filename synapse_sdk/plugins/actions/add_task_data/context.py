"""What the steps that give tasks their annotations share."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from synapse_sdk.backend import Backend, DataCollection, Project, ProjectId, TaskFilter, open_backend
from synapse_sdk.errors import ConfigurationError
from synapse_sdk.folders import remove_tree
from synapse_sdk.inference import InferenceModel
from synapse_sdk.plugins.actions.add_task_data.fetching import UnitFiles
from synapse_sdk.plugins.actions.add_task_data.ledger import TaskLedger
from synapse_sdk.plugins.actions.add_task_data.models import find_model
from synapse_sdk.plugins.actions.add_task_data.one_file import MOST_BYTES
from synapse_sdk.plugins.actions.add_task_data.params import AddTaskDataParams
from synapse_sdk.plugins.actions.add_task_data.subject import Subject
from synapse_sdk.plugins.actions.export.sources import BackendSources
from synapse_sdk.plugins.checkpoint import handle
from synapse_sdk.plugins.steps import BaseStepContext
from synapse_sdk.retry import RetryPolicy

__all__ = ["AddTaskDataContext"]

MOST_IMAGE_BYTES = 256 * 1024 * 1024
"""Bytes of a file that a model is asked about."""


@dataclass
class AddTaskDataContext(BaseStepContext):
    """Input, intermediate state and output of one run.

    There may be a million tasks: they are in the run's own ledger, and gone through, never kept.
    """

    # Input, set when the run starts.
    params: AddTaskDataParams = handle()
    run: str = ""
    backend_url: str | None = None
    """Where the backend is; None for the one that the settings name."""
    work_folder: str = ""
    """A folder of the run's own, for the ledger."""
    report_folder: str = ""
    convert_from_file: Callable[..., Any] = handle()
    """The action's `convert_data_from_file`."""
    make_model: Callable[[], InferenceModel] = handle()
    """The action's `load_model`."""
    setup_inference: Callable[..., Any] = handle()
    """The action's `setup_inference_params`."""
    convert_from_inference: Callable[..., Any] = handle()
    """The action's `convert_data_from_inference`."""

    # Filled in by the first step.
    project_id: int = 0
    started_at: str = ""
    """When it began: ISO 8601, UTC."""
    source_format: str = ""
    """The format of the file with the annotations of all tasks; empty without one."""
    model_reference: str = ""
    """By what the model of the run is found again; empty for one that a hook makes."""
    model_digest: str = ""
    """SHA-256 of its file; empty if it has none."""

    # Filled in by the others.
    total_count: int = 0
    success_count: int = 0
    failed_count: int = 0
    skipped_count: int = 0
    loss_count: int = 0
    """Single annotations that did not come through as they are."""
    failures: list[tuple[int, str, str]] = field(default_factory=list)
    """Id, reason and words of tasks that are not annotated: the first hundred."""
    stray_counts: dict[str, int] = field(default_factory=dict)
    """How many annotations have no task, by kind."""
    strays: list[tuple[str, str, str]] = field(default_factory=list)
    """Kind, name and words of the first hundred."""

    subject: Subject | None = handle()
    """What the hook in flight is about."""

    @cached_property
    def backend(self) -> Backend:
        """The backend; opened on use."""
        return open_backend(self.backend_url)

    @cached_property
    def project(self) -> Project:
        """The project; looked up on use."""
        return self.backend.projects.get(ProjectId(self.project_id) if self.project_id else self.params.project)

    @cached_property
    def collection(self) -> DataCollection:
        """The collection that the project is about; looked up on use."""
        return self.backend.collections.get(self.project.collection_id)

    @property
    def wanted(self) -> TaskFilter:
        """Which tasks get annotations."""
        return TaskFilter.parse({**self.params.task_filters, "project": self.project.id})

    @property
    def classes(self) -> list[str]:
        """The classes that the configuration of the project names."""
        named = self.project.configuration.get("classes")
        return [each for each in named if isinstance(each, str)] if isinstance(named, list) else []

    @cached_property
    def ledger(self) -> TaskLedger:
        """What became of every task; opened on use."""
        return TaskLedger(Path(self.work_folder) / "tasks.db")

    @property
    def retries(self) -> RetryPolicy:
        """How to try again what may succeed then."""
        return RetryPolicy(max_attempts=self.params.download_max_retries + 1, delay=0.25, max_delay=10.0, jitter=0.5)

    @cached_property
    def sources(self) -> BackendSources:
        """Where files of data units are read from."""
        return BackendSources(self.backend, self.retries)

    @property
    def files(self) -> UnitFiles:
        """What fetches files with annotations."""
        workers = self.params.download_max_workers
        return UnitFiles(self.sources, workers=workers, most_bytes=MOST_BYTES, retries=self.retries)

    @property
    def images(self) -> UnitFiles:
        """What fetches files for a model."""
        workers = self.params.download_max_workers
        return UnitFiles(self.sources, workers=workers, most_bytes=MOST_IMAGE_BYTES, retries=self.retries)

    @cached_property
    def model(self) -> InferenceModel:
        """The model; loaded on use."""
        return self.make_model()

    def named_model(self) -> InferenceModel:
        """Return the model that the parameter names; in a run that goes on, the one that it began with.

        Raises:
            ConfigurationError: There is none, or it has changed since the run began.
            StorageError: Its file cannot be had.
        """
        found = find_model(self.model_reference or str(self.params.model), lambda: self.backend)
        if self.model_digest not in {"", found.digest}:
            msg = f"The model {self.params.model!r} has changed since the run began"
            raise ConfigurationError(msg, fix="Put the former one back, or undo the run and start anew")
        self.model_reference, self.model_digest = found.reference, found.digest
        return found.model

    @property
    def goes_on(self) -> bool:
        """Whether the run goes on without tasks that cannot be annotated."""
        return self.params.on_error == "continue"

    def remove_work_folder(self) -> None:
        """Remove the run's own folder, and the ledger with it; safe to repeat."""
        self._close("ledger")
        remove_tree(self.work_folder)

    def close(self) -> None:
        """Release what was opened; it is opened again when it is needed again."""
        for name in ("project", "collection"):
            self.__dict__.pop(name, None)
        if hasattr(model := self.__dict__.pop("model", None), "close"):
            model.close()
        self._close("sources", "ledger", "backend")

    def _close(self, *names: str) -> None:
        for opened in [self.__dict__.pop(name) for name in names if name in self.__dict__]:
            opened.close()

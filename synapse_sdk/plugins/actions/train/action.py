"""The action that trains a model: which steps run, on what, and what comes out."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

from synapse_sdk.errors import ConfigurationError, SynapseError
from synapse_sdk.failpoints import hit
from synapse_sdk.folders import remove_tree
from synapse_sdk.plugins.actions.dataset import ConvertDatasetStep, DatasetOperation, DatasetParams, ExportDatasetStep
from synapse_sdk.plugins.actions.reported import ReportedAction, undone_status
from synapse_sdk.plugins.actions.train.context import TrainContext
from synapse_sdk.plugins.actions.train.models import register_models, remove_models
from synapse_sdk.plugins.actions.train.params import TrainParams
from synapse_sdk.plugins.actions.train.report import write_report
from synapse_sdk.plugins.actions.train.result import TrainResult
from synapse_sdk.plugins.actions.train.steps import SaveCheckpointStep, TrainStep, UploadModelStep
from synapse_sdk.plugins.steps import StepRegistry

__all__ = ["BaseTrainAction"]

TRAIN_WEIGHTS = {(True, True): 0.45, (True, False): 0.6, (False, True): 0.7, (False, False): 0.85}
"""The share of training itself, by whether a dataset is downloaded, and converted: the others have the rest of 1.0."""


class BaseTrainAction[P: TrainParams](ReportedAction[P, TrainContext]):
    """Train a model, and register it with the backend.

    A subclass overrides `train`, and gets its dataset downloaded and converted before, and its model kept, stored and
    registered afterwards. Or it overrides `setup_steps` and registers steps of its own. A model is known to others when
    the run has succeeded; a run that fails removes what it has staged, and one that was killed goes on from its last
    checkpoint.

    Example:
        >>> class MyTrainAction(BaseTrainAction[TrainParams]):
        ...     target_format = "yolo"
        ...
        ...     def train(self, context):
        ...         path = context.model_folder / "weights.txt"
        ...         path.write_text(f"learned from {context.data_path}")
        ...         return path
        >>> MyTrainAction.action_name
        'my_train'
    """

    action_name = "train"
    category = "neural_net"
    params_model = TrainParams
    target_format: ClassVar[str | None] = None
    """The format that `train` wants its dataset in; None for the one it is in."""

    def train(self, context: TrainContext) -> str | Path | None:
        """Train, and return the path of the model, a file or a folder; to be overridden.

        Args:
            context: Has the dataset (`data_path`), the parameters, the checkpoint to go on from (`last_checkpoint`),
                and what to call on the way: `report_metrics`, `new_checkpoint`, `set_progress`, `log`.
        """
        raise _silent(type(self))

    def setup_steps(self, registry: StepRegistry[TrainContext]) -> None:
        """Register the built-in steps: those about the dataset if there is one, then train, keep and upload.

        Raises:
            ConfigurationError: The action does not say how to train.
        """
        if type(self).train is BaseTrainAction.train:
            raise _silent(type(self))
        exports = self.params.dataset is not None
        converts = self.target_format is not None and (exports or self.params.path is not None)
        if exports:
            registry.register(ExportDatasetStep(weight=0.25, params=_dataset_params))
        if converts:
            registry.register(ConvertDatasetStep(weight=0.15, params=_dataset_params))
        registry.register(TrainStep(weight=TRAIN_WEIGHTS[exports, converts]))
        registry.register(SaveCheckpointStep(weight=0.05))
        registry.register(UploadModelStep(weight=0.10))

    def create_context(self) -> TrainContext:
        """Give the parameters, and the method that trains, to the steps."""
        facts, params = self.facts_of_run(), self.params
        self._context = TrainContext(
            **facts,
            dataset_params=self.dataset_params,
            trainer=self.train,
            name=params.name or self.action_name,
            version=params.version or facts["run"],
            started_at=datetime.now(UTC).isoformat(timespec="seconds"),
            dataset={} if params.folder is None else {"path": str(params.folder), "format": params.source_format},
        )
        return self._context

    def dataset_params(self, work_folder: Path) -> DatasetParams:
        """Return what the steps about datasets are told; a subclass may choose more, such as the `task` of YOLO.

        Args:
            work_folder: The run's own folder, for the converted dataset.
        """
        params = self.params
        return DatasetParams(
            operation=DatasetOperation.CONVERT,
            path=params.path,
            dataset=params.dataset,
            output=str(work_folder / "dataset"),
            filter=params.filter,
            splits=params.splits,
            max_failed=params.max_failed,
            source_format=params.source_format,
            target_format=self.target_format or "dm_v2",
            images=params.images,
        )

    def commit(self, context: TrainContext) -> None:
        """Register what was staged, write the report, and remove the run's own folder."""
        register_models(context.backend, context.run)
        hit("train.registered")
        context.end_tracking(has_succeeded=True)
        write_report(context, "succeeded")
        _remove_work_folder(context)

    def build_result(self, context: TrainContext, summary: dict[str, Any]) -> TrainResult:
        """Return what was trained, from what, and how well."""
        lost = context.download.get("failed", 0) + context.conversion.get("losses", 0)
        return TrainResult(
            **{**summary, "success": not lost},
            run=context.run,
            model=context.model or None,
            metrics=context.metrics,
            dataset=context.dataset or None,
            losses=lost,
            report_path=str(Path(context.report_folder, "report.json")),
        )

    def report_undone(self, context: TrainContext) -> Path:
        """Write a report that says whether anything is left."""
        return write_report(context, str(undone_status(context)))

    def clean_up(self, context: TrainContext) -> None:
        """Remove what steps of a subclass have staged and not taken back, and the run's own folder."""
        context.end_tracking(has_succeeded=False)
        try:
            remove_models(context.backend, context.run)
        except SynapseError as error:  # why the run failed matters more
            context.log("models_left", {"run": context.run, "error": str(error)})
        _remove_work_folder(context)


def _dataset_params(context: TrainContext) -> DatasetParams:
    return context.dataset_params(Path(context.work_folder))


def _silent(action: type[BaseTrainAction[Any]]) -> ConfigurationError:
    msg = f"Action {action.action_name!r} does not say how to train"
    return ConfigurationError(msg, fix=f"Override {action.__name__}.train, or register steps in setup_steps")


def _remove_work_folder(context: TrainContext) -> None:
    remove_tree(context.work_folder)

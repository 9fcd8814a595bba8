"""The last step: the model goes into a storage, and the backend knows of it."""

from synapse_sdk.plugins.actions.storages import forget_storage
from synapse_sdk.plugins.actions.train.context import TrainContext
from synapse_sdk.plugins.actions.train.models import remove_models
from synapse_sdk.plugins.steps import BaseStep, StepResult

__all__ = ["UploadModelStep"]


class UploadModelStep(BaseStep[TrainContext]):
    """Announce the model to the backend, and put its file; it is registered when the run succeeds.

    Args:
        weight: Its share of the whole work, 0.0 to 1.0.
    """

    name = "upload_model"

    def __init__(self, weight: float = 0.1) -> None:
        self._weight = weight

    @property
    def progress_weight(self) -> float:
        """Its share of the whole work."""
        return self._weight

    def execute(self, context: TrainContext) -> StepResult:
        """Fill `model`.

        Raises:
            TrainingError: There is no model, or nothing in it.
            ConflictError: There is a model of this name and version already.
            StorageError, BackendError: It cannot be stored or announced.
        """
        if not context.model_path:
            return StepResult(success=False, error="there is no model to upload: no step has set context.model_path")
        return StepResult(data=context.create_model(context.model_path))

    def rollback(self, context: TrainContext, result: StepResult) -> None:
        """Delete the object and forget the model; forget the storage that was made for this run."""
        entries = result.rollback_data.get("undo_log", [])
        for run in dict.fromkeys(entry["run"] for entry in entries if "run" in entry):
            remove_models(context.backend, run)
        for entry in entries:
            if "storage" in entry:
                forget_storage(context.backend, entry["storage"])
        context.model = {}

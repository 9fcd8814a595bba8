"""The step that keeps what the training has left, whatever happens to the original."""

from pathlib import Path

from synapse_sdk.folders import remove_tree
from synapse_sdk.plugins.actions.train.context import TrainContext
from synapse_sdk.plugins.actions.train.models import seal_model
from synapse_sdk.plugins.steps import BaseStep, StepResult

__all__ = ["SaveCheckpointStep"]

FOLDER = "kept"


class SaveCheckpointStep(BaseStep[TrainContext]):
    """Copy the model into the run's own folder, as one file: a run that is killed later need not train again.

    Args:
        weight: Its share of the whole work, 0.0 to 1.0.
    """

    name = "save_checkpoint"

    def __init__(self, weight: float = 0.05) -> None:
        self._weight = weight

    @property
    def progress_weight(self) -> float:
        """Its share of the whole work."""
        return self._weight

    def execute(self, context: TrainContext) -> StepResult:
        """Change `model_path`.

        Raises:
            TrainingError: There is no model, or nothing in it.
            StorageError: The copy cannot be written.
        """
        folder = Path(context.work_folder, FOLDER)
        context.record_undo(folder=str(folder))
        kept = seal_model(Path(context.model_path), folder)
        context.model_path = str(kept)
        return StepResult(data={"path": str(kept), "size": kept.stat().st_size})

    def rollback(self, context: TrainContext, result: StepResult) -> None:
        """Remove the copy."""
        for entry in result.rollback_data.get("undo_log", []):
            remove_tree(entry["folder"])

"""The step that trains: it calls the user's code, and sees what comes of it."""

from contextlib import suppress
from pathlib import Path

from synapse_sdk.failpoints import hit
from synapse_sdk.folders import remove_tree
from synapse_sdk.plugins.actions.train.context import TrainContext
from synapse_sdk.plugins.actions.train.destination import check_names
from synapse_sdk.plugins.steps import BaseStep, StepResult

__all__ = ["TrainStep"]

OWN = ("checkpoints", "model", "begin")
"""Folders of the run's own that the training writes into."""


class TrainStep(BaseStep[TrainContext]):
    """Call the action's `train`, which returns the path of the model, or sets `context.model_path`.

    Killed, the step is begun again; what it asks of `context.last_checkpoint` tells it where to go on.

    Args:
        weight: Its share of the whole work, 0.0 to 1.0.
    """

    name = "train"

    def __init__(self, weight: float = 0.5) -> None:
        self._weight = weight

    @property
    def progress_weight(self) -> float:
        """Its share of the whole work."""
        return self._weight

    def execute(self, context: TrainContext) -> StepResult:
        """Fill `model_path` and `metrics`.

        Raises:
            ConflictError: There is a model of this name and version already.
            RecordNotFoundError: There is no such storage, or no such model to begin with.
            ConfigurationError: The dataset that is named is not there.
            Exception: Whatever the training raises.
        """
        check_names(context.backend, context.params, context.name, context.run)
        if context.dataset:
            context.get_dataset()
        context.record_undo(folder=context.work_folder)
        returned = context.trainer(context)
        if returned is not None:
            context.model_path = str(Path(returned).absolute())
        if not context.model_path:
            return StepResult(success=False, error="the training has returned no path of a model, and set none")
        if not Path(context.model_path).exists():
            return StepResult(success=False, error=f"the training has left no model {context.model_path!r}")
        hit("train.trained")
        return StepResult(data={"model_path": context.model_path, "metrics": context.metrics})

    def rollback(self, context: TrainContext, result: StepResult) -> None:
        """Remove checkpoints, and the model if it is in the run's own folder."""
        for entry in result.rollback_data.get("undo_log", []):
            for name in OWN:
                folder = Path(entry["folder"], name)
                remove_tree(folder)
            with suppress(OSError):  # others are at work there
                Path(entry["folder"]).rmdir()

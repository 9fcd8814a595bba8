"""What the steps about datasets have in common: a weight to choose, and where they get their parameters."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from synapse_sdk.folders import data_folder
from synapse_sdk.plugins.actions.dataset.context import DatasetStepContext
from synapse_sdk.plugins.actions.dataset.params import DatasetParams
from synapse_sdk.plugins.runner import new_job_id
from synapse_sdk.plugins.steps import BaseStep

__all__ = ["DatasetStep", "own_folder"]


class DatasetStep(BaseStep[DatasetStepContext]):
    """A step about datasets, for any workflow.

    Args:
        weight: Its share of the whole work, 0.0 to 1.0.
        params: Returns the parameters for a context; by default its own `params`, if these are `DatasetParams`.
    """

    def __init__(self, weight: float, params: Callable[[Any], DatasetParams] | None = None) -> None:
        self._weight, self._params = weight, params

    @property
    def progress_weight(self) -> float:
        """Its share of the whole work."""
        return self._weight

    def params_of(self, context: DatasetStepContext) -> DatasetParams:
        """Return the parameters, and see that the context knows whose run it is."""
        context.run = context.run or str(context.runtime_ctx.job_id or new_job_id())
        folder = data_folder() / "runs" / context.run
        context.work_folder = context.work_folder or str(folder / "work")
        context.report_folder = context.report_folder or str(folder)
        params: DatasetParams = context.params if self._params is None else self._params(context)  # type: ignore[attr-defined]  # that of a workflow has them, or the constructor says where they are
        return params


def own_folder(context: DatasetStepContext) -> Path:
    """Return the folder for what a run writes when nobody says where: no other run has it, and nobody else's."""
    return data_folder() / "datasets" / context.run

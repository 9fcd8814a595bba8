"""The first step of inference: the model, and the tasks that it is asked about."""

from itertools import batched

from synapse_sdk.inference import CheckingModel
from synapse_sdk.plugins.actions.add_task_data.beginning import begin, end_undone
from synapse_sdk.plugins.actions.add_task_data.context import AddTaskDataContext
from synapse_sdk.plugins.actions.add_task_data.reading import TaskReader
from synapse_sdk.plugins.actions.add_task_data.records import Settlement, TaskStage
from synapse_sdk.plugins.steps import BaseStep, StepResult

__all__ = ["LoadModelStep"]

BATCH = 500


class LoadModelStep(BaseStep[AddTaskDataContext]):
    """Look up the project, load the model, and list the tasks."""

    name = "load_model"
    progress_weight = 0.05

    def execute(self, context: AddTaskDataContext) -> StepResult:
        """Fill `project_id`, `model_reference`, `model_digest`, `total_count` and `started_at`.

        Raises:
            RecordNotFoundError: There is no such project.
            ConfigurationError: There is no such model, or it knows classes that the project does not have.
            StorageError: The file of the model cannot be had.
        """
        begin(context)
        model = context.model  # before any image is fetched
        if isinstance(model, CheckingModel):
            model.check_classes(context.classes, context.params.pre_processor_params)
        ledger = context.ledger
        ledger.clear()
        for page in TaskReader(context).names():
            ledger.add(page)
        for batch in batched(ledger.entries(TaskStage.LISTED), BATCH):
            ledger.settle(Settlement(id=each.id, stage=TaskStage.LOADED) for each in batch)
        context.total_count = ledger.count()
        return StepResult(data={"total": context.total_count})

    def rollback(self, context: AddTaskDataContext, result: StepResult) -> None:
        """Write the report, and remove what the run had for itself."""
        end_undone(context)

"""The second step of inference: the model is asked about the primary file of each task's unit."""

from collections.abc import Iterator
from itertools import batched

from synapse_sdk.errors import SynapseError
from synapse_sdk.failpoints import hit
from synapse_sdk.inference import ModelInput
from synapse_sdk.plugins.actions.add_task_data.asking import Asked, answered, failure, prepared
from synapse_sdk.plugins.actions.add_task_data.context import AddTaskDataContext
from synapse_sdk.plugins.actions.add_task_data.fetching import Fetched, Hopeless
from synapse_sdk.plugins.actions.add_task_data.hooks import failed
from synapse_sdk.plugins.actions.add_task_data.losses import all_failed
from synapse_sdk.plugins.actions.add_task_data.reading import TaskReader, TaskWithUnit
from synapse_sdk.plugins.actions.add_task_data.records import Entry, Settlement, TaskStage
from synapse_sdk.plugins.actions.add_task_data.settling import settle
from synapse_sdk.plugins.steps import BaseStep, StepResult

__all__ = ["RunInferenceStep"]


class RunInferenceStep(BaseStep[AddTaskDataContext]):
    """Take the primary files of tasks through the model, batch by batch; those that follow are fetched and prepared.

    A batch that the model cannot take is taken one by one, so that one image fails alone.
    """

    name = "run_inference"
    progress_weight = 0.7

    def can_skip(self, context: AddTaskDataContext) -> bool:
        """Skip where there is nothing to do."""
        return context.total_count == 0

    def execute(self, context: AddTaskDataContext) -> StepResult:
        """Keep a result for every task, or note why it failed.

        Raises:
            StorageError: The ledger cannot be written, or a storage with files of units cannot be reached.
        """
        ledger, total = context.ledger, context.total_count
        size = context.params.inference_batch_size
        asked = prepared(context.model, self._asked(context), ahead=size)
        batches = (answered(context.model, batch) for batch in batched(asked, size))
        left = ledger.count(TaskStage.LOADED)  # a process that died has done some
        error = settle(context, batches, left=left, total=total, written=lambda: hit("tasks.inferred"))
        if error:
            return StepResult(success=False, error=error)
        if context.failed_count == total:
            return StepResult(success=False, error=all_failed(context))
        return StepResult(data={"inferred": ledger.count(TaskStage.INFERRED)})

    @staticmethod
    def _asked(context: AddTaskDataContext) -> Iterator[Asked]:
        reader, hopeless = TaskReader(context), Hopeless()
        tasks = reader.read(context.ledger.entries(TaskStage.LOADED))
        wanted = ((each, None if each[1] is None else each[1].primary_file) for each in tasks)
        for (entry, found), fetched in context.images.ahead(wanted):
            hopeless.note(fetched)
            yield Asked(entry, _question(context, reader, entry, found, fetched))


def _question(
    context: AddTaskDataContext,
    reader: TaskReader,
    entry: Entry,
    found: TaskWithUnit | None,
    fetched: Fetched | None,
) -> ModelInput | Settlement:
    """Return what the model is asked about a task, or why it cannot be."""
    if found is None:
        return failed(entry.id, "GONE", "it was removed meanwhile")
    if isinstance(fetched, SynapseError):
        return failed(entry.id, "NO_FILE", str(fetched))
    primary = found.primary_file
    if primary is None or fetched is None:
        return failed(entry.id, "NO_FILE", f"its unit {found.unit.key!r} has no file")
    task = reader.as_data(found)
    try:
        params = context.setup_inference(
            reader.url(primary),
            primary.name,
            task["data_unit"]["files"],
            model_id=context.params.model,
            pre_processor_params=dict(context.params.pre_processor_params),
            pre_processor_config={},
            task_data=task,
        )
    except Exception as error:  # noqa: BLE001  # a hook may raise anything: it fails its task
        return failure(entry, "HOOK_FAILED", error)
    if not isinstance(params, dict):
        words = f"setup_inference_params has made {type(params).__name__} of it, and not a dict"
        return failed(entry.id, "HOOK_FAILED", words)
    return ModelInput(name=primary.name, content=fetched, params=params)

"""The second step of inference: the model is asked about the primary file of each task's unit."""

import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import batched

from synapse_sdk.errors import StorageFullError, SynapseError
from synapse_sdk.failpoints import hit
from synapse_sdk.plugins.actions.add_task_data.context import AddTaskDataContext
from synapse_sdk.plugins.actions.add_task_data.fetching import Fetched, Hopeless
from synapse_sdk.plugins.actions.add_task_data.hooks import failed, told
from synapse_sdk.plugins.actions.add_task_data.losses import all_failed
from synapse_sdk.plugins.actions.add_task_data.models import InferenceModel, ModelInput
from synapse_sdk.plugins.actions.add_task_data.predictions import encoded_result
from synapse_sdk.plugins.actions.add_task_data.reading import TaskReader, TaskWithUnit
from synapse_sdk.plugins.actions.add_task_data.records import Entry, Settlement, TaskStage
from synapse_sdk.plugins.actions.add_task_data.settling import settle
from synapse_sdk.plugins.actions.export.records import writable
from synapse_sdk.plugins.steps import BaseStep, StepResult

__all__ = ["RunInferenceStep"]


@dataclass(frozen=True, slots=True)
class _Asked:
    """A task, and what the model is asked about it; or why it cannot be."""

    entry: Entry
    question: ModelInput | Settlement


class RunInferenceStep(BaseStep[AddTaskDataContext]):
    """Take the primary files of tasks through the model, batch by batch; those that follow are fetched meanwhile.

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
        asked = batched(self._asked(context), context.params.inference_batch_size)
        batches = (_answered(context.model, batch) for batch in asked)
        left = ledger.count(TaskStage.LOADED)  # a process that died has done some
        error = settle(context, batches, left=left, total=total, written=lambda: hit("tasks.inferred"))
        if error:
            return StepResult(success=False, error=error)
        if context.failed_count == total:
            return StepResult(success=False, error=all_failed(context))
        return StepResult(data={"inferred": ledger.count(TaskStage.INFERRED)})

    @staticmethod
    def _asked(context: AddTaskDataContext) -> Iterator[_Asked]:
        reader, hopeless = TaskReader(context), Hopeless()
        tasks = reader.read(context.ledger.entries(TaskStage.LOADED))
        wanted = ((each, None if each[1] is None else each[1].primary_file) for each in tasks)
        for (entry, found), fetched in context.images.ahead(wanted):
            hopeless.note(fetched)
            yield _Asked(entry, _question(context, reader, entry, found, fetched))


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
        return _failure(entry, "HOOK_FAILED", error)
    if not isinstance(params, dict):
        words = f"setup_inference_params has made {type(params).__name__} of it, and not a dict"
        return failed(entry.id, "HOOK_FAILED", words)
    return ModelInput(name=primary.name, content=fetched, params=params)


def _answered(model: InferenceModel, batch: Sequence[_Asked]) -> list[Settlement]:
    """Return what becomes of the tasks of a batch."""
    questions = [each for each in batch if isinstance(each.question, ModelInput)]
    answers = {}
    try:
        results = _ask(model, questions)
    except StorageFullError:
        raise
    except Exception:  # noqa: BLE001  # a model may raise anything; which input it is about is found out below
        answers = {each.entry.id: _alone(model, each) for each in questions}
    else:
        answers = {each.entry.id: _settled(each, result) for each, result in zip(questions, results, strict=True)}
    return [each.question if isinstance(each.question, Settlement) else answers[each.entry.id] for each in batch]


def _alone(model: InferenceModel, asked: _Asked) -> Settlement:
    try:
        (result,) = _ask(model, [asked])
    except StorageFullError:
        raise
    except Exception as error:  # noqa: BLE001  # it fails this task
        return _failure(asked.entry, "MODEL_FAILED", error)
    return _settled(asked, result)


def _ask(model: InferenceModel, asked: Sequence[_Asked]) -> Sequence[object]:
    """Return the results of the model, one for each input.

    Raises:
        ValueError: It returns another number of results, or something that has none.
        Exception: Whatever the model raises.
    """
    if not asked:
        return []
    results = model([each.question for each in asked if isinstance(each.question, ModelInput)])
    try:
        found = list(results)
    except TypeError as error:
        msg = f"the model has returned {type(results).__name__}, and not a list of results"
        raise ValueError(msg) from error
    if len(found) != len(asked):
        msg = f"the model has returned {len(found)} results for {len(asked)} inputs"
        raise ValueError(msg)
    return found


def _settled(asked: _Asked, result: object) -> Settlement:
    try:
        return Settlement(id=asked.entry.id, stage=TaskStage.INFERRED, content=encoded_result(result))
    except ValueError as error:
        return failed(asked.entry.id, "BAD_RESULT", str(error))


def _failure(entry: Entry, reason: str, error: Exception) -> Settlement:
    words = f"{type(error).__name__}: {told(error)}".removesuffix(": ")
    return failed(entry.id, reason, words, writable("".join(traceback.format_exception(error))))

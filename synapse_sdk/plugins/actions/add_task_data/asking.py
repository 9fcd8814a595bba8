"""Asking a model about tasks, batch by batch; inputs are prepared ahead where the model can do that."""

import os
import traceback
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from synapse_sdk.errors import InvalidImageError, ModelOutputError, ModelServiceError, StorageFullError
from synapse_sdk.inference import InferenceModel, ModelInput, PreparingModel
from synapse_sdk.plugins.actions.add_task_data.hooks import failed, told
from synapse_sdk.plugins.actions.add_task_data.predictions import encoded_result
from synapse_sdk.plugins.actions.add_task_data.records import Entry, Settlement, TaskStage
from synapse_sdk.plugins.actions.export.records import writable

__all__ = ["Asked", "answered", "failure", "prepared"]

MODEL_FAILED, BAD_RESULT, BAD_IMAGE = "MODEL_FAILED", "BAD_RESULT", "BAD_IMAGE"
"""Why a task is not annotated: the model has raised, or returned something of no use; the file is no image."""
MOST_THREADS = 4
"""That prepare inputs: the model wants processors, too."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A task, and what the model is asked about it; or why it cannot be."""

    entry: Entry
    question: Any
    """A `ModelInput`, or what the model has prepared of it; a `Settlement` if there is nothing to ask."""


def prepared(model: InferenceModel, asked: Iterable[Asked], *, ahead: int) -> Iterator[Asked]:
    """Yield what is asked in its order; threads prepare some of what follows while the model is at work.

    Args:
        model: What is asked; if it cannot prepare anything, nothing happens here.
        asked: What is asked.
        ahead: How many inputs are prepared and wait, at most.
    """
    if not isinstance(model, PreparingModel):
        yield from asked
        return
    threads = ThreadPoolExecutor(min(MOST_THREADS, os.cpu_count() or 1), thread_name_prefix="prepare")
    waiting: deque[Future[Asked] | Asked] = deque()
    try:
        for each in asked:
            is_input = isinstance(each.question, ModelInput)
            waiting.append(threads.submit(_prepared, model, each) if is_input else each)
            if len(waiting) > ahead:
                yield _ended(waiting.popleft())
        while waiting:
            yield _ended(waiting.popleft())
    finally:
        threads.shutdown(cancel_futures=True)


def answered(model: InferenceModel, batch: Sequence[Asked]) -> list[Settlement]:
    """Return what becomes of the tasks of a batch. One that the model cannot take is taken one by one.

    Raises:
        StorageFullError: The disk is full, which is no matter of one task.
        ModelServiceError: Nor is a service that fails all the time.
    """
    questions = [each for each in batch if not isinstance(each.question, Settlement)]
    answers = {}
    try:
        results = _ask(model, questions)
    except StorageFullError:
        raise
    except Exception as error:  # noqa: BLE001  # a model may raise anything; which input it is about is found out below
        _raise_if_gone(error)
        answers = {each.entry.id: _alone(model, each) for each in questions}
    else:
        answers = {each.entry.id: _settled(each, result) for each, result in zip(questions, results, strict=True)}
    return [each.question if isinstance(each.question, Settlement) else answers[each.entry.id] for each in batch]


def failure(entry: Entry, reason: str, error: Exception) -> Settlement:
    """Return that a task has failed by an exception of somebody else's code."""
    words = f"{type(error).__name__}: {told(error)}".removesuffix(": ")
    return failed(entry.id, reason, words, writable("".join(traceback.format_exception(error))))


def _prepared(model: PreparingModel, asked: Asked) -> Asked:
    try:
        return Asked(asked.entry, model.prepare(asked.question))
    except InvalidImageError as error:
        return Asked(asked.entry, failed(asked.entry.id, BAD_IMAGE, told(error)))
    except Exception as error:  # noqa: BLE001  # it fails this task
        return Asked(asked.entry, failure(asked.entry, MODEL_FAILED, error))


def _ended(asked: Future[Asked] | Asked) -> Asked:
    return asked if isinstance(asked, Asked) else asked.result()


def _alone(model: InferenceModel, asked: Asked) -> Settlement:
    try:
        (result,) = _ask(model, [asked])
    except StorageFullError:
        raise
    except Exception as error:  # noqa: BLE001  # it fails this task
        _raise_if_gone(error)
        return failure(asked.entry, MODEL_FAILED, error)
    return _settled(asked, result)


def _raise_if_gone(error: Exception) -> None:
    if isinstance(error, ModelServiceError) and error.transient:
        raise error


def _ask(model: InferenceModel, asked: Sequence[Asked]) -> Sequence[object]:
    """Return the results of the model, one for each input.

    Raises:
        ValueError: It returns another number of results, or something that has none.
        Exception: Whatever the model raises.
    """
    if not asked:
        return []
    ask = model.answer if isinstance(model, PreparingModel) else model
    results = ask([each.question for each in asked])
    try:
        found = list(results)
    except TypeError as error:
        msg = f"the model has returned {type(results).__name__}, and not a list of results"
        raise ValueError(msg) from error
    if len(found) != len(asked):
        msg = f"the model has returned {len(found)} results for {len(asked)} inputs"
        raise ValueError(msg)
    return found


def _settled(asked: Asked, result: object) -> Settlement:
    if isinstance(result, ModelOutputError):
        return failed(asked.entry.id, BAD_RESULT, told(result))
    if isinstance(result, Exception):
        return failure(asked.entry, MODEL_FAILED, result)
    try:
        return Settlement(id=asked.entry.id, stage=TaskStage.INFERRED, content=encoded_result(result))
    except ValueError as error:
        return failed(asked.entry.id, BAD_RESULT, str(error))

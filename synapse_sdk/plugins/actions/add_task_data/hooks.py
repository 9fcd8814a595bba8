"""Taking tasks through a hook that makes the document which is submitted."""

import json
import traceback
from collections.abc import Callable
from typing import Any

from synapse_sdk.errors import ItemSkippedError, StorageFullError, SynapseError
from synapse_sdk.plugins.actions.add_task_data.records import Settlement, TaskStage
from synapse_sdk.plugins.actions.export.records import Failure, writable

__all__ = ["failed", "settled", "told"]

SKIPPED, HOOK_FAILED, NO_DOCUMENT, UNREADABLE = "SKIPPED", "HOOK_FAILED", "NO_DOCUMENT", "UNREADABLE"
"""Why a task is not annotated: a hook did not want it, failed, or made no document; its annotations make no sense."""


def settled(task_id: int, hook: Callable[[], Any]) -> Settlement:
    """Return what becomes of a task by what a hook makes of its annotations.

    Args:
        task_id: The task.
        hook: Returns the document to submit, or raises.

    Raises:
        StorageFullError: The disk is full, which is no matter of one task.
    """
    try:
        document = hook()
        content = _encoded(document)
    except StorageFullError:
        raise
    except ItemSkippedError as error:
        failure = Failure(reason=SKIPPED, words=writable(error))
        return Settlement(id=task_id, stage=TaskStage.SKIPPED, failure=failure)
    except _NoDocumentError as error:
        return failed(task_id, NO_DOCUMENT, str(error))
    except SynapseError as error:
        return failed(task_id, UNREADABLE, told(error))
    except Exception as error:  # noqa: BLE001  # a hook may raise anything: it fails its task
        words = f"{type(error).__name__}: {told(error)}".removesuffix(": ")
        return failed(task_id, HOOK_FAILED, words, writable("".join(traceback.format_exception(error))))
    return Settlement(id=task_id, stage=TaskStage.CONVERTED, content=content)


def failed(task_id: int, reason: str, words: str, trace: str = "") -> Settlement:
    """Return that a task has failed, and why."""
    failure = Failure(reason=reason, words=writable(words), trace=trace)
    return Settlement(id=task_id, stage=TaskStage.FAILED, failure=failure)


class _NoDocumentError(Exception):
    """A hook has made something else than a document."""


def _encoded(document: object) -> bytes:
    """Return a document as JSON."""
    if not isinstance(document, dict):
        msg = f"the hook has made {type(document).__name__} of it, and not a dict"
        raise _NoDocumentError(msg)
    if not document:
        msg = "the hook has made an empty document of it; raise ItemSkippedError for a task that is to be left alone"
        raise _NoDocumentError(msg)
    try:
        return json.dumps(document, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        msg = f"what the hook has made of it is not JSON: {error}"
        raise _NoDocumentError(msg) from error


def told(error: Exception) -> str:
    """Return what an error of somebody else says."""
    try:
        return writable(error)
    except Exception:  # noqa: BLE001  # the error of a hook may fail even to say what it is
        return "it cannot say why"

"""The third step: a hook makes of the annotations of each task what is submitted."""

from collections.abc import Iterator
from functools import partial
from itertools import batched
from pathlib import Path
from typing import Any

from synapse_sdk.backend import UnitFile
from synapse_sdk.errors import StorageError, SynapseError
from synapse_sdk.failpoints import hit
from synapse_sdk.plugins.actions.add_task_data.context import AddTaskDataContext
from synapse_sdk.plugins.actions.add_task_data.fetching import Fetched, Hopeless
from synapse_sdk.plugins.actions.add_task_data.hooks import failed, settled
from synapse_sdk.plugins.actions.add_task_data.losses import all_failed
from synapse_sdk.plugins.actions.add_task_data.one_file import OneFile
from synapse_sdk.plugins.actions.add_task_data.reading import TaskReader, TaskWithUnit
from synapse_sdk.plugins.actions.add_task_data.records import Entry, Settlement, TaskStage
from synapse_sdk.plugins.actions.add_task_data.settling import settle
from synapse_sdk.plugins.actions.add_task_data.subject import Subject, loaded
from synapse_sdk.plugins.steps import BaseStep, StepResult

__all__ = ["ProcessTasksStep"]

BATCH = 50
"""Tasks that are written down together."""


class ProcessTasksStep(BaseStep[AddTaskDataContext]):
    """Fetch the annotations of each task where they are a file of its unit, and take them through the hook."""

    name = "process_tasks"
    progress_weight = 0.4

    def can_skip(self, context: AddTaskDataContext) -> bool:
        """Skip where there is nothing to do."""
        return context.total_count == 0

    def execute(self, context: AddTaskDataContext) -> StepResult:
        """Take every task further, or note why it failed.

        Raises:
            StorageError: The ledger cannot be written, or a storage with files of units cannot be reached.
        """
        ledger = context.ledger
        reader = TaskReader(context)
        hopeless = Hopeless()
        total = ledger.count(TaskStage.LOADED, TaskStage.CONVERTED, TaskStage.SUBMITTED)
        left = ledger.count(TaskStage.LOADED)
        batches = batched(self._settled(context, reader, hopeless), BATCH)
        error = settle(context, batches, left=left, total=total, written=lambda: hit("tasks.converted"))
        if error:
            return StepResult(success=False, error=error)
        converted = ledger.count(TaskStage.CONVERTED, TaskStage.SUBMITTED)
        if not converted and context.failed_count:
            return StepResult(success=False, error=all_failed(context))
        return StepResult(data={"converted": converted})

    def _settled(self, context: AddTaskDataContext, reader: TaskReader, hopeless: "Hopeless") -> Iterator[Settlement]:
        tasks = reader.read(context.ledger.entries(TaskStage.LOADED))
        wanted = ((each, _data_file(context, each[1])) for each in tasks)
        for (entry, found), fetched in context.files.ahead(wanted):
            hopeless.note(fetched)
            yield _settlement(context, reader, entry, found, fetched)


def _data_file(context: AddTaskDataContext, found: TaskWithUnit | None) -> UnitFile | None:
    specification = context.params.target_specification_name
    return None if found is None or specification is None else found.unit.files.get(specification)


def _settlement(
    context: AddTaskDataContext,
    reader: TaskReader,
    entry: Entry,
    found: TaskWithUnit | None,
    fetched: Fetched | None,
) -> Settlement:
    """Return what becomes of one task."""
    if found is None:
        return failed(entry.id, "GONE", "it was removed meanwhile")
    if isinstance(fetched, SynapseError):
        return failed(entry.id, "NO_FILE", str(fetched))
    subject = _subject(context, reader, found, fetched)
    if subject is None:
        words = f"its unit {found.unit.key!r} has no file {context.params.target_specification_name!r}"
        return failed(entry.id, "NO_FILE", words)
    context.subject = subject
    try:
        return settled(entry.id, partial(_ask, context, subject))
    finally:
        context.subject = None


def _ask(context: AddTaskDataContext, subject: Subject) -> Any:  # noqa: ANN401  # whatever a hook returns
    return context.convert_from_file(
        subject.primary_url, subject.primary_name, subject.data_url, subject.data_name, subject.task
    )


def _subject(
    context: AddTaskDataContext, reader: TaskReader, found: TaskWithUnit, content: bytes | None
) -> Subject | None:
    """Return what the hook is asked about; None if the unit has no file with annotations."""
    primary, entry = found.primary_file, found.entry
    name = entry.path if primary is None else primary.name
    image = partial(_image, context, primary)
    if context.params.file is not None:
        stored = entry.content or b""
        return Subject(
            primary_url=reader.url(primary),
            primary_name=name,
            data_url=Path(context.params.file).expanduser().absolute().as_uri(),
            data_name=entry.source,
            task=reader.as_data(found),
            read=partial(loaded, stored),
            image=image,
        )
    file = _data_file(context, found)
    if file is None or content is None:
        return None
    one = OneFile(
        content=content,
        name=file.name,
        about=name,
        image=image,
        folder=Path(context.work_folder, "one"),
        classes=context.classes,
    )
    return Subject(
        primary_url=reader.url(primary),
        primary_name=name,
        data_url=reader.url(file),
        data_name=file.name,
        task=reader.as_data(found),
        read=one.document,
        content=lambda: content,
        image=image,
    )


def _image(context: AddTaskDataContext, primary: UnitFile | None) -> bytes:
    if primary is None:
        msg = "The unit has no primary file"
        raise StorageError(msg)
    return context.files.fetch(primary)

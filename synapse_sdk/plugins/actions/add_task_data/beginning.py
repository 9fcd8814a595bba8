"""How a run begins, whatever its method, and what is left of it when it is undone."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from synapse_sdk.plugins.actions.add_task_data.report import write_report
from synapse_sdk.plugins.actions.reported import undone_status

if TYPE_CHECKING:
    from synapse_sdk.plugins.actions.add_task_data.context import AddTaskDataContext

__all__ = ["begin", "end_undone"]


def begin(context: "AddTaskDataContext") -> None:
    """Look up the project, and make the run's own folder.

    Raises:
        RecordNotFoundError: There is no such project.
        StorageError: The folder cannot be made.
    """
    context.project_id = context.project.id
    Path(context.work_folder).mkdir(parents=True, exist_ok=True)  # while it is there, the report is not yet written
    context.started_at = datetime.now(UTC).isoformat(timespec="seconds")


def end_undone(context: "AddTaskDataContext") -> None:
    """Write the report of a run that is undone, and forget what tasks had before it if nothing of it is left.

    Comes last of all that is undone. Now, and not when the end is recorded: a process that died in between would leave
    all of it for ever.
    """
    if context.started_at and Path(context.work_folder).exists():
        try:
            write_report(context, undone_status(context))
        except OSError as error:  # what is undone is undone, told or not
            context.log("report_failed", {"folder": context.report_folder, "error": str(error)})
    if not context.errors:  # else the report is to be written again, when the rest is undone
        context.remove_work_folder()
        context.backend.submissions.forget(context.run)

"""Running what gives tasks their annotations for the command line: the same command goes on with an interrupted one."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from synapse_sdk.backend import TaskFilter
from synapse_sdk.cli.catalogue.filters import as_option
from synapse_sdk.cli.errors import ExitCode
from synapse_sdk.cli.params import read_params
from synapse_sdk.cli.rendering import clean, echo_json, table, write
from synapse_sdk.cli.repeated_run import RepeatedRun, checked_params
from synapse_sdk.cli.session import Session
from synapse_sdk.errors import InvalidDatasetError
from synapse_sdk.formats import find_format
from synapse_sdk.plugins.actions import AddTaskDataAction
from synapse_sdk.plugins.actions.add_task_data.models import is_path
from synapse_sdk.reporting.text import plural
from synapse_sdk.storage.open import scheme_of

if TYPE_CHECKING:
    from synapse_sdk.plugins.actions.add_task_data.preview import AddTaskDataPreview

__all__ = ["is_dataset", "params_of", "run_annotate", "show_preview"]

TUNING = {"download_max_workers": None, "on_error": "continue"}
"""Parameters that may differ from those of the run that is gone on with, and what they are when not given."""
MOST_SHOWN = 20
"""Strays that are listed for people; programs get a hundred."""


def is_dataset(path: Path) -> bool:
    """Whether a path is a dataset in a format, and not a folder of documents or one document.

    An imagefolder is none unless that is said: any folder with images would be one.

    Raises:
        ConfigurationError: It may be in several formats.
    """
    try:
        return find_format(path)[0].name != "imagefolder"
    except InvalidDatasetError:
        return False


def params_of(options: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters of the action for the options of the command.

    Raises:
        BadParameter: A filter cannot be understood.
        UsageError: Something is given that has no use together with the rest.
    """
    if options["task"] is not None or options["accepts_any"]:
        msg = "--task and --any are for DM documents, one a task"
        raise click.UsageError(msg)
    filters = as_option("--filter", lambda: TaskFilter.document(options["filters"]))
    path, model = options["path"], options["model"]
    if model is not None and not scheme_of(model) and is_path(model):
        model = str(Path(model).absolute())  # so that the run can be gone on with from any folder
    named = {
        "project": options["project"],
        "method": None if model is None else "inference",
        "model": model,
        "pre_processor_params": read_params(None, options["assignments"]) or None,
        "task_filters": filters or None,
        "target_specification_name": options["specification"],
        "file": None if path is None else str(path.absolute()),
        "file_format": options["file_format"],
        "on_error": None if options["on_error"] == "continue" else options["on_error"],
    }
    return {name: value for name, value in named.items() if value is not None}


def run_annotate(params: dict[str, Any], session: Session) -> int:
    """Annotate, or go on with the same run, and return the exit code.

    Raises:
        InvalidParamsError: The parameters do not fit; all that is wrong is named.
        LeaseHeldError: The same run is under way.
    """
    run = RepeatedRun(
        action="add_task_data", params=params, tuning=TUNING, doing="is giving the same annotations to the same tasks"
    )
    return run.start(session, lambda: checked_params(AddTaskDataAction, params))


def show_preview(params: dict[str, Any], session: Session) -> int:
    """Say what would become of tasks, and return the exit code: as for a run, but for what only hooks find out."""
    from synapse_sdk.plugins.actions.add_task_data.preview import preview_annotations  # noqa: PLC0415  # only now

    preview = preview_annotations(checked_params(AddTaskDataAction, params), session.backend)
    if session.wants_json:
        echo_json(preview.model_dump(mode="json"))
    else:
        _write_preview(preview)
    is_whole = not preview.failed and not preview.loss_count and not any(preview.stray_counts.values())
    return ExitCode.DONE if is_whole else ExitCode.LOSSES


def _write_preview(preview: "AddTaskDataPreview") -> None:
    rows = [("annotated", preview.fit), ("without annotations", preview.skipped), ("failed", preview.failed)]
    shown = [(name, f"{count:,}") for name, count in (*rows, ("found", preview.total)) if count or name == "found"]
    write(sys.stdout, table(("what becomes of them", "tasks"), shown))
    for kind, count in preview.stray_counts.items():
        if count:
            write(sys.stderr, f"{plural(count, 'image')} of the file {kind}:")
            named = [each for each in preview.strays if each.kind == kind][:MOST_SHOWN]
            for each in named:
                write(sys.stderr, f"  {clean(each.name)}{f': {clean(each.words)}' if each.words else ''}")
            if count > len(named):
                write(sys.stderr, f"  and {count - len(named):,} more")
    if preview.loss_count:
        write(sys.stderr, f"{plural(preview.loss_count, 'annotation')} would not come through as they are.")
    write(sys.stderr, "Nothing was changed.")

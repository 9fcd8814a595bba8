"""`synapse tasks annotate`: annotations from files, or from a model, into tasks."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from synapse_sdk.cli.catalogue.filters import FILTER, PROJECT
from synapse_sdk.cli.catalogue.options import BACKEND, opened
from synapse_sdk.cli.commands import SynapseCommand
from synapse_sdk.cli.errors import ExitCode
from synapse_sdk.cli.live_names import complete_model
from synapse_sdk.cli.runs.options import FOLLOWING, JOURNAL
from synapse_sdk.cli.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from synapse_sdk.backend import Backend, Project
    from synapse_sdk.cli.catalogue.annotation_files import Annotations

__all__ = ["annotate"]

SOURCES = 3
"""Places where annotations come from."""
MOST_SHOWN = 20
"""Files of a kind that are listed for people; programs get all."""


@click.command(
    "annotate",
    cls=SynapseCommand,
    examples=(
        "synapse tasks annotate --project boxes --file labels --dry-run",
        "synapse tasks annotate --project boxes --file labels",
        "synapse tasks annotate --project boxes --file labels/cat.json --task 1",
        "synapse tasks annotate --project boxes --file birds-coco.json",
        "synapse tasks annotate --project boxes --model yolo11n.onnx --dry-run",
    ),
)
@PROJECT
@click.option(
    "--file",
    "path",
    metavar="PATH",
    type=click.Path(exists=True, path_type=Path),
    help="A dataset in any format, or a folder of JSON documents, such as wren.json for the unit of wren.jpg, or one "
    "document.",
)
@click.option("--specification", metavar="NAME", help="The file specification of which each unit has its annotations.")
@click.option(
    "--model",
    metavar="MODEL",
    shell_complete=complete_model,
    help="A model that annotates: an ONNX file, by path or storage URL; a registered model, NAME@VERSION or NAME for "
    "the newest; a service, by its http(s) URL; an entry point; or a callable MODULE:ATTRIBUTE.",
)
@click.option(
    "--set",
    "assignments",
    metavar="KEY=VALUE",
    multiple=True,
    help="What the model is told besides, such as confidence=0.5 of an ONNX model.",
)
@click.option("--format", "file_format", metavar="FORMAT", help="The format of the dataset; by default, what it is.")
@click.option("--task", metavar="ID", type=int, help="The task that one document is for.")
@click.option("--any", "accepts_any", is_flag=True, help="Accept any JSON object, not DM documents only.")
@FILTER
@click.option(
    "--on-error",
    type=click.Choice(("stop", "continue")),
    default="continue",
    show_default=True,
    help="After a task that cannot be annotated: undo everything, or go on without it.",
)
@click.option("--dry-run", is_flag=True, help="Show which files belong to tasks, and change nothing.")
@BACKEND
@FOLLOWING
@JOURNAL
@click.pass_obj
def annotate(
    session: Session,
    /,
    *,
    as_json: bool,
    progress: str | None,
    dry_run: bool,
    **options: Any,  # noqa: ANN401  # those that say what is annotated, and with what
) -> int:
    """Give tasks of a project the annotations in PATH, or those of a MODEL, in place of what they have.

    A document is named after the primary file of its unit; the folder json/ of an export can be put back. A dataset in
    COCO, YOLO, Pascal VOC or DM is matched by the names of its images, in one run: if it fails, or you press Ctrl-C,
    tasks have again what they had; after a crash, the same command goes on where it was. What belongs to no task, or to
    several, and tasks that somebody changes meanwhile are left alone and reported; the command then ends with 3.
    """
    session.note_option("progress", progress or ("json" if as_json else None))
    session.wants_json = as_json or session.settings.progress == "json"
    if [options["path"], options["specification"], options["model"]].count(None) != SOURCES - 1:
        msg = "Give one of --file, --specification and --model"
        raise click.UsageError(msg)
    if options["assignments"] and options["model"] is None:
        msg = "--set is what a --model is told"
        raise click.UsageError(msg)
    if _is_one_run(options):
        return _run(session, options, dry_run=dry_run)
    return _documents(session, options, dry_run=dry_run)


def _is_one_run(options: dict[str, Any]) -> bool:
    """Whether annotations are given by the action; plain documents, one a task, are given one by one."""
    path = options["path"]
    if path is None or options["file_format"] is not None:
        return True
    if options["task"] is not None:
        return False
    from synapse_sdk.cli.catalogue.annotate_run import is_dataset  # noqa: PLC0415  # help needs none of it

    return is_dataset(path)


def _run(session: Session, options: dict[str, Any], *, dry_run: bool) -> int:
    from synapse_sdk.cli.catalogue.annotate_run import (  # noqa: PLC0415  # help needs none of these
        params_of,
        run_annotate,
        show_preview,
    )
    from synapse_sdk.cli.repeated_run import used_backend  # noqa: PLC0415

    params = params_of(options)
    with used_backend(session):
        return show_preview(params, session) if dry_run else run_annotate(params, session)


def _documents(session: Session, options: dict[str, Any], *, dry_run: bool) -> int:
    """Give tasks DM documents, one by one."""
    path, task, accepts_any = options["path"], options["task"], options["accepts_any"]
    if path.is_dir() == (task is not None):
        msg = "Give --file a dataset, a folder of documents, or a document with --task ID"
        raise click.UsageError(msg)
    if options["filters"] or options["on_error"] != "continue":
        msg = "--filter and --on-error are for datasets and --specification, and not for single documents"
        raise click.UsageError(msg)
    from synapse_sdk.cli.catalogue.annotation_files import annotate, match  # noqa: PLC0415  # help needs none of it

    with opened(session, as_json=session.wants_json) as backend:
        owner = backend.projects.get(options["project"])
        if task is not None:
            found = _one(backend, owner, task, path, accepts_any=accepts_any, dry_run=dry_run)
        else:
            found = match(backend, owner, path)
            if not dry_run:
                annotate(backend, found, path, accepts_any=accepts_any)
    _report(found, owner.name, dry_run=dry_run, as_json=session.wants_json)
    return ExitCode.LOSSES if found.losses else ExitCode.DONE


def _one(  # who, what and how
    backend: "Backend", project: "Project", task: int, path: Path, *, accepts_any: bool, dry_run: bool
) -> "Annotations":
    """Give one task one document; whatever keeps it from having it is raised."""
    from synapse_sdk.backend import TaskId  # noqa: PLC0415  # help needs none of these
    from synapse_sdk.cli.catalogue.annotation_files import Annotations, Target, read_annotation  # noqa: PLC0415

    data = read_annotation(path, accepts_any=accepts_any)
    found = backend.tasks.get(TaskId(task))
    if found.project_id != project.id:
        msg = f"the task {task} is one of another project than {project.name!r}"
        raise click.BadParameter(msg, param_hint="--task")
    if not dry_run:
        backend.tasks.set_data(found.id, data, found.version)
    return Annotations(files={path: Target(found.id, found.version)}, done=0 if dry_run else 1)


def _report(found: "Annotations", project: str, *, dry_run: bool, as_json: bool) -> None:
    from synapse_sdk.cli.rendering import clean, echo_json, write  # noqa: PLC0415  # help needs none of it
    from synapse_sdk.reporting.text import plural  # noqa: PLC0415  # as above

    if as_json:
        echo_json(_document(found, project))
        return
    for line in _losses(found):
        write(sys.stderr, line)
    if found.without_file:
        write(sys.stderr, f"{plural(found.without_file, 'task')} without a file")
    name = clean(project)
    if dry_run:
        write(sys.stderr, f"Would annotate {plural(len(found.files), 'task')} of {name!r}. Nothing was changed.")
    else:
        write(sys.stderr, f"Annotated {plural(found.done, 'task')} of {name!r}.")


def _losses(found: "Annotations") -> "Iterator[str]":
    """Yield what is said about files whose annotations no task has."""
    from synapse_sdk.cli.rendering import clean  # noqa: PLC0415  # help needs none of it
    from synapse_sdk.reporting.text import plural  # noqa: PLC0415  # as above

    for names, what in (
        (found.unmatched, "of no task"),
        (found.ambiguous, "that may be for several tasks, or share one"),
        ([f"{name}: {why}" for name, why in found.refused.items()], "not taken"),
        (found.conflicts, "whose task was changed meanwhile"),
    ):
        if names:
            yield f"{plural(len(names), 'file')} {what}:"
            yield from (f"  {clean(name)}" for name in names[:MOST_SHOWN])
            if len(names) > MOST_SHOWN:
                yield f"  and {len(names) - MOST_SHOWN:,} more; --json lists all"


def _document(found: "Annotations", project: str) -> dict[str, Any]:
    return {
        "project": project,
        "annotated": found.done,
        "matched": len(found.files),
        "unmatched": found.unmatched,
        "ambiguous": found.ambiguous,
        "refused": found.refused,
        "conflicts": found.conflicts,
        "tasks_without_file": found.without_file,
    }

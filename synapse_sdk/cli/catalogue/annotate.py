"""`synapse tasks annotate`: annotations from files into tasks."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from synapse_sdk.cli.catalogue.filters import PROJECT
from synapse_sdk.cli.catalogue.options import BACKEND, JSON, opened
from synapse_sdk.cli.commands import SynapseCommand
from synapse_sdk.cli.errors import ExitCode
from synapse_sdk.cli.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from synapse_sdk.backend import Backend, Project
    from synapse_sdk.cli.catalogue.annotation_files import Annotations

__all__ = ["annotate"]

MOST_SHOWN = 20
"""Files of a kind that are listed for people; programs get all."""


@click.command(
    "annotate",
    cls=SynapseCommand,
    examples=(
        "synapse tasks annotate --project boxes --file labels --dry-run",
        "synapse tasks annotate --project boxes --file labels",
        "synapse tasks annotate --project boxes --file labels/cat.json --task 1",
    ),
)
@PROJECT
@click.option(
    "--file",
    "path",
    metavar="PATH",
    required=True,
    type=click.Path(exists=True, path_type=Path),
    help="A folder of JSON documents, such as wren.json for the unit of wren.jpg, or one document.",
)
@click.option("--task", metavar="ID", type=int, help="The task that one document is for.")
@click.option("--any", "accepts_any", is_flag=True, help="Accept any JSON object, not DM documents only.")
@click.option("--dry-run", is_flag=True, help="Show which files belong to tasks, and change nothing.")
@JSON
@BACKEND
@click.pass_obj
def annotate(
    session: Session,
    /,
    *,
    project: str,
    path: Path,
    task: int | None,
    accepts_any: bool,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Give the tasks of a project the annotations in PATH, in place of those they have.

    A file is named after the primary file of its unit; the folder json/ of an export can be put back. Files that belong
    to no task, or to several, and tasks that somebody changes meanwhile are left alone and reported; the command then
    ends with 3.
    """
    if path.is_dir() == (task is not None):
        msg = "Give --file a folder, or a document with --task ID"
        raise click.UsageError(msg)
    from synapse_sdk.cli.catalogue.annotation_files import annotate, match  # noqa: PLC0415  # help needs none of it

    with opened(session, as_json=as_json) as backend:
        owner = backend.projects.get(project)
        if task is not None:
            found = _one(backend, owner, task, path, accepts_any=accepts_any, dry_run=dry_run)
        else:
            found = match(backend, owner, path)
            if not dry_run:
                annotate(backend, found, path, accepts_any=accepts_any)
    _report(found, owner.name, dry_run=dry_run, as_json=as_json)
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

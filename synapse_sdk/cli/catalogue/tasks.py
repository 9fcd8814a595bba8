"""`synapse tasks`: the work of a project on each data unit."""

import sys
from collections.abc import Iterator, Sequence
from itertools import batched
from typing import TYPE_CHECKING, Any

import click

from synapse_sdk.cli.catalogue.filters import FILTER, PROJECT, task_filter, tasks_with_units
from synapse_sdk.cli.catalogue.options import BACKEND, JSON, LISTING, YES, confirm_removal, opened, show_list
from synapse_sdk.cli.commands import LateCommand, SynapseCommand, SynapseGroup
from synapse_sdk.cli.live_names import complete_project
from synapse_sdk.cli.session import Session

if TYPE_CHECKING:
    from synapse_sdk.backend import Backend, DataUnitId, Project, TaskFilter, TaskId

__all__ = ["create", "list_tasks", "rm", "show", "tasks"]

HERE = "synapse_sdk.cli.catalogue.tasks"
CREATED = "synapse tasks create --project boxes"
BATCH = 1000
"""Records that are looked at together."""

tasks = SynapseGroup(
    "tasks",
    help="Make, list, show, annotate and remove the tasks of projects, one for each data unit.",
    sections={
        "Commands": {
            "create": LateCommand(f"{HERE}:create", "Make tasks of data units.", ("new",)),
            "list": LateCommand(f"{HERE}:list_tasks", "List the tasks of a project.", ("ls",)),
            "show": LateCommand(f"{HERE}:show", "Show a task, with its files and its data."),
            "annotate": LateCommand(
                "synapse_sdk.cli.catalogue.annotate:annotate", "Give tasks the annotations of a file or folder."
            ),
            "rm": LateCommand(f"{HERE}:rm", "Remove tasks, with their data.", ("remove", "delete")),
        }
    },
    examples=(CREATED, "synapse tasks list --project boxes", "synapse tasks show 1"),
)


@click.command("create", cls=SynapseCommand, examples=(CREATED, "synapse tasks create --project boxes --unit cat"))
@PROJECT
@click.option(
    "--unit", "keys", metavar="KEY", multiple=True, help="Only the data unit of this key; may be given again."
)
@click.option("--limit", type=click.IntRange(min=1), help="Make so many at most.")
@JSON
@BACKEND
@click.pass_obj
def create(session: Session, /, *, project: str, keys: tuple[str, ...], limit: int | None, as_json: bool) -> None:
    """Make a task of each data unit of the project's collection that has none in it yet.

    It may be repeated: tasks that are there stay as they are.
    """
    from synapse_sdk.cli.rendering import clean, echo_json, write  # noqa: PLC0415  # help needs none of it
    from synapse_sdk.reporting.text import plural  # noqa: PLC0415  # as above

    with opened(session, as_json=as_json) as backend:
        found = backend.projects.get(project)
        units = _units(backend, found, keys)
        there = _with_tasks(backend, found, units)
        wanted = [unit for unit in units if unit not in there][:limit]
        made = backend.tasks.create(found.id, wanted)
    if as_json:
        echo_json({"project": found.name, "made": made, "existing": len(there)})
        return
    name = clean(found.name)
    write(sys.stderr, f"Made {plural(made, 'task')} in the project {name!r}; {len(there):,} were there. See them:\n")
    write(sys.stdout, f"  {session.command('tasks', 'list', '--project', found.name)}")


@click.command(
    "list",
    cls=SynapseCommand,
    examples=("synapse tasks list --project boxes", "synapse tasks list --project boxes --filter state=submitted"),
)
@PROJECT
@FILTER
@click.option("--after", default=0, metavar="ID", help="Show tasks behind this id.")
@LISTING
@JSON
@BACKEND
@click.pass_obj
def list_tasks(
    session: Session,
    /,
    *,
    project: str,
    filters: tuple[str, ...],
    after: int,
    limit: int,
    shows_all: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """List the tasks of a project: where they stand, and whether they have annotations."""
    most = None if shows_all else limit
    with opened(session, as_json=as_json) as backend:
        which = task_filter(backend.projects.get(project), filters)
        rows = list(_rows(backend, which, after, None if most is None else most + 1))
    show_list(rows, most, lambda row: row, "tasks", as_json=as_json, quiet=quiet)


@click.command("show", cls=SynapseCommand, examples=("synapse tasks show 1", "synapse tasks show 1 --json"))
@click.argument("task", metavar="ID", type=int)
@JSON
@BACKEND
@click.pass_obj
def show(session: Session, /, *, task: int, as_json: bool) -> None:
    """Show the task ID: its data unit and files, where it stands, and its annotations."""
    from synapse_sdk.backend import TaskId  # noqa: PLC0415  # help needs none of these
    from synapse_sdk.cli.rendering import echo_json, key_values, write  # noqa: PLC0415

    with opened(session, as_json=as_json) as backend:
        found = backend.tasks.get(TaskId(task))
        unit = backend.data_units.get(found.unit_id)
        document = {
            "id": found.id,
            "project": backend.projects.get(found.project_id).name,
            "unit": unit.key,
            "unit_id": unit.id,
            "files": {name: file.name for name, file in sorted(unit.files.items())},
            "state": str(found.state),
            "version": found.version,
            "created_at": found.created_at.isoformat(timespec="seconds"),
            "data": found.data,
        }
    if as_json:
        echo_json(document)
    else:
        write(sys.stdout, key_values(document))


@click.command(
    "rm",
    cls=SynapseCommand,
    examples=("synapse tasks rm 1 --yes", "synapse tasks rm --project boxes --filter has_data=false --yes"),
)
@click.argument("ids", metavar="[ID]...", type=int, nargs=-1)
@click.option("--project", metavar="NAME", shell_complete=complete_project, help="All tasks of this project instead.")
@FILTER
@YES
@BACKEND
@click.pass_obj
def rm(session: Session, /, *, ids: tuple[int, ...], project: str | None, filters: tuple[str, ...], yes: bool) -> None:
    """Remove tasks, with their annotations and assignments. Ground truths that were taken from them stay."""
    from synapse_sdk.reporting.text import plural  # noqa: PLC0415  # help needs none of it

    if bool(ids) == (project is not None) or (filters and project is None):
        msg = "Say either the ids of tasks, or --project NAME, with --filter if only some of its tasks are meant"
        raise click.UsageError(msg)
    with opened(session) as backend:
        doomed = _by_id(backend, ids) if project is None else _of_project(backend, project, filters)
        count = len(doomed)
        question = f"Remove {plural(count, 'task')}, with what was annotated?"
        confirm_removal(plural(count, "task"), str(count), yes=yes or not doomed, question=question)
        backend.tasks.remove(doomed)
    click.echo(f"Removed {plural(count, 'task')}.", err=True)


def _units(backend: "Backend", project: "Project", keys: Sequence[str]) -> "list[DataUnitId]":
    """Return the live units of a project's collection that have these keys; all, if none is named."""
    from unicodedata import normalize  # noqa: PLC0415  # help needs none of these

    from synapse_sdk.backend.paging import every  # noqa: PLC0415
    from synapse_sdk.errors import RecordNotFoundError  # noqa: PLC0415

    collection = project.collection_id
    if not keys:
        return [
            unit.id for unit in every(lambda after, size: backend.data_units.list(collection, after=after, limit=size))
        ]
    forms = [normalize(form, key) for key in keys for form in ("NFC", "NFD")]
    units = backend.data_units.with_keys(collection, [*keys, *forms])
    known = {normalize("NFC", unit.key) for unit in units}
    for key in keys:
        if normalize("NFC", key) not in known:
            name = backend.collections.get(collection).name
            msg = f"There is no data unit {key!r} in the collection {name!r}"
            raise RecordNotFoundError(msg, fix="See which there are: synapse collections show NAME --units", unit=key)
    return [unit.id for unit in units]


def _with_tasks(backend: "Backend", project: "Project", units: "Sequence[DataUnitId]") -> "set[DataUnitId]":
    """Return those of some units that have a task in a project."""
    from synapse_sdk.backend import TaskFilter  # noqa: PLC0415  # help needs none of it
    from synapse_sdk.backend.paging import every  # noqa: PLC0415

    found = set["DataUnitId"]()
    for batch in batched(units, BATCH):
        which = TaskFilter(project=project.id, data_units=batch)
        tasks = every(lambda after, size: backend.tasks.list(which, after=after, limit=size))  # noqa: B023  # used at once
        found.update(task.unit_id for task in tasks)
    return found


def _rows(backend: "Backend", which: "TaskFilter", after: int, most: int | None) -> Iterator[dict[str, Any]]:
    for task, unit in tasks_with_units(backend, which, after=after, limit=most):
        yield {
            "id": task.id,
            "state": str(task.state),
            "version": task.version,
            "has_data": task.data is not None,
            "unit": unit.key,
        }


def _by_id(backend: "Backend", ids: Sequence[int]) -> "list[TaskId]":
    from synapse_sdk.backend import TaskId  # noqa: PLC0415  # help needs none of it

    return [backend.tasks.get(TaskId(identity)).id for identity in sorted(set(ids))]


def _of_project(backend: "Backend", project: str, filters: Sequence[str]) -> "list[TaskId]":
    from synapse_sdk.backend.paging import every  # noqa: PLC0415  # help needs none of it

    which = task_filter(backend.projects.get(project), filters)
    return [task.id for task in every(lambda after, size: backend.tasks.list(which, after=after, limit=size))]

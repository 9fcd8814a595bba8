"""What the commands about tasks of a project have in common: the project, and which of its tasks are meant."""

from collections.abc import Callable, Iterable
from itertools import batched
from typing import TYPE_CHECKING

import click

from synapse_sdk.cli.live_names import complete_project

if TYPE_CHECKING:
    from collections.abc import Iterator

    from synapse_sdk.backend import Backend, DataUnit, Project, Task, TaskFilter

__all__ = ["FILTER", "PROJECT", "as_option", "task_filter", "tasks_with_units"]

BATCH = 1000
"""Tasks whose units are looked up together."""

FILTER = click.option(
    "--filter",
    "filters",
    metavar="KEY=VALUE",
    multiple=True,
    help="Only tasks that fit, such as state=submitted, has_data=true, ids=1,2 or id__gt=30; may be given again.",
)
PROJECT = click.option(
    "--project", metavar="NAME", required=True, shell_complete=complete_project, help="The project, or its id."
)


def task_filter(project: "Project", texts: Iterable[str]) -> "TaskFilter":
    """Return the filter for those tasks of a project that fit texts `KEY=VALUE`.

    Raises:
        BadParameter: One of them cannot be understood.
    """
    from synapse_sdk.backend import TaskFilter  # noqa: PLC0415  # help needs none of it

    document = as_option("--filter", lambda: TaskFilter.document(texts))
    if "project" in document:
        msg = "the project is said by --project; leave it out"
        raise click.BadParameter(msg, param_hint="--filter")
    return TaskFilter.parse({**document, "project": project.id})


def tasks_with_units(
    backend: "Backend", which: "TaskFilter", *, after: int = 0, limit: int | None = None
) -> "Iterator[tuple[Task, DataUnit]]":
    """Yield tasks in order of their ids, each with its data unit.

    Args:
        backend: Has both.
        which: Which tasks.
        after: Id behind which to begin.
        limit: How many at most; None for all.
    """
    from synapse_sdk.backend.paging import every  # noqa: PLC0415  # help needs none of it

    tasks = every(lambda last, size: backend.tasks.list(which, after=last, limit=size), after=after, limit=limit)
    for batch in batched(tasks, BATCH):
        units = {unit.id: unit for unit in backend.data_units.many(task.unit_id for task in batch)}
        yield from ((task, units[task.unit_id]) for task in batch)


def as_option[T](name: str, read: Callable[[], T]) -> T:
    """Return what an option says.

    Raises:
        BadParameter: It cannot be understood, which is a mistake on the command line, not in a file.
    """
    from synapse_sdk.errors import ConfigurationError  # noqa: PLC0415  # help needs none of it

    try:
        return read()
    except ConfigurationError as error:
        raise click.BadParameter(str(error), param_hint=name) from error

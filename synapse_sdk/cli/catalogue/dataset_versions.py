"""`synapse datasets add`: the next version of a dataset, from the tasks of a project."""

import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import click

from synapse_sdk.cli.catalogue.filters import FILTER, PROJECT, as_option, task_filter, tasks_with_units
from synapse_sdk.cli.catalogue.options import BACKEND, JSON, opened
from synapse_sdk.cli.commands import SynapseCommand
from synapse_sdk.cli.live_names import complete_dataset
from synapse_sdk.cli.session import Session

if TYPE_CHECKING:
    from synapse_sdk.backend import Backend, Category, Project, TaskFilter, TaskId
    from synapse_sdk.types import JsonObject

    type Split = Callable[[Mapping[str, JsonObject]], Mapping[str, Category]]
    """From the metadata of units, by unit key, to what they are for."""

__all__ = ["add"]

MOST_SHOWN = 3
"""Units that an error names."""


@dataclass(frozen=True, slots=True)
class Found:
    """The tasks of a project that are to go into a version."""

    tasks: "dict[str, TaskId]"
    """Those with data, by unit key."""
    metas: "dict[str, JsonObject]"
    """The metadata of their units, by unit key; empty unless it is needed."""
    without_data: int
    """How many others there are."""


@click.command(
    "add",
    cls=SynapseCommand,
    examples=(
        "synapse datasets create animals",
        "synapse datasets add animals --project boxes --split train=0.8,test=0.2",
        "synapse datasets add animals --project boxes --rule '*=train'",
    ),
)
@click.argument("name", shell_complete=complete_dataset)
@PROJECT
@FILTER
@click.option(
    "--split",
    metavar="RATIOS",
    help="Divide units at random by these ratios of train, validation and test, such as train=0.8,test=0.2.",
)
@click.option("--seed", type=int, help="Another number gives another random split; 0 if left out.")
@click.option(
    "--rule",
    "rules",
    metavar="GLOB=CATEGORY",
    multiple=True,
    help="Divide units by their keys instead: the first rule that fits counts; may be given again.",
)
@click.option("--by", "column", metavar="COLUMN", help="Divide units by what their metadata says under this name.")
@click.option("--dry-run", is_flag=True, help="Show what would be in the version, and make none.")
@JSON
@BACKEND
@click.pass_obj
def add(
    session: Session,
    /,
    *,
    name: str,
    project: str,
    filters: tuple[str, ...],
    split: str | None,
    seed: int | None,
    rules: tuple[str, ...],
    column: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Make the next version of the dataset NAME from the annotated tasks of a project, as they are now.

    Without --split, --rule and --by, all is for training. The same units, ratios and seed give the same split.
    """
    if sum(map(bool, (split, rules, column))) > 1 or (seed is not None and split is None):
        msg = "Say either --split, with --seed if you like, or --rule, or --by"
        raise click.UsageError(msg)
    divide = _split(split, seed or 0, rules, column)
    with opened(session, as_json=as_json) as backend:
        dataset = backend.ground_truths.dataset(name)
        owner = backend.projects.get(project)
        found = _found(backend, task_filter(owner, filters), needs_metas=column is not None)
        _refuse_nothing(found, owner, session)
        parts = divide(found.metas)
        _refuse_unmatched(found, parts, column)
        number = None if dry_run else _make(backend, dataset.id, found, parts)
    _report(session, dataset.name, number, Counter(parts.values()), found.without_data, as_json=as_json)


def _split(split: str | None, seed: int, rules: Sequence[str], column: str | None) -> "Split":
    """Return how units are divided.

    Raises:
        BadParameter: It cannot be understood.
    """
    from synapse_sdk.backend import splits  # noqa: PLC0415  # help needs none of these
    from synapse_sdk.ratios import split_by_ratios  # noqa: PLC0415

    if split is not None:
        ratios = as_option("--split", lambda: splits.read_ratios(split))
        return lambda metas: split_by_ratios(metas, ratios, seed=seed)
    if column is not None:
        return lambda metas: splits.split_by_column(metas, column)
    read = [as_option("--rule", partial(splits.read_rule, text)) for text in rules or ("*=train",)]
    return lambda metas: splits.split_by_rules(metas, read)


def _found(backend: "Backend", which: "TaskFilter", *, needs_metas: bool) -> Found:
    found = Found({}, {}, 0)
    without_data = 0
    for task, unit in tasks_with_units(backend, which):
        if task.data is None:
            without_data += 1
        else:
            found.tasks[unit.key] = task.id
            found.metas[unit.key] = unit.meta if needs_metas else {}
    return Found(found.tasks, found.metas, without_data)


def _refuse_nothing(found: Found, project: "Project", session: Session) -> None:
    from synapse_sdk.errors import ConflictError  # noqa: PLC0415  # help needs none of it

    if not found.tasks:
        msg = f"The project {project.name!r} has no annotated task that fits"
        command = session.command("tasks", "annotate", "--project", project.name, "--file", "FOLDER")
        raise ConflictError(msg, fix=f"Annotate them: {command}", project=project.name)


def _refuse_unmatched(found: Found, parts: "Mapping[str, Category]", column: str | None) -> None:
    from synapse_sdk.errors import ConflictError  # noqa: PLC0415  # help needs none of it

    left = [key for key in found.tasks if key not in parts]
    if not left:
        return
    shown = ", ".join(repr(key) for key in left[:MOST_SHOWN]) + (", ..." if len(left) > MOST_SHOWN else "")
    count = f"{len(left):,} of {len(found.tasks):,} data units"
    if column is None:
        fix = "Add a last rule for all others, such as --rule '*=train'"
        msg = f"No rule fits {count}"
        raise ConflictError(msg, why=f"They are {shown}", fix=fix)
    msg = f"The metadata of {count} says under {column!r} neither train nor validation nor test"
    said = sorted({str(found.metas[key].get(column, "nothing")) for key in left})[:MOST_SHOWN]
    why = f"They are {shown}; it says {', '.join(map(repr, said))}"
    raise ConflictError(msg, why=why, fix="Divide by --rule instead, or leave them out by --filter")


def _make(backend: "Backend", dataset_id: int, found: Found, parts: "Mapping[str, Category]") -> int:
    from synapse_sdk.backend import GroundTruthDatasetId, NewGroundTruth  # noqa: PLC0415  # help needs none of it

    items = (NewGroundTruth(category=parts[key], task_id=task) for key, task in found.tasks.items())
    return backend.ground_truths.create_version(GroundTruthDatasetId(dataset_id), items).number


def _report(  # what was made, and of what
    session: Session, name: str, number: int | None, counts: "Counter[Category]", without_data: int, *, as_json: bool
) -> None:
    from synapse_sdk.backend import Category  # noqa: PLC0415  # help needs none of these
    from synapse_sdk.cli.rendering import clean, echo_json, write  # noqa: PLC0415
    from synapse_sdk.reporting.text import plural  # noqa: PLC0415

    if as_json:
        by_name = {str(category): counts[category] for category in Category}
        echo_json({"dataset": name, "version": number, **by_name, "without_data": without_data})
        return
    content = ", ".join(f"{counts[category]:,} {category}" for category in Category)
    if without_data:
        write(sys.stderr, f"Left out {plural(without_data, 'task')} without annotations.")
    if number is None:
        write(sys.stderr, f"The next version of {clean(name)!r} would have {content}. Nothing was made.")
        return
    write(sys.stderr, f"Made version {number} of {clean(name)!r}: {content}. See it:\n")
    write(sys.stdout, f"  {session.command('datasets', 'show', f'{name}@{number}')}")

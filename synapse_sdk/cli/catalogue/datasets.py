"""`synapse datasets`: ground truths, frozen in versions, for training and judging models."""

import sys
from typing import TYPE_CHECKING, Any

import click

from synapse_sdk.cli.catalogue.options import (
    BACKEND,
    JSON,
    LISTING,
    YES,
    confirm_removal,
    list_records,
    opened,
    remove_record,
)
from synapse_sdk.cli.commands import LateCommand, SynapseCommand, SynapseGroup
from synapse_sdk.cli.live_names import complete_dataset
from synapse_sdk.cli.session import Session

if TYPE_CHECKING:
    from synapse_sdk.backend import Backend, GroundTruthDataset, GroundTruthVersion

__all__ = ["create", "datasets", "list_datasets", "rm", "show"]

HERE = "synapse_sdk.cli.catalogue.datasets"
CREATED = "synapse datasets create animals"
ADDED = "synapse datasets add animals --project boxes"
NAME = click.argument("name", metavar="NAME[@NUMBER]", shell_complete=complete_dataset)

datasets = SynapseGroup(
    "datasets",
    help="Convert, check and look at datasets in folders; keep versions of ground truths in the backend. A version "
    "never changes; NAME@2 is the second one of the dataset NAME.",
    sections={
        "In folders": {
            "convert": LateCommand("synapse_sdk.cli.dataset.convert:convert", "Write one in another format."),
            "info": LateCommand("synapse_sdk.cli.dataset.look:info", "Count what is in one."),
            "validate": LateCommand("synapse_sdk.cli.dataset.look:validate", "Name everything that is wrong with one."),
            "preview": LateCommand("synapse_sdk.cli.dataset.compare:preview", "Draw images with annotations."),
            "diff": LateCommand("synapse_sdk.cli.dataset.compare:diff", "Compare two."),
            "split": LateCommand("synapse_sdk.cli.dataset.convert:split", "Write one with new splits."),
            "merge": LateCommand("synapse_sdk.cli.dataset.convert:merge", "Write several as one."),
        },
        "In the backend": {
            "create": LateCommand(f"{HERE}:create", "Make a dataset without versions.", ("new",)),
            "add": LateCommand(
                "synapse_sdk.cli.catalogue.dataset_versions:add", "Make its next version from the tasks of a project."
            ),
            "list": LateCommand(f"{HERE}:list_datasets", "List the datasets.", ("ls",)),
            "show": LateCommand(f"{HERE}:show", "Show a dataset or a version, and how much is in it."),
            "download": LateCommand(
                "synapse_sdk.cli.dataset.download:download", "Write a version into a folder, in any format."
            ),
            "cache": LateCommand(
                "synapse_sdk.cli.dataset.cache:cache", "List and remove what was downloaded and is kept."
            ),
            "rm": LateCommand(f"{HERE}:rm", "Remove a version, or a dataset without any.", ("remove", "delete")),
        },
    },
    examples=(CREATED, ADDED, "synapse datasets show animals"),
)


@click.command("create", cls=SynapseCommand, examples=(CREATED,))
@click.argument("name")
@JSON
@BACKEND
@click.pass_obj
def create(session: Session, /, *, name: str, as_json: bool) -> None:
    """Make a dataset NAME; versions are added to it by `synapse datasets add`."""
    from synapse_sdk.cli.catalogue.filters import as_option  # noqa: PLC0415  # help needs none of these
    from synapse_sdk.cli.rendering import clean, echo_json, write  # noqa: PLC0415

    with opened(session, as_json=as_json) as backend:
        made = as_option("NAME", lambda: backend.ground_truths.create_dataset(name))
        if as_json:
            echo_json(_row(made, backend))
            return
    write(sys.stderr, f"Made the dataset {clean(made.name)!r} with id {made.id}. Add a version to it:\n")
    write(sys.stdout, f"  {session.command('datasets', 'add', made.name, '--project', 'NAME')}")


@click.command("list", cls=SynapseCommand, examples=("synapse datasets list", "synapse datasets list --json"))
@LISTING
@JSON
@BACKEND
@click.pass_obj
def list_datasets(session: Session, /, **shown: Any) -> None:  # noqa: ANN401  # the options of a list
    """List the datasets, with the number of their newest version."""
    list_records(session, "datasets", lambda backend: backend.ground_truths.datasets, _row, **shown)


@click.command(
    "show",
    cls=SynapseCommand,
    examples=(CREATED, ADDED, "synapse datasets show animals", "synapse datasets show animals@1"),
)
@NAME
@JSON
@BACKEND
@click.pass_obj
def show(session: Session, /, *, name: str, as_json: bool) -> None:
    """Show the dataset NAME with all its versions, or one version: how much is for training, validation and test."""
    from synapse_sdk.cli.rendering import echo_json, key_values, table, write  # noqa: PLC0415  # help needs none of it

    with opened(session, as_json=as_json) as backend:
        dataset = backend.ground_truths.dataset(name.partition("@")[0])
        is_one = "@" in name
        found = [backend.ground_truths.find_version(name)] if is_one else backend.ground_truths.versions(dataset.id)
        versions = [_version(each, backend) for each in found]
    document = {"id": dataset.id, "name": dataset.name, "created_at": dataset.created_at.isoformat(timespec="seconds")}
    if as_json:
        echo_json({**document, "versions": versions})
        return
    if is_one:
        write(sys.stdout, key_values({"name": dataset.name, **versions[0]}))
        return
    write(sys.stdout, key_values(document))
    if versions:
        rows = [[each if isinstance(each, str) else f"{each:,}" for each in row.values()] for row in versions]
        write(sys.stdout, "\n" + table(tuple(versions[0]), rows))


@click.command("rm", cls=SynapseCommand, examples=(CREATED, ADDED, "synapse datasets rm animals@1 --yes"))
@NAME
@YES
@BACKEND
@click.pass_obj
def rm(session: Session, /, *, name: str, yes: bool) -> None:
    """Remove the version NAME@NUMBER with its ground truths, or the dataset NAME; one that has versions is kept."""
    if "@" not in name:
        remove_record(
            session,
            "dataset",
            name,
            lambda backend: (backend.ground_truths.dataset, backend.ground_truths.remove_dataset),
            yes=yes,
        )
        return
    with opened(session) as backend:
        version = backend.ground_truths.find_version(name)
        full = f"{backend.ground_truths.dataset(version.dataset_id).name}@{version.number}"
        confirm_removal("version", full, yes=yes)
        backend.ground_truths.remove_version(version.id)
    click.echo(f"Removed the version {full!r}.", err=True)


def _row(dataset: "GroundTruthDataset", backend: "Backend") -> dict[str, Any]:
    versions = backend.ground_truths.versions(dataset.id)
    return {
        "id": dataset.id,
        "name": dataset.name,
        "versions": len(versions),
        "newest": versions[-1].number if versions else 0,
    }


def _version(version: "GroundTruthVersion", backend: "Backend") -> dict[str, Any]:
    from synapse_sdk.backend import Category, GroundTruthFilter  # noqa: PLC0415  # help needs none of it

    count = backend.ground_truths.count
    counts = {str(each): count(version.id, GroundTruthFilter(category=each)) for each in Category}
    return {
        "version": version.number,
        "id": version.id,
        "created_at": version.created_at.isoformat(timespec="seconds"),
        **counts,
        "ground_truths": sum(counts.values()),
    }

"""`synapse projects`: the work on the units of collections."""

import sys
from typing import TYPE_CHECKING, Any

import click

from synapse_sdk.cli.catalogue.options import (
    BACKEND,
    JSON,
    LISTING,
    YES,
    list_records,
    opened,
    remove_record,
)
from synapse_sdk.cli.commands import LateCommand, SynapseCommand, SynapseGroup
from synapse_sdk.cli.live_names import complete_collection, complete_project
from synapse_sdk.cli.session import Session

if TYPE_CHECKING:
    from synapse_sdk.backend import Backend, Project
    from synapse_sdk.types import JsonObject

__all__ = ["configure", "create", "list_projects", "projects", "rm", "show"]

HERE = "synapse_sdk.cli.catalogue.projects"
COLLECTION = "synapse collections create birds"
CREATED = "synapse projects create boxes --collection birds"
CONFIGURED = "synapse projects configure boxes --file classes.yaml"
NAME = click.argument("name", metavar="NAME", shell_complete=complete_project)

projects = SynapseGroup(
    "projects",
    help="Make, list, show, configure and remove projects. NAME is the name of one, or its id.",
    sections={
        "Commands": {
            "create": LateCommand(f"{HERE}:create", "Make a project on a collection.", ("new",)),
            "list": LateCommand(f"{HERE}:list_projects", "List the projects.", ("ls",)),
            "show": LateCommand(f"{HERE}:show", "Show a project, and how many tasks it has."),
            "configure": LateCommand(f"{HERE}:configure", "Replace the configuration of a project."),
            "rm": LateCommand(f"{HERE}:rm", "Remove a project without tasks.", ("remove", "delete")),
        }
    },
    examples=(COLLECTION, CREATED, "synapse projects list"),
)


@click.command("create", cls=SynapseCommand, examples=(COLLECTION, CREATED))
@click.argument("name")
@click.option(
    "--collection",
    metavar="NAME",
    required=True,
    shell_complete=complete_collection,
    help="The collection whose units are worked on.",
)
@click.option("--configuration", "path", metavar="FILE", help="A YAML, JSON or TOML document, such as the classes.")
@JSON
@BACKEND
@click.pass_obj
def create(session: Session, /, *, name: str, collection: str, path: str | None, as_json: bool) -> None:
    """Make a project NAME."""
    from synapse_sdk.cli.rendering import clean, echo_json, write  # noqa: PLC0415  # help needs none of these

    session.wants_json = as_json
    configuration = {} if path is None else _configuration(path)
    with opened(session, as_json=as_json) as backend:
        found = backend.collections.get(collection)
        made = backend.projects.create(name, found.id, configuration=configuration)
        if as_json:
            echo_json(_row(made, backend))
            return
    write(sys.stderr, f"Made the project {clean(made.name)!r} with id {made.id}. See it:\n")
    write(sys.stdout, f"  {session.command('projects', 'show', made.name)}")


@click.command("list", cls=SynapseCommand, examples=("synapse projects list", "synapse projects list --json"))
@LISTING
@JSON
@BACKEND
@click.pass_obj
def list_projects(session: Session, /, **shown: Any) -> None:  # noqa: ANN401  # the options of a list
    """List the projects, with their collections."""
    list_records(session, "projects", lambda backend: backend.projects.list, _row, **shown)


@click.command("show", cls=SynapseCommand, examples=(COLLECTION, CREATED, "synapse projects show boxes"))
@NAME
@JSON
@BACKEND
@click.pass_obj
def show(session: Session, /, *, name: str, as_json: bool) -> None:
    """Show the project NAME."""
    from synapse_sdk.cli.rendering import echo_json, key_values, write  # noqa: PLC0415  # help needs none of it

    with opened(session, as_json=as_json) as backend:
        project = backend.projects.get(name)
        document = {
            **_row(project, backend),
            "created_at": project.created_at.isoformat(timespec="seconds"),
            "configuration": project.configuration,
        }
    if as_json:
        echo_json(document)
    else:
        write(sys.stdout, key_values(document))


@click.command("configure", cls=SynapseCommand, examples=(CONFIGURED,))
@NAME
@click.option(
    "--file", "path", metavar="FILE", required=True, help="A YAML, JSON or TOML document, such as the classes."
)
@JSON
@BACKEND
@click.pass_obj
def configure(session: Session, /, *, name: str, path: str, as_json: bool) -> None:
    """Replace the configuration of the project NAME as a whole by the document FILE.

    `synapse projects show NAME --json` prints the one it has.
    """
    from synapse_sdk.cli.rendering import echo_json  # noqa: PLC0415  # help needs none of it

    session.wants_json = as_json
    configuration = _configuration(path)
    with opened(session, as_json=as_json) as backend:
        project = backend.projects.configure(backend.projects.get(name).id, configuration)
        if as_json:
            echo_json({**_row(project, backend), "configuration": project.configuration})
            return
    click.echo(f"Configured the project {project.name!r}.", err=True)


@click.command("rm", cls=SynapseCommand, examples=(COLLECTION, CREATED, "synapse projects rm boxes --yes"))
@NAME
@YES
@BACKEND
@click.pass_obj
def rm(session: Session, /, *, name: str, yes: bool) -> None:
    """Remove the project NAME; one that has tasks is kept."""
    remove_record(
        session,
        "project",
        name,
        lambda backend: (backend.projects.get, backend.projects.remove),
        yes=yes,
    )


def _configuration(path: str) -> "JsonObject":
    from synapse_sdk.documents import read_document  # noqa: PLC0415  # help needs none of these
    from synapse_sdk.errors import ConfigurationError  # noqa: PLC0415

    configuration = read_document(path)
    if not isinstance(configuration, dict):
        msg = f"{path} is not a mapping"
        raise ConfigurationError(msg, fix="Write names and values", file=path)
    return configuration


def _row(project: "Project", backend: "Backend") -> dict[str, Any]:
    from synapse_sdk.backend import TaskFilter  # noqa: PLC0415  # help needs none of it

    return {
        "id": project.id,
        "name": project.name,
        "collection": backend.collections.get(project.collection_id).name,
        "tasks": backend.tasks.count(TaskFilter(project=project.id)),
    }

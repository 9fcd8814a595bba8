"""`synapse collections`: what data units there are, and which files they have."""

import sys
from typing import TYPE_CHECKING, Any

import click

from synapse_sdk.cli.catalogue.options import (
    BACKEND,
    JSON,
    LISTING,
    YES,
    everything,
    list_records,
    opened,
    remove_record,
)
from synapse_sdk.cli.catalogue.specifications import SpecificationText, read_specifications, written
from synapse_sdk.cli.commands import LateCommand, SynapseCommand, SynapseGroup
from synapse_sdk.cli.live_names import complete_collection
from synapse_sdk.cli.session import Session
from synapse_sdk.errors import ConfigurationError

if TYPE_CHECKING:
    from synapse_sdk.backend import Backend, DataCollection, DataUnit, FileSpecification

__all__ = ["collections", "create", "describe", "list_collections", "rm", "show"]

HERE = "synapse_sdk.cli.catalogue.collections"
CREATED = "synapse collections create birds --spec images:image,.jpg,primary"
NAME = click.argument("name", metavar="NAME", shell_complete=complete_collection)

collections = SynapseGroup(
    "collections",
    help="Make, list, show and remove data collections. NAME is the name of one, or its id.",
    sections={
        "Commands": {
            "create": LateCommand(f"{HERE}:create", "Make a collection with file specifications.", ("new",)),
            "list": LateCommand(f"{HERE}:list_collections", "List the collections.", ("ls",)),
            "show": LateCommand(f"{HERE}:show", "Show a collection, and its data units."),
            "describe": LateCommand(f"{HERE}:describe", "Guess file specifications from a folder."),
            "rm": LateCommand(f"{HERE}:rm", "Remove a collection without data units.", ("remove", "delete")),
        }
    },
    examples=(CREATED, "synapse collections list", "synapse collections show birds"),
)


@click.command(
    "create",
    cls=SynapseCommand,
    examples=(CREATED, "synapse collections create cats --spec images:image --spec notes:text,optional"),
)
@click.argument("name")
@click.option(
    "--spec",
    "specifications",
    type=SpecificationText(),
    metavar="NAME:TYPE[,...]",
    multiple=True,
    help="A file of every unit: its name, its type (image, video, pcd, text, audio or data), and separated by commas, "
    "extensions with their dots, and the words primary and optional. May be given again.",
)
@click.option("--specs", "path", metavar="FILE", help="A YAML, JSON or TOML document that lists them instead.")
@click.option("--description", default="", metavar="TEXT", help="What is in it.")
@JSON
@BACKEND
@click.pass_obj
def create(
    session: Session,
    /,
    *,
    name: str,
    specifications: "tuple[FileSpecification, ...]",
    path: str | None,
    description: str,
    as_json: bool,
) -> None:
    """Make a collection NAME: each of its data units has one file for each of its file specifications."""
    session.wants_json = as_json
    if path is not None:
        specifications = (*read_specifications(path), *specifications)
    with opened(session, as_json=as_json) as backend:
        made = backend.collections.create(name, description=description, specifications=specifications)
    _report_made(made, session, as_json=as_json)


@click.command("list", cls=SynapseCommand, examples=("synapse collections list", "synapse collections list --json"))
@LISTING
@JSON
@BACKEND
@click.pass_obj
def list_collections(session: Session, /, **shown: Any) -> None:  # noqa: ANN401  # the options of a list
    """List the collections, with their file specifications."""
    list_records(session, "collections", lambda backend: backend.collections.list, _row, **shown)


@click.command(
    "show",
    cls=SynapseCommand,
    examples=(CREATED, "synapse collections show birds", "synapse collections show birds --units"),
)
@NAME
@click.option("--units", "shows_units", is_flag=True, help="Show the data units, too.")
@click.option("--after", default=0, metavar="ID", help="Show units behind this id.")
@LISTING
@JSON
@BACKEND
@click.pass_obj
def show(
    session: Session,
    /,
    *,
    name: str,
    shows_units: bool,
    after: int,
    limit: int,
    shows_all: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """Show the collection NAME: its specifications, how many units it has, and their bytes."""
    from synapse_sdk.cli.rendering import echo_json, key_values, write  # noqa: PLC0415  # help needs none of it

    most = None if shows_all else limit
    with opened(session, as_json=as_json) as backend:
        collection = backend.collections.get(name)
        document = _document(collection, backend)
        units: list[DataUnit] = []
        if shows_units or quiet:
            units = everything(
                lambda last, size: backend.data_units.list(collection.id, after=last, limit=size), most, after=after
            )
    if as_json:
        shown = {"data_units": [_unit(each) for each in units[:most]], "more": len(units) > (most or len(units))}
        echo_json({**document, **(shown if shows_units else {})})
        return
    if not quiet:
        write(sys.stdout, key_values({**document, "specifications": list(written(collection.specifications))}))
    if shows_units or quiet:
        _show_units(units, most, quiet=quiet)


@click.command(
    "describe",
    cls=SynapseCommand,
    examples=("synapse collections describe photos", "synapse collections describe photos --create birds"),
)
@click.argument("folder", type=click.Path(file_okay=False))
@click.option("--create", "name", metavar="NAME", help="Make a collection of this name.")
@JSON
@BACKEND
@click.pass_obj
def describe(session: Session, /, *, folder: str, name: str | None, as_json: bool) -> None:
    """Guess from FOLDER, with a sub-folder for each kind of file, what a collection for it looks like.

    Prints the command that makes it, or makes it.
    """
    from synapse_sdk.cli.catalogue.describe import command_for, guess  # noqa: PLC0415  # help needs none of these
    from synapse_sdk.cli.rendering import echo_json, table, write  # noqa: PLC0415
    from synapse_sdk.storage.open import local_path  # noqa: PLC0415

    session.wants_json = as_json
    path = local_path(folder)
    if path is None:
        msg = f"{folder!r} is no folder of this machine, and a collection is guessed from nothing else"
        fix = "Say what its units consist of: synapse collections create --help"
        raise ConfigurationError(msg, fix=fix)
    guesses = guess(path)
    specifications = [each.specification for each in guesses]
    if name is not None:
        with opened(session, as_json=as_json) as backend:
            made = backend.collections.create(name, specifications=specifications)
        _report_made(made, session, as_json=as_json)
        return
    command = command_for(path.resolve().name or "collection", guesses)
    if as_json:
        echo_json({"specifications": _specifications(specifications), "command": command})
        return
    rows = [
        (each.specification.name, str(each.specification.file_type), f"{each.count:,}", _kinds(each))
        for each in guesses
    ]
    write(sys.stderr, table(("folder", "type", "files", "extensions"), rows) + "\n")
    write(sys.stdout, command)


@click.command("rm", cls=SynapseCommand, examples=(CREATED, "synapse collections rm birds --yes"))
@NAME
@YES
@BACKEND
@click.pass_obj
def rm(session: Session, /, *, name: str, yes: bool) -> None:
    """Remove the collection NAME; one that has data units, or a project, is kept."""
    remove_record(
        session,
        "collection",
        name,
        lambda backend: (backend.collections.get, backend.collections.remove),
        yes=yes,
    )


def _report_made(made: "DataCollection", session: Session, *, as_json: bool) -> None:
    from synapse_sdk.cli.rendering import clean, echo_json, write  # noqa: PLC0415  # help needs none of it

    if as_json:
        echo_json({"id": made.id, "name": made.name, "specifications": _specifications(made.specifications)})
        return
    write(sys.stderr, f"Made the collection {clean(made.name)!r} with id {made.id}. See it:\n")
    write(sys.stdout, f"  {session.command('collections', 'show', made.name)}")


def _row(collection: "DataCollection", backend: "Backend") -> dict[str, Any]:
    return {
        "id": collection.id,
        "name": collection.name,
        "units": backend.data_units.count(collection.id),
        "specifications": [each.name for each in collection.specifications],
    }


def _document(collection: "DataCollection", backend: "Backend") -> dict[str, Any]:
    from synapse_sdk.backend import DataUnitState  # noqa: PLC0415  # help needs none of it

    usage = backend.data_files.usage(collection.id)
    return {
        "id": collection.id,
        "name": collection.name,
        "description": collection.description,
        "created_at": collection.created_at.isoformat(timespec="seconds"),
        "units": backend.data_units.count(collection.id),
        "hidden_units": backend.data_units.count(collection.id, state=DataUnitState.STAGED),
        "files": usage.files,
        "bytes": usage.size,
        "specifications": _specifications(collection.specifications),
    }


def _specifications(specifications: "Any") -> list[dict[str, Any]]:  # noqa: ANN401  # an iterable of them
    return [
        {
            "name": each.name,
            "type": str(each.file_type),
            "required": each.is_required,
            "primary": each.is_primary,
            "extensions": list(each.extensions),
            "spec": text,
        }
        for each, text in zip(specifications, written(specifications), strict=True)
    ]


def _unit(unit: "DataUnit") -> dict[str, Any]:
    files = {name: {"name": file.name, "size": file.size, "key": file.key} for name, file in unit.files.items()}
    return {"id": unit.id, "key": unit.key, "files": files, "meta": unit.meta, "run": unit.run}


def _show_units(units: "list[DataUnit]", limit: int | None, *, quiet: bool) -> None:
    from synapse_sdk.cli.rendering import clean, table, terminal_width, write  # noqa: PLC0415  # as above

    if quiet:
        for unit in units[:limit]:
            write(sys.stdout, clean(unit.key))
    else:
        rows = [
            (
                str(unit.id),
                unit.key,
                f"{sum(file.size for file in unit.files.values()):,}",
                ", ".join(f"{name}: {file.name}" for name, file in sorted(unit.files.items())),
            )
            for unit in units[:limit]
        ]
        write(sys.stdout, "\n" + table(("id", "unit", "bytes", "files"), rows, width=terminal_width(sys.stdout)))
    if limit is not None and len(units) > limit:
        write(sys.stderr, f"There are more: --after {units[limit - 1].id}, --all, or --limit N.")


def _kinds(found: Any) -> str:  # noqa: ANN401  # a guess, whose module is loaded on use
    return ", ".join(f"{extension or 'none'} ({count:,})" for extension, count in found.extensions.most_common())

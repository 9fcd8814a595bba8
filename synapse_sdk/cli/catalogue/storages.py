"""`synapse storages`: where objects are put."""

import os
import sys
from collections.abc import Sequence
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
from synapse_sdk.cli.live_names import complete_storage
from synapse_sdk.cli.session import Session

if TYPE_CHECKING:
    from synapse_sdk.backend import Backend, StorageRecord

__all__ = ["create", "list_storages", "rm", "show", "storages"]

HERE = "synapse_sdk.cli.catalogue.storages"
CREATED = "synapse storages create disk objects"
NAME = click.argument("name", metavar="NAME", shell_complete=complete_storage)

storages = SynapseGroup(
    "storages",
    help="Make storages known, list, show and forget them. NAME is the name of one, or its id.",
    sections={
        "Commands": {
            "create": LateCommand(f"{HERE}:create", "Make a storage known.", ("new", "add")),
            "list": LateCommand(f"{HERE}:list_storages", "List the storages.", ("ls",)),
            "show": LateCommand(f"{HERE}:show", "Show a storage, without its credentials."),
            "check": LateCommand(
                "synapse_sdk.cli.catalogue.check:check", "Compare a storage with what should be in it."
            ),
            "rm": LateCommand(f"{HERE}:rm", "Forget a storage; its objects stay.", ("remove", "delete")),
        }
    },
    examples=(CREATED, "synapse storages list"),
)


@click.command(
    "create",
    cls=SynapseCommand,
    examples=(CREATED, "synapse storages create s3 s3://pics --credential secret_access_key=env:HOME"),
)
@click.argument("name")
@click.argument("url")
@click.option(
    "--credential",
    "credentials",
    metavar="NAME[=env:VARIABLE]",
    multiple=True,
    help="Something secret that the storage needs: taken from an environment variable, else asked for, or read from "
    "standard input, a line each. It is never printed. May be given again.",
)
@click.option("--default", "is_default", is_flag=True, help="Use it when none is named.")
@JSON
@BACKEND
@click.pass_obj
def create(
    session: Session, /, *, name: str, url: str, credentials: tuple[str, ...], is_default: bool, as_json: bool
) -> None:
    """Make a storage known under NAME. URL is a folder, or a URL such as s3://bucket/folder."""
    from synapse_sdk.cli.rendering import clean, echo_json, write  # noqa: PLC0415  # help needs none of it

    session.wants_json = as_json
    address, secrets = _address(url), _secrets(credentials)
    with opened(session, as_json=as_json) as backend:
        _refuse_known(backend, address)
        made = backend.storages.create(name, address, credentials=secrets, is_default=is_default)
    if as_json:
        echo_json(_row(made))
        return
    if (why := _why_not_opened(address, secrets)) is not None:
        write(sys.stderr, f"Note: it cannot be used from here as it is. {clean(why)}")
    write(sys.stderr, f"Made the storage {clean(made.name)!r} known with id {made.id}. See it:\n")
    write(sys.stdout, f"  {session.command('storages', 'show', made.name)}")


@click.command("list", cls=SynapseCommand, examples=("synapse storages list", "synapse storages list --json"))
@LISTING
@JSON
@BACKEND
@click.pass_obj
def list_storages(session: Session, /, **shown: Any) -> None:  # noqa: ANN401  # the options of a list
    """List the storages."""
    list_records(session, "storages", lambda backend: backend.storages.list, lambda each, _: _row(each), **shown)


@click.command("show", cls=SynapseCommand, examples=(CREATED, "synapse storages show disk"))
@NAME
@JSON
@BACKEND
@click.pass_obj
def show(session: Session, /, *, name: str, as_json: bool) -> None:
    """Show the storage NAME: of its credentials, the names only."""
    from synapse_sdk.cli.rendering import echo_json, key_values, write  # noqa: PLC0415  # help needs none of it

    with opened(session, as_json=as_json) as backend:
        storage = backend.storages.get(name)
    document = {**_row(storage), "created_at": storage.created_at.isoformat(timespec="seconds")}
    if as_json:
        echo_json(document)
    else:
        write(sys.stdout, key_values(document))


@click.command("rm", cls=SynapseCommand, examples=(CREATED, "synapse storages rm disk --yes"))
@NAME
@YES
@BACKEND
@click.pass_obj
def rm(session: Session, /, *, name: str, yes: bool) -> None:
    """Forget the storage NAME; one in which data files lie is kept. Objects are never deleted."""
    remove_record(
        session,
        "storage",
        name,
        lambda backend: (backend.storages.get, backend.storages.remove),
        yes=yes,
        said="Forgot the {kind} {name!r}; its objects stay.",
    )


def _refuse_known(backend: "Backend", address: str) -> None:
    """Refuse a place that is known under another URL; the backend itself refuses the same URL.

    Raises:
        ConflictError: It is.
    """
    from synapse_sdk.errors import ConflictError  # noqa: PLC0415  # help needs none of these
    from synapse_sdk.plugins.actions.references import storage_at  # noqa: PLC0415

    there = storage_at(backend, address)
    if there is not None and there.url != address:
        msg = f"There is a storage at this place already: {there.name!r}"
        why = f"Its URL is {there.url}; a place with two names would lose objects"
        raise ConflictError(msg, why=why, fix="Use that one, or choose another place", storage=there.name)


def _why_not_opened(address: str, secrets: dict[str, str]) -> str | None:
    """Return what is wrong with a storage, as far as that can be told without asking it; somebody else may open it."""
    from synapse_sdk.errors import ConfigurationError  # noqa: PLC0415  # help needs none of these
    from synapse_sdk.storage import open_storage  # noqa: PLC0415

    try:
        open_storage(address, credentials=secrets).close()
    except ConfigurationError as error:
        return str(error)
    return None


def _address(url: str) -> str:
    """Return the URL of a storage, that of a folder for a path.

    Raises:
        BadParameter: It has a password.
    """
    from urllib.parse import urlsplit  # noqa: PLC0415  # help needs none of these

    from synapse_sdk.storage import absolute_url  # noqa: PLC0415

    try:
        has_password = urlsplit(url).password is not None
    except ValueError as error:
        msg = "the URL cannot be understood"
        raise click.BadParameter(msg, param_hint="URL") from error
    if has_password:
        msg = "it has a password, which would be printed with it; give that by --credential password"
        raise click.BadParameter(msg, param_hint="URL")
    return absolute_url(url)


def _secrets(credentials: Sequence[str]) -> dict[str, str]:
    """Return credentials by name.

    Raises:
        BadParameter: One cannot be found where it should be.
    """
    found: dict[str, str] = {}
    for credential in credentials:
        name, equals, source = credential.partition("=")
        variable = source.removeprefix("env:")
        if not name or (equals and (variable == source or variable not in os.environ)):
            what = f"there is no environment variable {variable!r}" if variable != source else "a value would be seen"
            msg = f"{name or credential!r}: {what}; write NAME to be asked, or NAME=env:VARIABLE"
            raise click.BadParameter(msg, param_hint="--credential")
        found[name] = os.environ[variable] if equals else _asked(name)
    return found


def _asked(name: str) -> str:
    if sys.stdin.isatty():
        return str(click.prompt(name, hide_input=True, err=True))
    line = sys.stdin.readline().rstrip("\r\n")
    if not line:
        msg = f"standard input has no line for {name!r}"
        raise click.BadParameter(msg, param_hint="--credential")
    return line


def _row(storage: "StorageRecord") -> dict[str, Any]:
    return {
        "id": storage.id,
        "name": storage.name,
        "default": storage.is_default,
        "url": storage.url,
        "credentials": sorted(storage.credentials),
    }

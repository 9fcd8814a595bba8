"""`synapse models`: what trainings have left."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from synapse_sdk.cli.catalogue.options import BACKEND, JSON, LISTING, YES, confirm_removal, list_records, opened
from synapse_sdk.cli.commands import LateCommand, SynapseCommand, SynapseGroup
from synapse_sdk.cli.live_names import complete_model
from synapse_sdk.cli.session import Session

if TYPE_CHECKING:
    from synapse_sdk.backend import Backend, Model

__all__ = ["download", "list_models", "models", "rm", "show"]

HERE = "synapse_sdk.cli.catalogue.models"
MODEL = click.argument("named", metavar="MODEL", shell_complete=complete_model)

models = SynapseGroup(
    "models",
    help="List, show, download and remove models. MODEL is NAME@VERSION, NAME for the newest version, or an id.",
    sections={
        "Commands": {
            "list": LateCommand(f"{HERE}:list_models", "List the models.", ("ls",)),
            "show": LateCommand(f"{HERE}:show", "Show a model, and how it was trained."),
            "download": LateCommand(f"{HERE}:download", "Bring the file of a model here.", ("get",)),
            "rm": LateCommand(f"{HERE}:rm", "Remove a model and its file.", ("remove", "delete")),
        }
    },
    examples=("synapse models list", "synapse models show digits@1"),
)


@click.command("list", cls=SynapseCommand, examples=("synapse models list", "synapse models list --json"))
@LISTING
@JSON
@BACKEND
@click.pass_obj
def list_models(session: Session, /, **shown: Any) -> None:  # noqa: ANN401  # the options of a list
    """List the models, the oldest first; those of runs that have not succeeded are not among them."""
    list_records(session, "models", lambda backend: backend.models.list, lambda each, _: _row(each), **shown)


@click.command(
    "show", cls=SynapseCommand, examples=("synapse models show digits", "synapse models show digits@1 --json")
)
@MODEL
@JSON
@BACKEND
@click.pass_obj
def show(session: Session, /, *, named: str, as_json: bool) -> None:
    """Show MODEL: where its file is, and how it was trained."""
    from synapse_sdk.cli.rendering import echo_json, key_values, write  # noqa: PLC0415  # help needs none of it

    with opened(session, as_json=as_json) as backend:
        model = _registered(backend, named)
        storage = backend.storages.get(model.file.storage_id).name
    document = {
        **_row(model),
        "run": model.run,
        "storage": storage,
        "key": model.file.key,
        "sha256": model.file.sha256,
        "configuration": dict(model.configuration),
    }
    if as_json:
        echo_json(document)
    else:
        write(sys.stdout, key_values(document))


@click.command(
    "download",
    cls=SynapseCommand,
    examples=("synapse models download digits@1", "synapse models download digits --out network.npz"),
)
@MODEL
@click.option("--out", type=click.Path(path_type=Path), help="The file to write, or a folder that is there.")
@JSON
@BACKEND
@click.pass_obj
def download(session: Session, /, *, named: str, out: Path | None, as_json: bool) -> None:
    """Bring the file of MODEL here; it appears when it is complete, and is what was registered.

    A file that is there already is left alone: if it is the model nothing is to be done, else it is an error.
    """
    from synapse_sdk.cli.rendering import echo_json, write  # noqa: PLC0415  # help needs none of it
    from synapse_sdk.plugins.actions.model_files import fetch_model, file_name_of  # noqa: PLC0415

    with opened(session, as_json=as_json) as backend:
        model = _registered(backend, named)
        target = Path() if out is None else out
        target = (target / file_name_of(model) if target.is_dir() else target).absolute()
        fetch_model(backend, model, target)
    if as_json:
        echo_json({**_row(model), "path": str(target)})
    else:
        write(sys.stdout, str(target))


@click.command("rm", cls=SynapseCommand, examples=("synapse models rm digits@1 --yes",))
@MODEL
@YES
@BACKEND
@click.pass_obj
def rm(session: Session, /, *, named: str, yes: bool) -> None:
    """Remove MODEL and its file; a NAME alone means its newest version."""
    from synapse_sdk.cli.rendering import clean, write  # noqa: PLC0415  # help needs none of it
    from synapse_sdk.plugins.actions.model_files import remove_model  # noqa: PLC0415

    with opened(session) as backend:
        model = _registered(backend, named)
        full = f"{model.name}@{model.version}"
        confirm_removal("model", full, yes=yes)
        remove_model(backend, model)
    write(sys.stderr, f"Removed the model {clean(full)!r} and its file.")


def _registered(backend: "Backend", named: str) -> "Model":
    """Return a registered model.

    Raises:
        RecordNotFoundError: There is none; the message names the nearest.
    """
    from synapse_sdk.plugins.actions.model_files import find_model  # noqa: PLC0415  # help needs none of it

    return find_model(backend, named)


def _row(model: "Model") -> dict[str, Any]:
    return {
        "id": int(model.id),
        "name": model.name,
        "version": model.version,
        "size": model.file.size,
        "created_at": model.created_at.isoformat(timespec="seconds"),
    }

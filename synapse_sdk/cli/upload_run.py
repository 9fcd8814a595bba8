"""Running an upload for the command line: the same command goes on with one that was interrupted."""

import sys
from contextlib import suppress
from pathlib import PurePosixPath
from typing import Any

import click

from synapse_sdk.cli.errors import ExitCode
from synapse_sdk.cli.paths import expanded
from synapse_sdk.cli.rendering import write
from synapse_sdk.cli.repeated_run import RepeatedRun, checked_params
from synapse_sdk.cli.session import Session
from synapse_sdk.errors import ConfigurationError, SynapseError
from synapse_sdk.reporting.text import plural

__all__ = ["check_names", "interrupted_upload", "params_of", "run_upload"]

TUNING = {"upload_max_workers": None, "on_error": "stop"}
"""Parameters that may differ from those of the upload that is gone on with, and what they are when not given."""
CORRECT = "Name a folder, an archive, or the URL of a storage"


def params_of(options: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters of the action for the options of the command.

    Raises:
        UsageError: PATH and --asset contradict each other.
        BadParameter: An asset is not of the form SPEC=PATH or is given twice, or a path begins with the home folder of
            nobody.
    """
    path, assets = options["path"], dict[str, Any]()
    for pair in options["assets"]:
        name, equals, place = pair.partition("=")
        if not equals or not name or not place:
            msg = f"{pair!r} is not of the form SPEC=PATH"
            raise click.BadParameter(msg, param_hint="--asset")
        if name in assets:
            msg = f"{name!r} is given twice, and a specification has one place"
            raise click.BadParameter(msg, param_hint="--asset")
        assets[name] = {"path": _plain(place, "--asset"), "is_recursive": not options["no_recursive"]}
    if (path is None) == (not assets):
        msg = "Give either PATH, or --asset for each file specification"
        raise click.UsageError(msg)
    named = {
        "data_collection": options["collection"],
        "storage": None if options["storage"] is None else _checked(options["storage"], "--storage"),
        "project": options["project"],
        "excel_metadata_path": None if options["meta"] is None else _checked(options["meta"], "--meta"),
        "include": list(options["include"]) or None,
        "exclude": list(options["exclude"]) or None,
        "max_file_size_mb": options["max_size_mb"],
        "upload_max_workers": options["concurrency"],
        "on_error": None if options["on_error"] == "stop" else options["on_error"],
        "path": None if path is None else _plain(path, "PATH"),
        "is_recursive": False if options["no_recursive"] and path is not None else None,
        "assets": assets or None,
        "use_single_path": False if assets else None,
    }
    return {name: value for name, value in named.items() if value is not None}


def _plain(path: str, option: str) -> str:
    """Return a path as it is recorded: `photos/` and `./photos` are the same folder as `photos`.

    Raises:
        BadParameter: It begins with the home folder of nobody.
    """
    checked = _checked(path, option)
    plain = checked if "://" in path or not path else str(PurePosixPath(checked))
    return checked if plain.startswith("~") else plain  # ./~ada is no home folder


def _checked(path: str, option: str) -> str:
    if "://" not in path:
        expanded(path, option)
    return path


def interrupted_upload(params: dict[str, Any], session: Session) -> str | None:
    """Return the run without an end that the same command would see to first; None if there is none."""
    earlier = _run_of(params).earlier(session)
    return None if earlier is None else str(earlier.id)


def _run_of(params: dict[str, Any]) -> RepeatedRun:
    doing = "is uploading the same files into the same collection"
    return RepeatedRun(action="upload", params=params, tuning=TUNING, doing=doing)


def run_upload(params: dict[str, Any], session: Session) -> int:
    """Upload, or go on with the same upload, and return the exit code.

    Raises:
        InvalidParamsError: The parameters do not fit; all that is wrong is named.
        ConfigurationError, RecordNotFoundError: Something that is named does not exist.
        LeaseHeldError: The same upload is under way.
    """
    code = _run_of(params).start(session, lambda: check_names(params, session))
    if code in {ExitCode.DONE, ExitCode.LOSSES} and not session.wants_json:
        command = session.command("collections", "show", str(params["data_collection"]), "--units")
        write(sys.stderr, f"See the data units: {command}")
        _tell_of_hidden_units(params, session)
    if code == ExitCode.RUN_FAILED and not session.wants_json:
        with suppress(SynapseError):  # what it failed of is told already
            _tell_of_hidden_units(params, session)
    return code


def _tell_of_hidden_units(params: dict[str, Any], session: Session) -> None:
    """Say so if there are units that another upload has not published: duplicates of these are not to be seen."""
    from synapse_sdk.backend import DataUnitState, open_backend  # noqa: PLC0415  # only after an upload

    with open_backend(session.backend) as backend:
        collection = backend.collections.get(params["data_collection"])
        hidden = backend.data_units.count(collection.id, state=DataUnitState.STAGED)
    if hidden:
        said = (
            f"{plural(hidden, 'data unit')} of this collection cannot be seen yet, because of an upload without an end"
        )
        write(sys.stderr, f"{said}. Finish it or undo it: {session.command('runs', 'list')}")


def check_names(params: dict[str, Any], session: Session) -> None:
    """See whether everything that is named exists, before a run begins that could only fail.

    Raises:
        InvalidParamsError: The parameters do not fit; all that is wrong is named.
        ConfigurationError, RecordNotFoundError: Something that is named does not exist.
    """
    from synapse_sdk.backend import open_backend  # noqa: PLC0415  # whoever goes on with an upload needs none of it
    from synapse_sdk.plugins.actions.upload import DefaultUploadAction  # noqa: PLC0415
    from synapse_sdk.plugins.actions.upload.references import check_destination  # noqa: PLC0415
    from synapse_sdk.storage.open import local_path  # noqa: PLC0415

    checked = checked_params(DefaultUploadAction, params)
    for place in [checked.path, *(asset.path for asset in (checked.assets or {}).values())]:
        path = None if place is None else local_path(place)
        if path is not None and not path.exists():
            msg = f"There is no {place!r}"
            raise ConfigurationError(msg, why=f"Looked for {path.absolute()}", fix=CORRECT)
    with open_backend(session.backend) as backend:
        check_destination(backend, checked)

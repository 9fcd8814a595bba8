"""Running an export for the command line: the same command goes on with one that was interrupted."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit, urlunsplit

import click

from synapse_sdk.backend.paging import every
from synapse_sdk.cli.errors import ExitCode
from synapse_sdk.cli.rendering import write
from synapse_sdk.cli.repeated_run import RepeatedRun, checked_params
from synapse_sdk.cli.session import Session
from synapse_sdk.plugins.actions.export.targets import TARGETS

if TYPE_CHECKING:
    from synapse_sdk.backend import Backend

__all__ = ["check_names", "params_of", "run_export"]

TUNING = {"download_max_workers": None, "on_error": "continue"}
"""Parameters that may differ from those of the export that is gone on with, and what they are when not given."""


def params_of(options: dict[str, Any], session: Session) -> dict[str, Any]:
    """Return the parameters of the action for the options of the command.

    Raises:
        BadParameter: There is no such target, or --out names no folder.
        UsageError: The target needs a project, or a dataset, or has no use for one.
        ConfigurationError: A filter does not fit.
    """
    target = options["target"]
    if target not in TARGETS.names():
        msg = f"there is no target {target!r}; choose from {', '.join(TARGETS.names())}"
        raise click.BadParameter(msg, param_hint="TARGET")
    named = {
        **_place(options["out"], session),
        "when_taken": "refuse",
        "target": target,
        "filter": _filter(target, options),
        "save_original_file": False if options["no_originals"] else None,
        "on_error": None if options["on_error"] == "continue" else options["on_error"],
        "download_max_workers": options["concurrency"],
    }
    return {name: value for name, value in named.items() if value is not None}


def run_export(params: dict[str, Any], session: Session) -> int:
    """Export, or go on with the same export, and return the exit code.

    Raises:
        InvalidParamsError: The parameters do not fit; all that is wrong is named.
        SynapseError: Something that is named does not exist, or the place is taken.
        LeaseHeldError: The same export is under way.
    """
    run = RepeatedRun(action="export", params=params, tuning=TUNING, doing="is exporting the same to the same place")
    code = run.start(session, lambda: check_names(params, session))
    if code == ExitCode.LOSSES and not session.wants_json:
        write(sys.stderr, "What could not be exported is listed in error_file_list.json, and in the report.")
    return code


def check_names(params: dict[str, Any], session: Session) -> None:
    """See whether everything that is named exists, before a run begins that could only fail.

    Raises:
        InvalidParamsError: The parameters do not fit; all that is wrong is named.
        SynapseError: Something that is named does not exist, or the place is taken.
    """
    from synapse_sdk.plugins.actions.export import DefaultExportAction  # noqa: PLC0415  # as in `upload_run`
    from synapse_sdk.plugins.actions.export.preview import check_export  # noqa: PLC0415

    check_export(checked_params(DefaultExportAction, params), session.backend)


def _filter(target: str, options: dict[str, Any]) -> dict[str, Any]:
    project, dataset = options["project"], options["dataset"]
    if target in {"task", "assignment"} and (project is None or dataset is not None):
        msg = f"The target {target} needs --project, and no --dataset"
        raise click.UsageError(msg)
    if target == "ground_truth" and (dataset is None or project is not None):
        msg = "The target ground_truth needs --dataset, and no --project"
        raise click.UsageError(msg)
    named = {"project": project, "ground_truth_dataset_version": dataset}
    found = dict(TARGETS.load(target).document(options["filters"]))
    if twice := sorted(found.keys() & named.keys()):
        msg = f"--filter cannot have {twice[0]}, which is what --project or --dataset says"
        raise click.UsageError(msg)
    return {**found, **{name: value for name, value in named.items() if value is not None}}


def _place(out: str, session: Session) -> dict[str, Any]:
    """Return name, path and storage for the place of an export.

    Raises:
        BadParameter: It names no folder.
    """
    if "://" not in out:
        try:
            path = Path(out).expanduser().absolute()
        except RuntimeError as error:
            msg = f"{out!r} begins with the home folder of nobody that there is: write ./{out} for a name like that"
            raise click.BadParameter(msg, param_hint="--out") from error
        if not path.name or path.name == "..":
            msg = f"{out!r} is not the name of a new folder"
            raise click.BadParameter(msg, param_hint="--out")
        return {"name": path.name, "storage": str(path.parent)}
    split = urlsplit(out)
    above, _, name = split.path.rstrip("/").rpartition("/")
    if not name:
        msg = f"{out!r} names a whole storage; name a new folder in it, such as {out.rstrip('/')}/NAME"
        raise click.BadParameter(msg, param_hint="--out")
    parent = urlunsplit(split._replace(path=above))
    from synapse_sdk.backend import open_backend  # noqa: PLC0415  # folders need none of it

    with open_backend(session.backend) as backend:
        return {"name": unquote(name), **(_known_storage(parent, backend) or {"storage": parent})}


def _known_storage(url: str, backend: "Backend") -> dict[str, Any] | None:
    """Return the storage that the backend knows and that a URL lies in, for its credentials; and the path in there."""
    known = every(lambda after, size: backend.storages.list(after=after, limit=size))
    fitting = [(each.url.partition("?")[0].rstrip("/"), each) for each in known if "://" in each.url]
    inside = [(root, each) for root, each in fitting if url == root or url.startswith(f"{root}/")]
    if not inside or "?" in url:
        return None
    root, record = max(inside, key=lambda each: len(each[0]))
    path = unquote(url.removeprefix(root).strip("/"))
    return {"storage": record.name, "path": path} if path else {"storage": record.name}

"""Running an export for the command line: the same command goes on with one that was interrupted."""

import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit, urlunsplit

import click

from synapse_sdk.backend.paging import every
from synapse_sdk.cli.catalogue.filters import as_option
from synapse_sdk.cli.errors import ExitCode
from synapse_sdk.cli.paths import expanded
from synapse_sdk.cli.rendering import write
from synapse_sdk.cli.repeated_run import RepeatedRun, checked_params
from synapse_sdk.cli.session import Session
from synapse_sdk.plugins.actions.export.targets import TARGETS

if TYPE_CHECKING:
    from synapse_sdk.backend import Backend

__all__ = ["check_names", "params_of", "run_export", "tell_if_nothing_fits"]

NAMED = ("project", "ground_truth_dataset_version")
"""The keys of a filter that --project and --dataset say."""
TUNING = {"download_max_workers": None, "on_error": "continue"}
"""Parameters that may differ from those of the export that is gone on with, and what they are when not given."""


def params_of(options: dict[str, Any], session: Session) -> dict[str, Any]:
    """Return the parameters of the action for the options of the command.

    Raises:
        BadParameter: There is no such target, --out names no folder, or a filter cannot be understood.
        UsageError: The target needs a project, or a dataset, or has no use for one.
    """
    target = options["target"]
    if target not in TARGETS:
        msg = f"there is no target {target!r}; choose from {', '.join(TARGETS.names())}"
        raise click.BadParameter(msg, param_hint="TARGET")
    named = {
        **_place(options["out"], session),
        "when_taken": "refuse",
        "target": target,
        "filter": _filter(target, options),
        "save_original_file": False if options["no_originals"] else None,
        "target_format": None if options["target_format"] == "dm" else options["target_format"],
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
    code = run.start(session, lambda: _check(params, session))
    if code == ExitCode.LOSSES and not session.wants_json:
        write(sys.stderr, "What could not be exported is listed in error_file_list.json, and in the report.")
    return code


def _check(params: dict[str, Any], session: Session) -> None:
    check_names(params, session)
    if not session.wants_json:
        tell_if_nothing_fits(params, session)


def tell_if_nothing_fits(params: dict[str, Any], session: Session) -> None:
    """Say so if there is nothing to export, and how much there would be without the filter."""
    from synapse_sdk.backend import open_backend  # noqa: PLC0415  # as in `_place`

    target, filters = params["target"], params["filter"]
    named = {name: value for name, value in filters.items() if name in NAMED}
    with open_backend(session.backend) as backend:
        handler = TARGETS.load(target)(backend)
        fitting, everything = (handler.get_results(handler.validate_filter(each)).count for each in (filters, named))
    if everything and not fitting:
        write(
            sys.stderr,
            f"Nothing fits --filter: without it there {'is 1' if everything == 1 else f'are {everything:,}'}.",
        )
    elif not fitting:
        write(sys.stderr, f"There is nothing of target {target} to export.")


def check_names(params: dict[str, Any], session: Session) -> None:
    """See whether everything that is named exists, before a run begins that could only fail.

    Raises:
        InvalidParamsError: The parameters do not fit; all that is wrong is named.
        BadParameter: A filter has an unknown key, or a value that does not fit.
        SynapseError: Something that is named does not exist, or the place is taken.
    """
    from synapse_sdk.plugins.actions.export import DefaultExportAction  # noqa: PLC0415  # as in `upload_run`
    from synapse_sdk.plugins.actions.export.preview import check_filter, check_place  # noqa: PLC0415

    checked = checked_params(DefaultExportAction, params)
    as_option("--filter", lambda: check_filter(checked, session.backend))
    check_place(checked, session.backend)


def _filter(target: str, options: dict[str, Any]) -> dict[str, Any]:
    project, dataset = options["project"], options["dataset"]
    if target in {"task", "assignment"} and (project is None or dataset is not None):
        msg = f"The target {target} needs --project, and no --dataset"
        raise click.UsageError(msg)
    if target == "ground_truth" and (dataset is None or project is not None):
        msg = "The target ground_truth needs --dataset, and no --project"
        raise click.UsageError(msg)
    named = dict(zip(NAMED, (project, dataset), strict=True))
    found = dict(as_option("--filter", lambda: TARGETS.load(target).document(options["filters"])))
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
        path = expanded(out, "--out").absolute()
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

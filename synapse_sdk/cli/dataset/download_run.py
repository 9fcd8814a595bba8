"""Running a download for the command line: the same command goes on with one that was interrupted."""

from pathlib import Path
from typing import Any

import click

from synapse_sdk.backend import GroundTruthFilter, open_backend
from synapse_sdk.cli.repeated_run import RepeatedRun, checked_params
from synapse_sdk.cli.session import Session
from synapse_sdk.errors import ConfigurationError
from synapse_sdk.formats.registry import ALIASES

__all__ = ["params_of", "run_download"]

TUNING = {"download_max_workers": None, "on_error": "continue", "max_failed": None}
"""Parameters that may differ from those of the download that is gone on with, and what they are when not given."""
CONVERTING = ("task", "images", "classes", "class_order", "bounds", "strict")


def params_of(options: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters of the action for the options of the command.

    Raises:
        BadParameter: A filter or a split does not fit, or DST names no folder.
        UsageError: Something is said about a conversion, and there is none.
    """
    to = options["target_format"]
    is_converted = to is not None and ALIASES.get(to, to) != "dm_v2"
    named = {
        "operation": "convert" if is_converted else "download",
        "dataset": options["name"],
        "output": str(_folder(options["target"])),
        "target_format": to if is_converted else None,
        "filter": _filter("--filter", options["filters"]),
        "splits": _splits(options["splits"]),
        "is_categorized": False if options["flat"] else None,
        "save_original_file": False if options["no_originals"] else None,
        "on_error": None if options["on_error"] == "continue" else options["on_error"],
        "max_failed": options["max_failed"],
        "download_max_workers": options["concurrency"],
        **{name: options[name] or None for name in CONVERTING},
        "classes": list(options["classes"]),
    }
    if not is_converted and (useless := [name for name in CONVERTING if named[name] and name != "images"]):
        msg = f"--{useless[0].replace('_', '-')} is for a conversion, and there is none: add --format yolo or the like"
        raise click.UsageError(msg)
    return {name: value for name, value in named.items() if value is not None and value not in ({}, [])}


def run_download(params: dict[str, Any], session: Session) -> int:
    """Download, or go on with the same download, and return the exit code.

    Raises:
        InvalidParamsError: The parameters do not fit; all that is wrong is named.
        SynapseError: Something that is named does not exist, or the place is taken.
        LeaseHeldError: The same download is under way.
    """
    run = RepeatedRun(action="dataset", params=params, tuning=TUNING, doing="is downloading the same to the same place")
    return run.start(session, lambda: _check_names(params, session))


def _check_names(params: dict[str, Any], session: Session) -> None:
    """See whether everything that is named exists, before a run begins that could only fail."""
    from synapse_sdk.formats.staging import check_is_free  # noqa: PLC0415  # what goes on needs none of these
    from synapse_sdk.plugins.actions.dataset import DatasetAction  # noqa: PLC0415
    from synapse_sdk.plugins.actions.dataset.selection import Selection  # noqa: PLC0415

    checked = checked_params(DatasetAction, params)
    check_is_free(Path(checked.output))
    with open_backend(session.backend) as backend:
        Selection(backend, checked)


def _folder(target: str) -> Path:
    try:
        path = Path(target).expanduser().absolute()
    except RuntimeError as error:
        msg = f"{target!r} begins with the home folder of nobody that there is: write ./{target} for a name like that"
        raise click.BadParameter(msg, param_hint="DST") from error
    if not path.name or path.name == "..":
        msg = f"{target!r} is not the name of a new folder"
        raise click.BadParameter(msg, param_hint="DST")
    return path


def _filter(option: str, texts: tuple[str, ...] | list[str]) -> dict[str, Any]:
    try:
        return dict(GroundTruthFilter.document(texts))
    except ConfigurationError as error:
        raise click.BadParameter(str(error), param_hint=option) from error


def _splits(texts: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    found: dict[str, list[str]] = {}
    for text in texts:
        name, colon, which = text.partition(":")
        if not name or not colon:
            msg = f"{text!r} is not of the form SPLIT:KEY=VALUE, such as test:category=test"
            raise click.BadParameter(msg, param_hint="--split")
        found.setdefault(name, []).append(which)
    return {name: _filter("--split", which) for name, which in found.items()}

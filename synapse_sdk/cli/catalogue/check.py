"""`synapse storages check`: whether a storage has what it should have."""

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from synapse_sdk.cli.catalogue.options import BACKEND, JSON, opened
from synapse_sdk.cli.commands import SynapseCommand
from synapse_sdk.cli.live_names import complete_storage
from synapse_sdk.cli.session import Session

if TYPE_CHECKING:
    from synapse_sdk.plugins.storage_check import StorageCheck

__all__ = ["check"]

MOST_NAMED = 10


@click.command(
    "check",
    cls=SynapseCommand,
    examples=(
        "synapse storages create disk objects",
        "synapse storages check disk",
        "synapse storages check disk --read",
    ),
)
@click.argument("name", metavar="NAME", shell_complete=complete_storage)
@click.option("--read", "reads_contents", is_flag=True, help="Read every object, and compare its content.")
@click.option(
    "--delete-orphans", "deletes_orphans", is_flag=True, help="Delete objects of which the backend knows nothing."
)
@JSON
@BACKEND
@click.pass_obj
def check(session: Session, /, *, name: str, reads_contents: bool, deletes_orphans: bool, as_json: bool) -> int:
    """Compare the storage NAME with what the backend knows: what is missing, damaged, or an orphan.

    Ends with 1 if something is missing or damaged. An orphan is what a worker has left that was given up and went on
    later; only those older than an hour count.
    """
    from synapse_sdk.cli.errors import ExitCode  # noqa: PLC0415  # help needs none of these
    from synapse_sdk.cli.rendering import echo_json, write  # noqa: PLC0415
    from synapse_sdk.plugins.storage_check import check_storage  # noqa: PLC0415

    with opened(session, as_json=as_json) as backend:
        record = backend.storages.get(name)
        found = check_storage(backend, record, reads_contents=reads_contents, deletes_orphans=deletes_orphans)
    if as_json:
        echo_json({"storage": record.name, "whole": found.is_whole, **asdict(found)})
    else:
        for line in _lines(found, session, record.name):
            write(sys.stdout, line)
    return ExitCode.DONE if found.is_whole else ExitCode.RUN_FAILED


def _lines(found: "StorageCheck", session: Session, name: str) -> list[str]:
    from synapse_sdk.cli.rendering import clean  # noqa: PLC0415  # as above
    from synapse_sdk.reporting.text import plural, size  # noqa: PLC0415

    lines = [f"{plural(found.objects, 'object')} ({size(found.size)}) as they should be"]
    for what, keys in (("missing", found.missing), ("damaged", found.damaged)):
        if keys:
            lines += [f"{len(keys):,} {what}:", *(f"  {clean(key)}" for key in keys[:MOST_NAMED])]
            lines += [f"  and {len(keys) - MOST_NAMED:,} more (--json lists all)"] if len(keys) > MOST_NAMED else []
    if found.orphans:
        what = plural(len(found.orphans), "orphan")
        deleted = f"{what} ({size(found.orphan_size)}) deleted"
        hint = session.command("storages", "check", name, "--delete-orphans")
        lines.append(deleted if found.removed else f"{what} ({size(found.orphan_size)}); delete with: {hint}")
    return lines

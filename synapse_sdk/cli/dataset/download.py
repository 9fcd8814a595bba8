"""`synapse dataset download`: a version of ground truths becomes a dataset in a folder."""

from typing import Any

import click

from synapse_sdk.cli.catalogue.options import BACKEND
from synapse_sdk.cli.commands import SynapseCommand
from synapse_sdk.cli.dataset.options import WRITING
from synapse_sdk.cli.live_names import complete_dataset
from synapse_sdk.cli.runs.options import FOLLOWING, JOURNAL
from synapse_sdk.cli.session import Session

__all__ = ["download"]


@click.command(
    "download",
    cls=SynapseCommand,
    examples=(
        "synapse dataset download birds birds-dm",
        "synapse dataset download birds@2 birds-yolo --format yolo",
        "synapse dataset download birds birds-train --split train:category=train",
    ),
)
@click.argument("name", metavar="NAME[@NUMBER]", shell_complete=complete_dataset)
@click.argument("target", metavar="DST")
@click.option(
    "--format", "target_format", metavar="FORMAT", help="The format of DST.  [default: dm_v2, as it is in the backend]"
)
@click.option(
    "--filter", "filters", metavar="KEY=VALUE", multiple=True, help="Only ground truths that fit; may be given again."
)
@click.option(
    "--split",
    "splits",
    metavar="SPLIT:KEY=VALUE",
    multiple=True,
    help="What is in a split, in the place of the categories; may be given again.",
)
@click.option("--flat", is_flag=True, help="No folders for splits.")
@click.option("--no-originals", is_flag=True, help="Only documents, not the files that they are about.")
@click.option(
    "--on-error",
    type=click.Choice(("stop", "continue")),
    default="continue",
    show_default=True,
    help="After an item that cannot be downloaded: undo everything, or go on without it.",
)
@click.option("--max-failed", type=click.IntRange(0), metavar="N", help="Undo everything once more items have failed.")
@click.option("--concurrency", type=click.IntRange(1, 256), help="Files to fetch at a time, at most.")
@WRITING
@BACKEND
@FOLLOWING
@JOURNAL
@click.pass_obj
def download(
    session: Session,
    /,
    *,
    as_json: bool,
    progress: str | None,
    **options: Any,  # noqa: ANN401  # those that become parameters
) -> int:
    """Write the ground-truth dataset NAME, by default its newest version, to the folder DST.

    DST appears when all is written; if it fails, or you press Ctrl-C, nothing is left. After a crash, the same command
    goes on where it was. What was downloaded once is kept in the data folder, and not downloaded again as long as it
    is what the version says. Items that could not be downloaded, and losses of a conversion, give exit code 3.
    """
    from synapse_sdk.cli.dataset.download_run import params_of, run_download  # noqa: PLC0415  # help needs none
    from synapse_sdk.cli.repeated_run import used_backend  # noqa: PLC0415

    session.note_option("progress", progress or ("json" if as_json else None))
    session.wants_json = as_json or session.settings.progress == "json"
    params = params_of(options)
    with used_backend(session):
        return run_download(params, session)

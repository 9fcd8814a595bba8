"""`synapse upload`: files of a folder, an archive or a storage into a collection."""

import sys
from typing import TYPE_CHECKING, Any

import click

from synapse_sdk.cli.catalogue.options import BACKEND
from synapse_sdk.cli.commands import SynapseCommand
from synapse_sdk.cli.live_names import complete_collection
from synapse_sdk.cli.runs.options import FOLLOWING, JOURNAL
from synapse_sdk.cli.session import Session

if TYPE_CHECKING:
    from synapse_sdk.plugins.actions.upload.preview import UploadPreview

__all__ = ["upload"]


@click.command(
    "upload",
    cls=SynapseCommand,
    examples=(
        "synapse collections describe photos --create animals",
        "synapse upload photos --collection animals --dry-run",
        "synapse upload photos --collection animals --storage ./store",
    ),
)
@click.argument("path", required=False)
@click.option("--collection", required=True, shell_complete=complete_collection, help="The collection to upload into.")
@click.option(
    "--asset",
    "assets",
    metavar="SPEC=PATH",
    multiple=True,
    help="Where the files of one specification are, instead of PATH; may be given again.",
)
@click.option("--storage", help="Where the files go: a name, a path or a URL. By default the backend's own.")
@click.option("--project", help="A project of the collection.")
@click.option("--meta", metavar="SHEET", help="A sheet (.xlsx, .xls, .csv) with metadata by file name.")
@click.option("--include", metavar="GLOB", multiple=True, help="Only files that match; may be given again.")
@click.option("--exclude", metavar="GLOB", multiple=True, help="No files that match; may be given again.")
@click.option("--no-recursive", is_flag=True, help="Do not look into folders below those of the specifications.")
@click.option("--max-size", "max_size_mb", metavar="MB", type=float, help="Refuse files with more megabytes.")
@click.option(
    "--on-error",
    type=click.Choice(("stop", "continue")),
    default="stop",
    show_default=True,
    help="After a file that cannot be uploaded: undo everything, or go on without it.",
)
@click.option("--concurrency", type=click.IntRange(1, 256), help="Files to send at a time, at most.")
@click.option("--dry-run", is_flag=True, help="Show what would be uploaded, and upload nothing.")
@BACKEND
@FOLLOWING
@JOURNAL
@click.pass_obj
def upload(
    session: Session,
    /,
    *,
    dry_run: bool,
    as_json: bool,
    progress: str | None,
    **options: Any,  # noqa: ANN401  # those that become parameters
) -> int:
    """Upload the files below PATH into a collection: a folder, a zip or tar archive, or the URL of a storage.

    The files of each file specification lie in a folder of its name. Files of one stem become one data unit. What is
    there already is not sent again. The units appear when all is done; if the upload fails, or you press Ctrl-C,
    everything is taken back. After a crash, the same command goes on where the upload was.
    """
    from synapse_sdk.cli.repeated_run import used_backend  # noqa: PLC0415  # help needs none of these
    from synapse_sdk.cli.upload_run import check_names, params_of, run_upload  # noqa: PLC0415

    session.note_option("progress", progress or ("json" if as_json else None))
    session.wants_json = as_json or session.settings.progress == "json"
    params = params_of(options)
    with used_backend(session):
        if not dry_run:
            return run_upload(params, session)
        check_names(params, session)
        _show_preview(params, session)
    return 0


def _show_preview(params: dict[str, Any], session: Session) -> None:
    from synapse_sdk.cli.output import prints_to_stderr  # noqa: PLC0415  # help needs none of these
    from synapse_sdk.cli.rendering import echo_json, write  # noqa: PLC0415
    from synapse_sdk.cli.upload_run import interrupted_upload  # noqa: PLC0415
    from synapse_sdk.plugins.actions.upload.action import DefaultUploadAction  # noqa: PLC0415
    from synapse_sdk.plugins.actions.upload.preview import preview_upload  # noqa: PLC0415

    interrupted = interrupted_upload(params, session)
    with prints_to_stderr():
        preview = preview_upload(DefaultUploadAction.validate_params(params), going_on_with=interrupted)
    if session.wants_json:
        echo_json(preview.model_dump(mode="json"))
        return
    for line in _lines(preview):
        write(sys.stdout, line)
    write(sys.stderr, "Nothing was uploaded.")
    if interrupted is not None:
        write(sys.stderr, f"First, the upload would see to its run {interrupted}, which has not ended.")
    if preview.failed and params.get("on_error") != "continue":
        write(sys.stderr, "The upload would fail because of what is refused; --on-error continue goes on without it.")


def _lines(preview: "UploadPreview") -> list[str]:
    from synapse_sdk.cli.rendering import clean, table  # noqa: PLC0415  # as above
    from synapse_sdk.reporting.text import plural, size  # noqa: PLC0415

    lines = [
        f"{clean(preview.collection)}: {plural(preview.data_units, 'data unit')} into storage {clean(preview.storage)}",
        "",
        table(
            ("what becomes of them", "files"),
            [
                (f"sent ({size(preview.new_bytes)})", f"{preview.new:,}"),
                ("there already", f"{preview.duplicate:,}"),
                ("filtered", f"{preview.filtered:,}"),
                ("refused", f"{preview.failed:,}"),
                ("found", f"{preview.discovered:,}"),
            ],
        ),
    ]
    if preview.metadata_sheet is not None:
        lines += ["", f"Metadata comes from {clean(preview.metadata_sheet)}."]
    for heading, files in (("Refused", preview.failures), ("Filtered", preview.filtered_files)):
        if files:
            lines += ["", f"{heading}:", *(f"  {clean(each.file)}: {clean(each.reason)}" for each in files[:20])]
            lines += [f"  and {len(files) - 20} more"] if len(files) > 20 else []  # noqa: PLR2004  # as above
    return lines

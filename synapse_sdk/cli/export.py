"""`synapse export`: tasks, assignments or ground truths into a folder or a storage."""

import sys
from typing import TYPE_CHECKING, Any

import click

from synapse_sdk.cli.catalogue.options import BACKEND
from synapse_sdk.cli.commands import SynapseCommand
from synapse_sdk.cli.live_names import complete_project
from synapse_sdk.cli.runs.options import FOLLOWING, JOURNAL
from synapse_sdk.cli.session import Session

if TYPE_CHECKING:
    from synapse_sdk.plugins.actions.export.preview import ExportPreview

__all__ = ["export"]


@click.command(
    "export",
    cls=SynapseCommand,
    examples=(
        "synapse export task --project boxes --out ./boxes --dry-run",
        "synapse export task --project boxes --out ./boxes --no-originals",
        "synapse export ground_truth --dataset birds@2 --out ./birds --no-originals",
    ),
)
@click.argument("target")
@click.option("--project", shell_complete=complete_project, help="The project, for tasks and assignments.")
@click.option("--dataset", metavar="NAME[@N]", help="The ground-truth dataset and version, for ground truths.")
@click.option(
    "--filter", "filters", metavar="KEY=VALUE", multiple=True, help="Only items that fit; may be given again."
)
@click.option("--out", required=True, metavar="DIR|URL", help="The folder that the export becomes; must not exist.")
@click.option(
    "--format",
    "target_format",
    type=click.Choice(("dm", "coco", "yolo", "pascal", "imagefolder")),
    default="dm",
    show_default=True,
    help="Write documents in this format as well, into a folder of the export.",
)
@click.option("--no-originals", is_flag=True, help="Only documents, not the files that they are about.")
@click.option(
    "--on-error",
    type=click.Choice(("stop", "continue")),
    default="continue",
    show_default=True,
    help="After an item that cannot be exported: undo everything, or go on without it.",
)
@click.option("--concurrency", type=click.IntRange(1, 256), help="Files to fetch at a time, at most.")
@click.option("--dry-run", is_flag=True, help="Show what would be exported, and export nothing.")
@BACKEND
@FOLLOWING
@JOURNAL
@click.pass_obj
def export(
    session: Session,
    /,
    *,
    dry_run: bool,
    as_json: bool,
    progress: str | None,
    **options: Any,  # noqa: ANN401  # those that become parameters
) -> int:
    """Write every TARGET (task, assignment or ground_truth) as a document, with the files that it is about.

    The export appears at its place when all is done; if it fails, or you press Ctrl-C, nothing is left. After a crash,
    the same command goes on where the export was. Items that cannot be exported are counted, with the reason.
    """
    from synapse_sdk.cli.export_run import (  # noqa: PLC0415  # help needs none of these
        check_names,
        params_of,
        run_export,
        tell_if_nothing_fits,
    )
    from synapse_sdk.cli.repeated_run import used_backend  # noqa: PLC0415

    session.note_option("progress", progress or ("json" if as_json else None))
    session.wants_json = as_json or session.settings.progress == "json"
    params = params_of(options, session)
    with used_backend(session):
        if not dry_run:
            return run_export(params, session)
        check_names(params, session)
        _show_preview(params, session)
        if not session.wants_json:
            tell_if_nothing_fits(params, session)
    return 0


def _show_preview(params: dict[str, Any], session: Session) -> None:
    from synapse_sdk.cli.rendering import echo_json, write  # noqa: PLC0415  # help needs none of these
    from synapse_sdk.plugins.actions.export.action import DefaultExportAction  # noqa: PLC0415
    from synapse_sdk.plugins.actions.export.preview import preview_export  # noqa: PLC0415

    preview = preview_export(DefaultExportAction.validate_params(params), session.backend)
    if session.wants_json:
        echo_json(preview.model_dump(mode="json"))
        return
    for line in _lines(preview):
        write(sys.stdout, line)
    write(sys.stderr, "Nothing was exported.")
    if preview.without_data:
        write(sys.stderr, "Items without data would fail. Leave them out: --filter has_data=true")


def _lines(preview: "ExportPreview") -> list[str]:
    from synapse_sdk.cli.rendering import clean, table  # noqa: PLC0415  # as above
    from synapse_sdk.reporting.text import plural, size  # noqa: PLC0415

    return [
        f"{plural(preview.total, 'item')} of target {preview.target} into {clean(preview.output_path)}",
        "",
        table(
            ("what becomes of them", "items"),
            [
                ("exported", f"{preview.fit:,}"),
                ("refused, without data", f"{preview.without_data:,}"),
                ("found", f"{preview.total:,}"),
            ],
        ),
        "",
        f"With {plural(preview.files, 'file')} ({size(preview.file_bytes)}).",
    ]

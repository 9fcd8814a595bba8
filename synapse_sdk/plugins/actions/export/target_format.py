"""The documents of an export, once more in a format that trainers read."""

import shutil
from typing import TYPE_CHECKING

from synapse_sdk.errors import ConfigurationError
from synapse_sdk.plugins.actions.export.params import TargetFormat
from synapse_sdk.plugins.actions.export.records import ORIGINALS

if TYPE_CHECKING:
    from pathlib import Path

    from synapse_sdk.formats import ConversionReport
    from synapse_sdk.plugins.actions.export.context import ExportContext

__all__ = ["check_target_format", "write_target_format"]


def check_target_format(context: "ExportContext") -> None:
    """See that documents can be converted where the export is put together.

    Raises:
        ConfigurationError: It goes into a storage, file by file, so that there is never a whole dataset to convert.
    """
    wanted = context.params.target_format
    if wanted is not TargetFormat.DM and not context.destination.keeps_staging:
        msg = f"An export into {context.storage_url!r} cannot have its documents in format {wanted}"
        fix = "Export into a folder of this machine, or leave the format out and convert the export later"
        raise ConfigurationError(msg, fix=fix, target_format=str(wanted))


def write_target_format(context: "ExportContext") -> "ConversionReport | None":
    """Convert the documents of an export, where another format than DM is wanted, into a folder called like that.

    The images in it are links to the originals in the same export, so that they take no room twice. A folder that a
    process which died has left is written anew.

    Raises:
        InvalidDatasetError: None of the documents can be converted.
    """
    wanted = context.params.target_format
    if wanted is TargetFormat.DM or not context.exported_count:
        return None
    from synapse_sdk.formats import ConversionOptions, ImageTransfer, convert  # noqa: PLC0415  # most exports need none

    folder: Path = context.staging.folder / str(wanted)
    if folder.exists():
        shutil.rmtree(folder)
    has_images = context.params.save_original_file
    images = ImageTransfer.HARDLINK if has_images else ImageTransfer.NONE
    originals = context.staging.folder / ORIGINALS
    originals.mkdir(exist_ok=True)  # which a DM dataset has, whatever is in it
    options = ConversionOptions(images=images)
    report = convert(context.staging.folder, folder, to=str(wanted), options=options, may_be_inside=True)
    if not has_images:
        originals.rmdir()
    losses = report.loss_count
    context.log("documents_converted", {"format": str(wanted), "items": report.items.written, "losses": losses})
    return report

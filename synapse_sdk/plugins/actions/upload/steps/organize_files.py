"""The fourth step: which files belong together."""

from pathlib import Path

from synapse_sdk.errors import ConfigurationError
from synapse_sdk.folders import remove_tree
from synapse_sdk.plugins.actions.names import shown
from synapse_sdk.plugins.actions.upload.context import UploadContext
from synapse_sdk.plugins.actions.upload.grouping import group_files
from synapse_sdk.plugins.actions.upload.inventory import SHEET_NAMES, is_sheet
from synapse_sdk.plugins.actions.upload.losses import note_losses
from synapse_sdk.plugins.actions.upload.sheets import check_sheet
from synapse_sdk.plugins.actions.upload.sources import is_archive_path
from synapse_sdk.plugins.steps import BaseStep, StepResult
from synapse_sdk.storage.open import local_path

__all__ = ["OrganizeFilesStep"]


class OrganizeFilesStep(BaseStep[UploadContext]):
    """Unpack archives, and put files of one stem together, one for each file specification."""

    name = "organize_files"
    progress_weight = 0.15

    def execute(self, context: UploadContext) -> StepResult:
        """Fill `organized_files` and `unpacked`.

        Raises:
            ConfigurationError: A step that should have run before has not, or an archive was replaced since then.
            UnsafeArchiveError: An archive is damaged, or built to do harm.
            InvalidSheetError: The metadata sheet in an archive cannot be used.
        """
        context.require(context.specifications, step="analyze_collection")
        for root, place in context.roots.items():
            if is_archive_path(place):
                self._unpack(context, root, place)
        groups = group_files(context.file_paths, context.specifications, context.failed_files)
        context.organized_files = groups.units
        context.filtered_files |= groups.filtered
        result = StepResult(data={"units": len(groups.units), "filtered": len(groups.filtered)})
        return note_losses(context, groups.failed, result)

    def rollback(self, context: UploadContext, result: StepResult) -> None:
        """Delete what was unpacked."""
        for entry in result.rollback_data.get("undo_log", []):
            remove_tree(entry["folder"])

    @staticmethod
    def _unpack(context: UploadContext, root: str, place: str) -> None:
        from synapse_sdk.documents.archives import extract_archive  # noqa: PLC0415  # few uploads begin with an archive

        folder = Path(context.work_folder, f"unpacked-{root}" if root else "unpacked")
        context.record_undo(folder=str(folder))
        folder.mkdir(parents=True, exist_ok=True)
        extract_archive(local_path(place) or place, folder)
        context.forget_source(root)
        context.unpacked[root] = str(folder)
        _look_again(context, root, folder, place)
        if not root and context.metadata_sheet is None:
            sheet = next((name for name in SHEET_NAMES if is_sheet(context.filtered_files, name)), None)
            context.metadata_sheet = None if sheet is None else check_sheet(folder / sheet)


def _look_again(context: UploadContext, root: str, folder: Path, archive: str) -> None:
    """Take the times of the files of a root from where they are now.

    Raises:
        ConfigurationError: They are not those that the archive had when it was listed.
    """
    prefix = f"{root}/" if root else ""
    for number, path in enumerate(context.file_paths):
        if not path.startswith(prefix):
            continue
        inside = path.removeprefix(prefix)
        try:
            status = (folder / inside).stat()
        except OSError as error:
            raise _changed(archive, f"There is no {shown(inside)!r} in it any more") from error
        if status.st_size != context.file_sizes[number]:
            raise _changed(archive, f"{shown(inside)!r} in it has another size")
        context.file_versions[number] = status.st_mtime_ns


def _changed(archive: str, why: str) -> ConfigurationError:
    msg = f"The archive {archive!r} is not the one that this upload has begun with"
    return ConfigurationError(msg, why=why, fix="Upload the new one once this upload is undone", path=archive)

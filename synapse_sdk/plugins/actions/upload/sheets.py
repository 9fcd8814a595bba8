"""The metadata sheet of an upload: named or found, brought to this machine, and read once before anything is sent."""

from pathlib import Path
from urllib.parse import unquote

from synapse_sdk.documents.sheets import SheetLimits, read_sheet
from synapse_sdk.documents.sheets.limits import excess, refusal
from synapse_sdk.plugins.actions.upload.accounting import FileRefusedError
from synapse_sdk.plugins.actions.upload.context import UploadContext
from synapse_sdk.plugins.actions.upload.sources import Source, is_archive_path, open_source
from synapse_sdk.storage.open import local_path

__all__ = ["check_sheet", "find_sheet"]


def find_sheet(context: UploadContext, at_root: str | None) -> str | None:
    """Return the metadata sheet as a path of this machine, after having read it once; None if there is none.

    A sheet that lies in a storage is fetched into the folder of the run. One in an archive is looked for when the
    archive is unpacked.

    Args:
        context: The upload, with its roots.
        at_root: The sheet that lies beside the folders of the specifications, by its path there.

    Raises:
        InvalidSheetError: It is not there, or cannot be used.
    """
    named, root = context.params.excel_metadata_path, context.roots.get("")
    if named is not None:
        return check_sheet(_named(context, named))
    if at_root is None or root is None or is_archive_path(root):
        return None
    return check_sheet(_beside(context, root, at_root))


def check_sheet(path: Path) -> str:
    """Read a metadata sheet to its end, so that one that cannot be used is known before anything is sent.

    Raises:
        InvalidSheetError: It cannot be used.
    """
    with read_sheet(path) as sheet:
        for _ in sheet:
            pass
    return str(path)


def _named(context: UploadContext, named: str) -> Path:
    path, root = local_path(named), context.roots.get("")
    if path is None:
        folder, _, name = named.partition("?")[0].rpartition("/")
        source = open_source(folder + named[len(folder) + 1 + len(name) :])
        try:
            return _fetched(context, source, unquote(name))
        finally:
            source.close()
    if path.is_absolute() or path.exists() or root is None or is_archive_path(root):
        return path
    # As older configurations name it: below the place of the files.
    beside = local_path(root)
    return path if beside is not None and not (beside / path).exists() else _beside(context, root, named)


def _beside(context: UploadContext, root: str, path: str) -> Path:
    folder = local_path(root)
    return _fetched(context, context.source(""), path) if folder is None else folder / path


def _fetched(context: UploadContext, source: Source, path: str) -> Path:
    """Copy a sheet out of a storage into the folder of the run.

    Raises:
        InvalidSheetError: It is not there, cannot be read, or is larger than any sheet may be.
    """
    origin, most = f"{source.location.partition('?')[0]}/{path}", SheetLimits().text_bytes
    folder = Path(context.work_folder, "sheet")
    target = folder / path.rpartition("/")[2]
    context.record_undo(folder=str(folder))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with source.open(path) as file, target.open("wb") as copy:
            if file.size > most:
                raise excess(origin, "file_size", most, file.size)
            for piece in file.pieces():
                copy.write(piece)
    except FileRefusedError as refused:
        why = "it is not there" if isinstance(refused.__cause__, FileNotFoundError) else refused.words
        raise refusal(origin, why, "Name a sheet that is there and may be read") from refused
    return target

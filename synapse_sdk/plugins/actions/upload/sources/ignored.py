"""What nobody means to upload, wherever it lies."""

from collections.abc import Iterable, Iterator

from synapse_sdk.plugins.actions.upload.accounting import Reason
from synapse_sdk.plugins.actions.upload.sources.base import FoundFile, RefusedFile

__all__ = ["IGNORED_FILES", "IGNORED_FOLDERS", "worth_taking"]

IGNORED_FOLDERS = frozenset(
    {"@eaDir", ".@__thumb", "@Recycle", "#recycle", ".synology", "__pycache__", ".git", ".synapse", "__MACOSX"}
)
"""Folders that systems and tools leave behind; nobody means to upload what is in them."""
IGNORED_FILES = frozenset({".DS_Store", "Thumbs.db", "desktop.ini", ".gitkeep"})
"""The same for files."""


def worth_taking(listed: Iterable[FoundFile], *, depth: int | None) -> Iterator[FoundFile | RefusedFile]:
    """Yield the files of a flat listing, with what is to be ignored refused, and without those that lie too deep."""
    for found in listed:
        *folders, name = found.path.split("/")
        if name in IGNORED_FILES or IGNORED_FOLDERS.intersection(folders):
            yield RefusedFile(found.path, Reason.IGNORED, "a file of the system's", is_filtered=True)
        elif depth is None or len(folders) <= depth:
            yield found

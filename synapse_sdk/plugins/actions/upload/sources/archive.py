"""A zip or tar archive as the source of an upload: its members are listed, and read once they are unpacked."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from synapse_sdk.documents.archives import list_archive
from synapse_sdk.plugins.actions.upload.accounting import FileRefusedError, Reason
from synapse_sdk.plugins.actions.upload.sources.base import FoundFile, OpenFile, RefusedFile, Source
from synapse_sdk.plugins.actions.upload.sources.ignored import worth_taking

__all__ = ["ArchiveSource"]


class ArchiveSource(Source):
    """Lists an archive of this machine."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.location = os.fspath(path)

    def walk(self, *, depth: int | None) -> Iterator[FoundFile | RefusedFile]:
        """Yield the members that are files; what the archive says of their sizes is checked when it is unpacked.

        Raises:
            UnsafeArchiveError: It is damaged, or built to do harm.
        """
        members = (member for member in list_archive(Path(self.location)) if not member.is_folder)
        files = (FoundFile(member.name, member.size, 0) for member in members)
        return worth_taking(files, depth=depth)

    def open(self, path: str) -> AbstractContextManager[OpenFile]:
        """Refuse: members are read from the folder that the archive is unpacked into."""
        raise FileRefusedError(Reason.UNREADABLE, f"{path} of {self.location} has not been unpacked")

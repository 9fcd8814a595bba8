"""Unpacking an archive into a folder, as often as it takes."""

import os
from collections.abc import Callable
from dataclasses import dataclass

from synapse_sdk.documents.archives.limits import ArchiveLimits
from synapse_sdk.documents.archives.members import ArchiveMember, Source
from synapse_sdk.documents.archives.opening import open_source
from synapse_sdk.documents.archives.target import Target

__all__ = ["ExtractReport", "extract_archive"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractReport:
    """What unpacking an archive did."""

    written: int
    """Files that were written."""
    kept: int
    """Files that were there already, with the very content."""
    folders: int
    """Entries of the archive that are folders; folders that it does not list are made, too."""
    bytes_written: int
    """Bytes of the files that were written."""


def extract_archive(
    path: str | os.PathLike[str],
    target_folder: str | os.PathLike[str],
    limits: ArchiveLimits | None = None,
    *,
    on_member: Callable[[ArchiveMember], object] | None = None,
    encoding: str = "cp437",
) -> ExtractReport:
    """Unpack a zip or tar archive.

    The whole list of members is checked before the first one is written. Each file gets its name only when it is
    complete, so that a call that fails or is killed can be repeated: what is there with the very content stays, the
    rest follows. Nothing is overwritten. Permissions, owners and times are not taken over.

    Args:
        path: The archive; its content says what it is.
        target_folder: Made if it is missing; nothing is written outside of it, even if it holds links.
        limits: What may come out of the archive; by default `ArchiveLimits()`.
        on_member: Told of each member, in the order of the archive, when it is complete.
        encoding: In what names of a zip are that are not UTF-8; cp949 for archives from Korean Windows.

    Raises:
        UnsafeArchiveError: The archive is damaged, holds something other than files and folders with safe names,
            exceeds a limit, or meets something else in the target folder. `where` names the `member`.
        OSError: The file system takes no more.
    """
    with open_source(path, limits or ArchiveLimits(), encoding) as (source, budget):
        for _ in source.entries():
            pass
        with Target(target_folder, budget) as target:
            return _extract(source, target, on_member or (lambda _: None))


def _extract(source: Source, target: Target, on_member: Callable[[ArchiveMember], object]) -> ExtractReport:
    written = kept = folders = size = 0
    for entry in source.entries():
        if entry.member.is_folder:
            target.make_folder(entry.member)
            folders += 1
        elif target.has(entry):
            kept += 1
        else:
            size += target.write(entry)
            written += 1
        on_member(entry.member)
    return ExtractReport(written=written, kept=kept, folders=folders, bytes_written=size)

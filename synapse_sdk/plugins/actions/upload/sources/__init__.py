"""Sources: where the files of an upload are now."""

from pathlib import Path

from synapse_sdk.plugins.actions.upload.sources.base import FoundFile, OpenFile, RefusedFile, Source

__all__ = ["FoundFile", "OpenFile", "RefusedFile", "Source", "is_archive_path", "open_source"]


def is_archive_path(location: str) -> bool:
    """Whether a location names a file of this machine, which then has to be an archive."""
    return "://" not in location and Path(location).expanduser().is_file()


def open_source(location: str) -> Source:
    """Return the source that a user has named: a folder, an archive, or the URL of a storage.

    Raises:
        ConfigurationError: It is none of these.
    """
    if "://" in location and not location.startswith("file://"):
        from synapse_sdk.plugins.actions.upload.sources.storage import StorageSource  # noqa: PLC0415  # each on use

        return StorageSource(location)
    path = Path(location.removeprefix("file://")).expanduser()
    if path.is_file():
        from synapse_sdk.plugins.actions.upload.sources.archive import ArchiveSource  # noqa: PLC0415  # as above

        return ArchiveSource(path)
    from synapse_sdk.plugins.actions.upload.sources.folder import FolderSource  # noqa: PLC0415  # as above

    return FolderSource(path)

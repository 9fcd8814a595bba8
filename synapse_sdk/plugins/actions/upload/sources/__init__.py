"""Sources: where the files of an upload are now."""

from synapse_sdk.plugins.actions.upload.sources.base import FoundFile, OpenFile, RefusedFile, Source
from synapse_sdk.storage.open import local_path

__all__ = ["FoundFile", "OpenFile", "RefusedFile", "Source", "is_archive_path", "open_source"]


def is_archive_path(location: str) -> bool:
    """Whether a location names a file of this machine, which then has to be an archive."""
    path = local_path(location)
    return path is not None and path.is_file()


def open_source(location: str) -> Source:
    """Return the source that a user has named: a folder, an archive, or the URL of a storage.

    Raises:
        ConfigurationError: It is none of these.
    """
    path = local_path(location)
    if path is None:
        from synapse_sdk.plugins.actions.upload.sources.storage import StorageSource  # noqa: PLC0415  # each on use

        return StorageSource(location)
    if path.is_file():
        from synapse_sdk.plugins.actions.upload.sources.archive import ArchiveSource  # noqa: PLC0415  # as above

        return ArchiveSource(path)
    from synapse_sdk.plugins.actions.upload.sources.folder import FolderSource  # noqa: PLC0415  # as above

    return FolderSource(path)

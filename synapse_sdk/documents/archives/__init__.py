"""Unpacking zip and tar archives from people who may be clumsy or hostile.

Only regular files and folders come out, only below the target folder, and never more bytes than allowed.
"""

from typing import TYPE_CHECKING

from synapse_sdk.lazy import lazy_exports

if TYPE_CHECKING:
    from synapse_sdk.documents.archives.extracting import ExtractReport, extract_archive
    from synapse_sdk.documents.archives.limits import ArchiveLimits
    from synapse_sdk.documents.archives.members import ArchiveMember
    from synapse_sdk.documents.archives.opening import list_archive

__all__ = ["ArchiveLimits", "ArchiveMember", "ExtractReport", "extract_archive", "list_archive"]

__getattr__ = lazy_exports(
    __name__,
    {
        "ArchiveLimits": "synapse_sdk.documents.archives.limits",
        "ArchiveMember": "synapse_sdk.documents.archives.members",
        "ExtractReport": "synapse_sdk.documents.archives.extracting",
        "extract_archive": "synapse_sdk.documents.archives.extracting",
        "list_archive": "synapse_sdk.documents.archives.opening",
    },
)

"""Which type of file an extension usually means."""

from collections.abc import Mapping

from synapse_sdk.backend.records import FileType

__all__ = ["EXTENSIONS", "file_type_of"]

EXTENSIONS: Mapping[FileType, frozenset[str]] = {
    FileType.IMAGE: frozenset({".bmp", ".gif", ".heic", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}),
    FileType.VIDEO: frozenset({".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".webm"}),
    FileType.PCD: frozenset({".las", ".laz", ".pcd", ".ply"}),
    FileType.TEXT: frozenset({".md", ".txt"}),
    FileType.AUDIO: frozenset({".aac", ".flac", ".m4a", ".mp3", ".ogg", ".wav"}),
}
"""In small letters, with the dot."""

BY_EXTENSION = {extension: kind for kind, extensions in EXTENSIONS.items() for extension in extensions}


def file_type_of(extension: str) -> FileType:
    """Return the type that an extension usually means; `data` for one that is not known.

    Example:
        >>> file_type_of(".JPG")
        <FileType.IMAGE: 'image'>
    """
    return BY_EXTENSION.get(extension.lower(), FileType.DATA)

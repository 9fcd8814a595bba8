"""Why a file is not in the collection, in stable words."""

from enum import StrEnum

__all__ = ["FileRefusedError", "Reason", "reason_and_words", "told"]


class Reason(StrEnum):
    """Why a file is not in the collection."""

    # Filtered.
    IGNORED = "IGNORED"
    """The system or a tool has left it behind: `.DS_Store`, `Thumbs.db`, `.git/` ...; or an upload, as an object."""
    EXCLUDED = "EXCLUDED"
    """It matches no pattern of `include`, or one of `exclude`."""
    NO_SPECIFICATION = "NO_SPECIFICATION"
    """It lies in no folder with the name of a file specification."""
    UNSUPPORTED_EXTENSION = "UNSUPPORTED_EXTENSION"
    """The file specification takes other extensions."""
    LINKED_FOLDER = "LINKED_FOLDER"
    """It is a link to a folder, whose files are there anyway."""
    METADATA_SHEET = "METADATA_SHEET"
    """It is the metadata sheet."""
    LEFT_OUT = "LEFT_OUT"
    """A step has taken it out of the upload."""

    # Failed.
    UNSAFE_NAME = "UNSAFE_NAME"
    """Its name is no text, or has characters that steer a terminal."""
    NOT_A_FILE = "NOT_A_FILE"
    """It is a device, a pipe or a socket."""
    UNSAFE_LINK = "UNSAFE_LINK"
    """It is a link that leads out of the folder, nowhere, or in a circle."""
    UNREADABLE = "UNREADABLE"
    """It cannot be read."""
    EMPTY_FILE = "EMPTY_FILE"
    """It has no bytes."""
    FILE_TOO_LARGE = "FILE_TOO_LARGE"
    """It has more bytes than `max_file_size_mb` allows."""
    FILE_CHANGED = "FILE_CHANGED"
    """It changed while it was read, or since the upload began."""
    NAME_COLLISION = "NAME_COLLISION"
    """Another file of its specification would be the same file of the same unit."""
    MISSING_REQUIRED_DATA = "MISSING_REQUIRED_DATA"
    """Its unit has no file of a specification that every unit needs."""
    UNIT_CONFLICT = "UNIT_CONFLICT"
    """The collection has a unit of this key with other files."""
    UNIT_PENDING = "UNIT_PENDING"
    """Another run that has not ended is bringing in a unit of this key."""
    INCOMPLETE_UNIT = "INCOMPLETE_UNIT"
    """Another file of its unit cannot be uploaded."""
    UPLOAD_FAILED = "UPLOAD_FAILED"
    """The storage did not take it, however often it was tried."""


class FileRefusedError(Exception):
    """One file cannot be uploaded; the others can."""

    def __init__(self, reason: Reason, words: str, *, transient: bool = False) -> None:
        super().__init__(words)
        self.reason = reason
        self.words = words
        self.transient = transient
        """Whether trying again may help."""


def told(reason: Reason, words: str) -> str:
    """Return reason and words as the one text that the context keeps for a file: `EMPTY_FILE: it has no bytes`."""
    return f"{reason}: {words}"


def reason_and_words(told: str) -> tuple[str, str]:
    """Take apart what `told` has put together.

    Example:
        >>> reason_and_words("EMPTY_FILE: it has no bytes")
        ('EMPTY_FILE', 'it has no bytes')
    """
    reason, _, words = told.partition(": ")
    return reason, words

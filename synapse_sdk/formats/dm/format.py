"""The DM formats, as commands know them."""

from pathlib import Path

from synapse_sdk.formats.base import DatasetFormat, FormatOptions, Reader, Writer
from synapse_sdk.formats.dm.document import Version, version_of
from synapse_sdk.formats.losses import LossLog
from synapse_sdk.formats.model import DatasetInfo

__all__ = ["DmV1Format", "DmV2Format"]

BEGINNING = 64 * 1024
"""Bytes of a document that are searched for what shows its version."""


class _DmFormat(DatasetFormat):
    """What both versions share."""

    divides = True
    looks_at = frozenset()
    version: Version

    def find(self, folder: Path) -> str | None:
        """Return what shows that a folder has documents of this version: the first of them."""
        from synapse_sdk.formats.dm.layout import DOCUMENTS, documents_folders, first_document  # noqa: PLC0415

        if not folder.is_dir():
            return None
        folders = documents_folders(folder)
        for place in folders.values():
            document = first_document(folder / place / DOCUMENTS)
            if document is not None:
                is_mine = _version_of(document) is self.version
                return document.relative_to(folder).as_posix() if is_mine else None
        # Without any document it does not matter which one it is.
        return f"{next(iter(folders.values()))}{DOCUMENTS}" if folders and self.version is Version.V2 else None

    def reader(self, folder: Path, options: FormatOptions, losses: LossLog) -> Reader:
        """Return what reads a dataset, whose documents may be of either version.

        Raises:
            InvalidDatasetError: It is no DM dataset.
        """
        from synapse_sdk.formats.dm.reader import DmReader  # noqa: PLC0415  # only who reads needs it

        return DmReader(folder, options, losses)

    def writer(self, folder: Path, info: DatasetInfo, options: FormatOptions, losses: LossLog) -> Writer:
        """Return what writes a dataset.

        Raises:
            ConfigurationError: A split has the name of something else.
        """
        from synapse_sdk.formats.dm.writer import DmWriter  # noqa: PLC0415  # only who writes needs it

        return DmWriter(folder, info, self.version, options, losses)


class DmV1Format(_DmFormat):
    """Documents as the platform's annotation editor saves them."""

    name = "dm_v1"
    title = "DM version 1"
    version = Version.V1


class DmV2Format(_DmFormat):
    """Documents as the platform's datasets hold them."""

    name = "dm_v2"
    title = "DM version 2"
    version = Version.V2


def _version_of(path: Path) -> Version | None:
    try:
        with path.open("rb") as file:
            return version_of(file.read(BEGINNING), is_guess=True)
    except OSError:
        return None

"""COCO among the formats."""

from pathlib import Path

from synapse_sdk.errors import InvalidDatasetError
from synapse_sdk.formats.base import DatasetFormat, FormatOptions, Reader, Writer
from synapse_sdk.formats.losses import LossLog
from synapse_sdk.formats.model import DatasetInfo

__all__ = ["CocoFormat"]


class CocoFormat(DatasetFormat):
    """COCO's JSON files: flat, with a folder for each split, or as the COCO project publishes them.

    **Read** are files of objects, of joints, and panoptic ones, whose segments are in images beside them; where there
    are objects as well, panoptic files are passed over, and that is said. Segments become masks, see
    `panoptic_reader.PanopticReader`.

    **Written** are files of objects.
    """

    name = "coco"
    title = "COCO"
    looks_at = frozenset()

    def find(self, folder: Path) -> str | None:
        """Return the name of the file that shows that it is COCO; None if it is not."""
        from synapse_sdk.formats.coco.document import looks_like_coco  # noqa: PLC0415  # only who reads needs it
        from synapse_sdk.formats.coco.layout import find_layout, named_files  # noqa: PLC0415  # as above

        try:
            root, path = (layout := find_layout(folder)).root, layout.sources[0].path
        except InvalidDatasetError:
            # It may still be COCO, with something wrong about it that the reader says.
            found = named_files(folder) if folder.is_dir() else []
            if not found:
                return None
            root, path = folder, found[0]
        return path.relative_to(root).as_posix() if looks_like_coco(path) else None

    def reader(self, folder: Path, options: FormatOptions, losses: LossLog) -> Reader:
        """Return what reads a dataset: a folder, or a JSON file.

        Raises:
            InvalidDatasetError: It is no COCO dataset.
        """
        from synapse_sdk.formats.coco.reader import CocoReader  # noqa: PLC0415  # as above

        return CocoReader(folder, options, losses)

    def writer(self, folder: Path, info: DatasetInfo, options: FormatOptions, losses: LossLog) -> Writer:
        """Return what writes a dataset."""
        from synapse_sdk.formats.coco.writer import CocoWriter  # noqa: PLC0415  # only who writes needs it

        return CocoWriter(folder, info, options, losses)

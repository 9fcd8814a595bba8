"""Pascal VOC as a format: how it is recognised, read and written."""

from pathlib import Path

from synapse_sdk.errors import ConfigurationError
from synapse_sdk.formats.base import DatasetFormat, FormatOptions, Reader, Writer
from synapse_sdk.formats.losses import LossLog
from synapse_sdk.formats.model import DatasetInfo
from synapse_sdk.formats.voc.layout import DOCUMENTS, MOST_FOLDERS, first_beside, first_document, folders_in

__all__ = ["PascalFormat"]

ORIGINS = (0, 1)


class PascalFormat(DatasetFormat):
    """Reads and writes Pascal VOC.

    **Read** are `Annotations/` (or `annotations/`) with `JPEGImages/`, `Images/` or `images/` beside it; the same in a
    folder for each split; or lists of names in `ImageSets/Main/`: `train.txt`, `val.txt` and `test.txt`. What no list
    has is left out and reported. Where there is no `Annotations/`, XML files may be beside their images, as LabelImg
    and Roboflow have them; folders called `train`, `val`, `valid`, `validation` and `test` are splits then.

    Classes are those of `classes.txt` in their order, else all in the XML files, by name. The image is the one with the
    `filename` in the XML, below the folder that mirrors the place of the XML; if it is not there, the one with the name
    of the XML. An image without XML is an item without annotations.

    **Written** are `Annotations/`, `Images/` and `classes.txt`, with a folder for each split if there are splits.

    **Corners** count pixels, from 1, both inclusive, as in the development kit: `1, 1, 10, 10` are the first ten
    columns and rows. With `voc_origin=0` they are edges, as tools write that do not shift: `0, 0, 10, 10`. They are
    whole numbers or decimals, as exact as a billionth of a pixel.

    **Parts** of objects are annotations of their own, with the id of the object as attribute `part_of`. `difficult`,
    `truncated`, `occluded` and `pose` are attributes if they say something: 0 and `Unspecified` are what is written if
    nothing is known. All other attributes are in an element `attributes`, as CVAT writes it; a value that is no text
    is JSON, marked `type="json"`.

    **Masks** are in `SegmentationObject`, where a colour number is the number of the object in the XML, and
    `SegmentationClass`, where it is the number of the class, from 1. The latter is read where the former is missing, if
    the order of the classes is known: from `classes.txt`, or because they are those of the challenge. A `bndbox` that
    was only made from a mask is marked `derived="mask"`.
    """

    name = "pascal"
    title = "Pascal VOC"
    divides = True
    looks_at = frozenset(("task", "voc_origin"))

    def find(self, folder: Path) -> str | None:
        """Return the first XML file in a folder `Annotations`, of the dataset or of a split, or beside images."""
        if not folder.is_dir():
            return None
        names = sorted(folders_in(folder))[:MOST_FOLDERS]
        for name in (*DOCUMENTS, *(f"{split}/{each}" for split in names for each in DOCUMENTS)):
            if (document := first_document(f"{folder}/{name}")) is not None:
                return f"{name}/{document}"
        return first_beside(str(folder))

    def reader(self, folder: Path, options: FormatOptions, losses: LossLog) -> Reader:
        """Return what reads a dataset."""
        from synapse_sdk.formats.voc.reader import PascalReader  # noqa: PLC0415  # only who reads needs it

        _check(options)
        return PascalReader(folder, options, losses)

    def writer(self, folder: Path, info: DatasetInfo, options: FormatOptions, losses: LossLog) -> Writer:
        """Return what writes a dataset."""
        from synapse_sdk.formats.voc.writer import PascalWriter  # noqa: PLC0415  # only who writes needs it

        _check(options)
        return PascalWriter(folder, info, options, losses)


def _check(options: FormatOptions) -> None:
    if options.voc_origin not in ORIGINS:
        msg = f"The first pixel of Pascal VOC has number 1 or 0, not {options.voc_origin!r}"
        raise ConfigurationError(msg, fix="Set voc_origin to 1, or to 0 for files that count from 0")

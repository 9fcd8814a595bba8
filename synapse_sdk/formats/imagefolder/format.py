"""Image folders as a format: how they are recognised, read and written."""

import os
from itertools import islice
from pathlib import Path

from synapse_sdk.errors import ConfigurationError
from synapse_sdk.formats.base import DatasetFormat, FormatOptions, ImageTransfer, Reader, Writer
from synapse_sdk.formats.class_lists import CLASSES_FILE
from synapse_sdk.formats.imagefolder.layout import SPLIT_NAMES, folders_of, has_splits
from synapse_sdk.formats.images import IMAGE_SUFFIXES, is_folder
from synapse_sdk.formats.losses import LossLog
from synapse_sdk.formats.model import DatasetInfo
from synapse_sdk.formats.report import REPORT_FILE

__all__ = ["ImageFolderFormat", "check_images"]

OTHER_FORMATS = frozenset(
    (
        *("annotations", "detect", "images", "imagesets", "img", "imgs", "jpegimages", "json", "labels", "obb"),
        *("original_files", "pose", "segment", "segmentationclass", "segmentationobject"),
    )
)
"""Folders that other formats prescribe, in lower case."""
DOCUMENTS = frozenset((".json", ".ndjson", ".xml", ".yaml", ".yml"))
"""Suffixes of files that other formats have beside folders."""
LABELS = DOCUMENTS | {".txt"}
"""Suffixes of files that other formats have beside images."""
OWN = frozenset((CLASSES_FILE, REPORT_FILE))
MOST_ENTRIES = 500
"""Entries of a folder that are looked at."""
MOST_FOLDERS = 32


class ImageFolderFormat(DatasetFormat):
    """Reads and writes folders of images, whose names are classes.

    **Read** are `<class>/<image>`, or `<split>/<class>/<image>` if all folders have names of splits: train, val, valid,
    validation, test. Classes are those of `classes.txt`, in its order, and then a folder within the folder of a class
    is a part of the names of its images; without `classes.txt` every folder with images is a class, such as
    `animals/cat`. Images outside of all classes have no annotation.

    **Names** of images are what is below the folder of the class: `cat/a.png` is `a.png`. If two classes of a split
    have an image of the same name, the names of all images of the split begin with the class: `cat/a.png`. A
    class at the beginning of a name is not repeated in what is written.

    **Links** are not followed and are reported, but for links to files that are images by name: these are what is
    written with `images=symlink`.

    **Written** are images of one class, which is that of their first annotation without any shape, and `classes.txt`.
    """

    name = "imagefolder"
    title = "image folders"
    divides = True
    looks_at = frozenset()

    def find(self, folder: Path) -> str | None:
        """Return the first image in a folder that no other format has."""
        if not folder.is_dir() or _is_foreign(os.fspath(folder)):
            return None
        folders = folders_of(os.fspath(folder))
        # Those of another format may have images directly in them, as those of COCO have, and so be no splits here.
        if any(_is_foreign(f"{folder}/{name}") for name in folders if name.lower() in SPLIT_NAMES):
            return None
        above = [f"{name}/" for name in folders] if has_splits(folder) else [""]
        waiting = [f"{each}{name}" for each in above for name in folders_of(f"{folder}/{each}")]
        for _ in range(MOST_FOLDERS):
            if not waiting:
                return None
            place = waiting.pop(0)
            if place.rpartition("/")[2].lower() in OTHER_FORMATS:
                return None
            if (image := _first_image(f"{folder}/{place}")) is not None:
                return f"{place}/{image}" if image else None
            waiting += [f"{place}/{name}" for name in folders_of(f"{folder}/{place}")]
        return None

    def reader(self, folder: Path, options: FormatOptions, losses: LossLog) -> Reader:
        """Return what reads a dataset."""
        from synapse_sdk.formats.imagefolder.reader import ImageFolderReader  # noqa: PLC0415  # only who reads needs it

        return ImageFolderReader(folder, options, losses)

    def writer(self, folder: Path, info: DatasetInfo, options: FormatOptions, losses: LossLog) -> Writer:
        """Return what writes a dataset."""
        from synapse_sdk.formats.imagefolder.writer import ImageFolderWriter  # noqa: PLC0415  # only who writes does

        check_images(options)
        return ImageFolderWriter(folder, info, options, losses)


def check_images(options: FormatOptions) -> None:
    """See that images are to come along.

    Raises:
        ConfigurationError: They are not.
    """
    if options.images is ImageTransfer.NONE:
        msg = "Image folders say what is in an image by where it is, so that images=none leaves nothing to write"
        raise ConfigurationError(msg, fix="Set images to copy, hardlink or symlink")


def _is_foreign(folder: str) -> bool:
    """Whether a folder has what other formats have, and image folders do not."""
    with os.scandir(folder) as entries:
        # All of them: the one file that tells may be anywhere among its images.
        return any(
            is_folder(entry) if name in OTHER_FORMATS else _suffix(name) in DOCUMENTS and not is_folder(entry)
            for entry in entries
            if (name := entry.name.lower()) not in OWN
        )


def _first_image(folder: str) -> str | None:
    """Return the first image of a folder; empty if there are labels beside images, None if there is neither."""
    with os.scandir(folder) as entries:
        names = [entry.name for entry in islice(entries, MOST_ENTRIES) if not entry.name.startswith(".")]
    images = {os.path.splitext(name)[0]: name for name in names if _suffix(name) in IMAGE_SUFFIXES}  # noqa: PTH122
    if any(_suffix(name) in LABELS and os.path.splitext(name)[0] in images for name in names):  # noqa: PTH122
        return ""
    return min(images.values()) if images else None


def _suffix(name: str) -> str:
    return os.path.splitext(name)[1].lower()  # noqa: PTH122  # names, many of them

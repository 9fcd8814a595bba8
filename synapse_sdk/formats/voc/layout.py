"""Where a Pascal VOC dataset keeps what: in folders of their own, in one, in one a split, or as lists of names."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from synapse_sdk.errors import InvalidDatasetError
from synapse_sdk.formats.images import SYMLINK, PassedOver, is_folder, is_regular, why_not_followed
from synapse_sdk.formats.splits import canonical_split, canonical_splits
from synapse_sdk.formats.voc.image_index import stem_of

__all__ = [
    "DOCUMENTS",
    "LISTS",
    "MASKS_OF_CLASSES",
    "MASKS_OF_OBJECTS",
    "SUFFIX",
    "Part",
    "documents_below",
    "find_parts",
    "first_beside",
    "first_document",
    "folders_in",
]

DOCUMENTS = ("Annotations", "annotations")
IMAGES = ("Images", "images", "JPEGImages")
"""Ours, and that of the development kit."""
BESIDE = "."
"""The folder of XML files and images that are in one, as LabelImg saves them and Roboflow exports them."""
MASKS_OF_CLASSES = "SegmentationClass"
MASKS_OF_OBJECTS = "SegmentationObject"
LISTS = Path("ImageSets", "Main")
LISTED = frozenset(("train", "val", "valid", "validation", "test"))
"""Lists that are splits. `trainval` is two of them again, `<class>_train` says which images have a class."""
MAX_LIST_BYTES = 256 * 1024 * 1024
SUFFIX = ".xml"
ROOT = b"<annotation"
OTHER_ROOT = b"<annotations"
"""That of CVAT's own format."""
BEGINNING = 4096
"""Bytes of an XML file in which its root is looked for."""
MOST_ENTRIES = 20_000
"""Entries of a folder among which an XML file is looked for."""
MOST_FOLDERS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A folder with annotations, their images and their masks."""

    split: str
    folder: Path
    documents: str
    """The name of the folder with the XML files; `.` where they are beside the images."""
    images: str
    """The name of the folder with the images; empty if there is none."""
    masks_of_objects: Path | None
    masks_of_classes: Path | None
    lists: dict[str, list[str]]
    """The names that each split has, as listed; empty if there are no lists."""

    @property
    def is_one_folder(self) -> bool:
        """Whether the XML files are beside the images."""
        return self.documents == self.images


def find_parts(folder: Path) -> list[Part]:
    """Return the parts of a dataset, one a split, or one for all; none if nothing is as Pascal VOC has it.

    Raises:
        InvalidDatasetError: There are two folders or lists for one thing.
    """
    whole = _part(folder, "")
    inner = {name: part for name in sorted(folders_in(folder)) if (part := _part(folder / name, name))}
    if whole is None:
        return list(canonical_splits(inner or _parts_beside(folder), str(folder)).values())
    for name, part in inner.items():
        if name.lower() in LISTED:
            msg = f"Dataset {str(folder)!r} has both {whole.documents!r} and '{name}/{part.documents}'"
            raise InvalidDatasetError(
                msg, fix="Keep annotations in folders of splits, or in one folder", path=str(folder)
            )
    return [whole]


def first_document(folder: str) -> str | None:
    """Return an XML file in a folder or its sub-folders, looking at their first entries only."""
    waiting = [""]
    for _ in range(MOST_FOLDERS):
        if not waiting or not os.path.isdir(f"{folder}/{waiting[0]}"):  # noqa: PTH112  # strings throughout
            return None
        above = waiting.pop(0)
        with os.scandir(f"{folder}/{above}") as entries:
            found = [
                (entry.is_dir(follow_symlinks=False), above + entry.name)
                for entry in islice(entries, MOST_ENTRIES)
                if not entry.name.startswith(".")
            ]
        documents = [name for is_folder, name in found if not is_folder and name.lower().endswith(SUFFIX)]
        if documents:
            return min(documents)
        waiting += sorted(f"{name}/" for is_folder, name in found if is_folder)
    return None


def first_beside(folder: str) -> str | None:
    """Return an XML file that is about an image and in no folder `Annotations`, looking as `first_document` does."""
    document = first_document(folder)
    if document is None:
        return None
    with open(f"{folder}/{document}", "rb") as file:  # noqa: PTH123  # as above
        beginning = file.read(BEGINNING).replace(b"\0", b"")  # so that UTF-16 reads like the others
    return document if ROOT in beginning and OTHER_ROOT not in beginning else None


def documents_below(folder: str) -> tuple[list[str], list[PassedOver]]:
    """Return the XML files below a folder, sorted, as names with slashes; and links, which are not followed."""
    found: list[str] = []
    passed_over: list[PassedOver] = []
    waiting = [""]
    while waiting:
        above = waiting.pop()
        with os.scandir(f"{folder}/{above}") as entries:
            kept = [entry for entry in entries if not entry.name.startswith("._")]  # what macOS puts on foreign disks
        for entry in kept:
            if entry.is_dir(follow_symlinks=False):
                waiting += [] if entry.name.startswith(".") else [f"{above}{entry.name}/"]
            elif not is_regular(entry) and entry.is_symlink():
                words = why_not_followed(entry)
                passed_over.append(PassedOver(above + entry.name, entry.path, SYMLINK, words))
            elif entry.name[-4:].lower() == SUFFIX and is_regular(entry):
                found.append(above + entry.name)
    return sorted(found), sorted(passed_over, key=lambda each: each.name)


def _part(folder: Path, split: str) -> Part | None:
    names = folders_in(folder)
    documents = _one_of(DOCUMENTS, names, folder)
    if not documents:
        return None
    lists = _lists(folder / LISTS)
    if split and lists.keys() - {canonical_split(split)}:
        msg = f"Folder {str(folder)!r} is a dataset with splits of its own: {', '.join(lists)}"
        raise InvalidDatasetError(msg, fix="Name that folder, or remove its lists", path=str(folder / LISTS))
    objects, classes = folder / MASKS_OF_OBJECTS, folder / MASKS_OF_CLASSES
    return Part(
        split=canonical_split(split),
        folder=folder,
        documents=documents,
        images=_one_of(IMAGES, names, folder),
        masks_of_objects=objects if objects.name in names else None,
        masks_of_classes=classes if classes.name in names else None,
        lists={} if split else lists,
    )


def _parts_beside(folder: Path) -> dict[str, Part]:
    """Return the parts of a dataset whose XML files are beside its images."""
    splits = [name for name in sorted(folders_in(folder)) if name.lower() in LISTED]
    documents = {name: found for name in splits if (found := first_document(str(folder / name)))}
    inner = {name: _part_beside(folder / name, name) for name in documents}
    whole = first_document(str(folder))
    if whole is None or (inner and "/" in whole):
        return inner
    _check_depth(folder, whole)
    if inner:
        name, document = next(iter(documents.items()))
        msg = f"Dataset {str(folder)!r} has both {whole!r} and '{name}/{document}'"
        raise InvalidDatasetError(msg, fix="Keep annotations in folders of splits, or in one folder", path=str(folder))
    return {"": _part_beside(folder, "")}


def _check_depth(folder: Path, document: str) -> None:
    """See that an XML file is beside images, and not in a whole dataset further down, as in `VOCdevkit/VOC2012`.

    Raises:
        InvalidDatasetError: It is.
    """
    above = document.split("/")[:-1]
    depth = next((depth for depth, name in enumerate(above) if name in DOCUMENTS), 0)
    if depth:
        inner = folder.joinpath(*above[:depth])
        msg = f"Dataset {str(folder)!r} has its annotations further down, in '{'/'.join(above[: depth + 1])}'"
        raise InvalidDatasetError(msg, fix=f"Name the folder that they are in: {inner}", path=str(folder))


def _part_beside(folder: Path, split: str) -> Part:
    return Part(
        split=canonical_split(split),
        folder=folder,
        documents=BESIDE,
        images=BESIDE,
        masks_of_objects=None,
        masks_of_classes=None,
        lists={},
    )


def folders_in(folder: Path) -> set[str]:
    """Return the names of the folders in a folder, links to folders included, hidden ones left out."""
    with os.scandir(folder) as entries:
        return {entry.name for entry in entries if not entry.name.startswith(".") and is_folder(entry)}


def _one_of(candidates: Iterable[str], names: set[str], folder: Path) -> str:
    found = [name for name in candidates if name in names]
    if len(found) > 1:
        msg = f"Folder {str(folder)!r} has both {found[0]!r} and {found[1]!r}, which are one thing"
        raise InvalidDatasetError(msg, fix="Bring them together under one of the two names", path=str(folder))
    return found[0] if found else ""


def _lists(folder: Path) -> dict[str, list[str]]:
    if not folder.is_dir():
        return {}
    found = {path.stem: path for path in sorted(folder.glob("*.txt")) if path.stem in LISTED and path.is_file()}
    return {split: _listed(path) for split, path in canonical_splits(found, str(folder)).items()}


def _listed(path: Path) -> list[str]:
    if path.stat().st_size > MAX_LIST_BYTES:
        msg = f"List {str(path)!r} has more than {MAX_LIST_BYTES:,} bytes"
        raise InvalidDatasetError(msg, fix="Remove it, or make it a list of names", path=str(path))
    lines = os.fsdecode(path.read_bytes()).removeprefix("\ufeff").split("\n")
    return [stem_of(name) for line in lines if (name := line.strip())]

"""The images that a COCO file lists: which there are, what it says about each, and where each is."""

import os
from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from synapse_sdk.errors import InvalidDatasetError
from synapse_sdk.formats.coco.document import BAD_JSON, Document
from synapse_sdk.formats.coco.id_table import IdTable
from synapse_sdk.formats.coco.reasons import REPEATED_NAME
from synapse_sdk.formats.coco.records import ImageKey
from synapse_sdk.formats.losses import LossLog, Outcome, Reason
from synapse_sdk.formats.model import Item
from synapse_sdk.formats.name_lists import NameSet
from synapse_sdk.formats.reasons import DUPLICATE_ID, INVALID_RECORD, UNSAFE_NAME

__all__ = ["ImageFinder", "ImageList"]

LONGEST_SIDE = 2**31 - 1
"""Pixels; no image file can say that it has more."""
PARTS = 8


class ImageList:
    """The images of one file, told apart by id and name.

    Args:
        document: The file.
        split: Its split.
        losses: Takes down images that cannot be read, or are there twice.
        left_out: The positions of images that are left out, if another process has found that out: of these, ids are
            not known.
    """

    def __init__(self, document: Document, split: str, losses: LossLog, left_out: Iterable[int] | None = None) -> None:
        self._document, self.split, self._losses = document, split, losses
        self.left_out = set(left_out or ())
        """The positions of images that cannot be read, or are there twice."""
        self.positions = IdTable()
        """The position in the file of the image with each id."""
        if left_out is not None:
            return
        names = array("q")
        self.positions = IdTable(self._ids(names))
        for position in self.positions.repeated:
            key = msgspec.json.decode(document.images[position], type=ImageKey)
            words = f"image id {key.id!r} is that of another image, too"
            self._lose(Outcome.FAILED, DUPLICATE_ID, position, item=key.file_name, words=words)
        if _has_repeated(names):
            self._join_repeated()

    def items(self) -> Iterator[tuple[int, Item]]:
        """Yield position and item of every image, without annotations and path."""
        split = self.split
        for position, record in enumerate(self._document.images.decoded(dict[str, Any])):
            if position in self.left_out:
                continue
            if record is None:
                words = _fault_of(self._document.images[position], dict[str, Any])
                self._lose(Outcome.FAILED, INVALID_RECORD, position, words=words)
                continue
            del record["id"]
            name, width, height = record.pop("file_name"), record.pop("width", 0), record.pop("height", 0)
            notes = record
            if None in record.values():
                notes = {key: value for key, value in record.items() if value is not None}
            if type(width) is float or type(height) is float:
                width, height = _whole(width), _whole(height)
            item = Item(name=name, split=split, notes=notes)
            if type(width) is int and type(height) is int and 0 < width <= LONGEST_SIDE and 0 < height <= LONGEST_SIDE:
                item.width, item.height = width, height
            elif width or height:
                words = f"its size is {width!r} x {height!r}: that of the image itself is taken"
                self._lose(Outcome.NOTED, INVALID_RECORD, position, item=name, words=words[:200])
            yield position, item

    def refuse(self, position: int, item: Item, annotations: int) -> None:
        """Take down that an item is lost, with its annotations, because its name leads elsewhere."""
        self._lose(Outcome.FAILED, UNSAFE_NAME, position, item=item.name, annotations=annotations)

    def forget_ids(self) -> None:
        """Let go of the positions by id, when nobody needs them any more."""
        self.positions = IdTable()

    def _ids(self, names: "array[int]") -> Iterator[int | float | str | None]:
        """Yield the id of each image, None for one that cannot be read; and add the hash of its name to the others.

        The list of images is cut by that.
        """
        records = self._document.images
        for position, key in enumerate(records.cut(ImageKey)):
            if key is None:
                words = _fault_of(records[position], ImageKey)
                self._lose(Outcome.FAILED, INVALID_RECORD, position, words=words)
                yield None
            else:
                names.append(hash(key.file_name))
                yield key.id

    def _join_repeated(self) -> None:
        """Give the annotations of images with one name to the first of them."""
        first: dict[str, int] = {}
        for position, key in enumerate(self._document.images.decoded(ImageKey)):
            if key is None or position in self.left_out:
                continue
            if (before := first.setdefault(key.file_name, position)) != position:
                self.positions.move(key.id, before)
                self.left_out.add(position)
                self._lose(Outcome.NOTED, REPEATED_NAME, position, item=key.file_name)

    def _lose(
        self, outcome: Outcome, reason: Reason, position: int, *, item: str = "", words: str = "", annotations: int = 0
    ) -> None:
        if outcome is Outcome.FAILED:
            self.left_out.add(position)
        where = f"{self._document.name}:images[{position}]"
        self._losses.of_item(
            outcome, reason, item=item, split=self.split, where=where, words=words, annotations=annotations
        )


class ImageFinder:
    """Finds images by name in one of several folders, each listed once.

    Args:
        folders: Where to look, the first place first.

    Raises:
        InvalidDatasetError: A folder cannot be read.
    """

    def __init__(self, folders: Sequence[str]) -> None:
        self._folders = [*dict.fromkeys(each for each in folders if os.path.isdir(each))]  # noqa: PTH112  # as text
        self._listed: dict[str, list[tuple[str, NameSet]]] = {}

    def find(self, name: str) -> str:
        """Return the path of an image, by its safe name; empty if it is not there."""
        above, _, base = name.rpartition("/")
        places = self._listed.get(above)
        if places is None:
            places = self._listed[above] = [*self._places(above)]
        for folder, names in places:
            if base in names:
                return f"{folder}/{base}"
        return ""

    def _places(self, above: str) -> Iterator[tuple[str, NameSet]]:
        for folder in self._folders:
            place = f"{folder}/{above}" if above else folder
            if names := _files_in(place):
                yield place, names


def _whole(side: object) -> object:
    """Return a side of an image as a whole number, if it is one: some tools write `640.0`."""
    return int(side) if isinstance(side, float) and side.is_integer() else side


def _has_repeated(hashes: Iterable[int]) -> bool:
    """Whether a number is there twice. A part of the numbers is looked at after the other, since sets are large."""
    parts = ([each for each in hashes if each & (PARTS - 1) == part] for part in range(PARTS))
    return any(len({*part}) < len(part) for part in parts)


def _fault_of(record: bytes, kind: type) -> str:
    """Return what is wrong with the record of an image, which is to be of a kind."""
    try:
        msgspec.json.decode(record, type=kind)
    except BAD_JSON as error:
        return str(error)
    return ""


def _files_in(folder: str) -> NameSet:
    try:
        with os.scandir(folder) as entries:
            return NameSet(entry.name for entry in entries if not entry.is_dir(follow_symlinks=False))
    except PermissionError as error:
        msg = f"Cannot read {folder!r}: {error.strerror}"
        raise InvalidDatasetError(msg, fix="Make it readable", path=folder) from error
    except (OSError, ValueError):  # it is not there, is no folder, or has a name that none can have
        return NameSet(())

"""The images that a COCO file lists: which there are, what it says about each, and where each is."""

import os
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from synapse_sdk.errors import InvalidDatasetError
from synapse_sdk.formats.coco.document import BAD_JSON, Document
from synapse_sdk.formats.coco.reasons import REPEATED_NAME
from synapse_sdk.formats.coco.records import ImageKey
from synapse_sdk.formats.losses import LossLog, Outcome, Reason
from synapse_sdk.formats.model import Item
from synapse_sdk.formats.reasons import DUPLICATE_ID, INVALID_RECORD, UNSAFE_NAME

__all__ = ["ImageFinder", "ImageList"]

LONGEST_SIDE = 2**31 - 1
"""Pixels; no image file can say that it has more."""

_decode_key = msgspec.json.Decoder(ImageKey).decode
_decode = msgspec.json.Decoder(dict[str, Any]).decode


class ImageList:
    """The images of one file, told apart by id and name.

    Args:
        document: The file.
        split: Its split.
        losses: Takes down images that cannot be read, or are there twice.
    """

    def __init__(self, document: Document, split: str, losses: LossLog) -> None:
        self._document, self.split, self._losses = document, split, losses
        self.positions: dict[int | float | str, int] = {}
        """The position in the file of the image with each id."""
        self._left_out: set[int] = set()
        names: list[int] = []
        for position, raw in enumerate(document.images):
            try:
                key = _decode_key(raw)
            except BAD_JSON as error:
                self._lose(Outcome.FAILED, INVALID_RECORD, position, words=str(error))
                continue
            if self.positions.setdefault(key.id, position) != position:
                words = f"image id {key.id!r} is that of another image, too"
                self._lose(Outcome.FAILED, DUPLICATE_ID, position, item=key.file_name, words=words)
            names.append(hash(key.file_name))
        if len({*names}) < len(names):
            self._join_repeated()

    def items(self) -> Iterator[tuple[int, Item]]:
        """Yield position and item of every image, without annotations and path."""
        split = self.split
        for position, raw in enumerate(self._document.images):
            if position in self._left_out:
                continue
            try:
                notes = _decode(raw)
            except BAD_JSON as error:
                self._lose(Outcome.FAILED, INVALID_RECORD, position, words=str(error))
                continue
            del notes["id"]
            name, width, height = notes.pop("file_name"), notes.pop("width", 0), notes.pop("height", 0)
            if None in notes.values():
                notes = {key: value for key, value in notes.items() if value is not None}
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

    def _join_repeated(self) -> None:
        """Give the annotations of images with one name to the first of them."""
        first: dict[str, int] = {}
        for image_id, position in [*self.positions.items()]:
            name = _decode_key(self._document.images[position]).file_name
            if (before := first.setdefault(name, position)) != position:
                self.positions[image_id] = before
                self._left_out.add(position)
                self._lose(Outcome.NOTED, REPEATED_NAME, position, item=name)

    def _lose(
        self, outcome: Outcome, reason: Reason, position: int, *, item: str = "", words: str = "", annotations: int = 0
    ) -> None:
        if outcome is Outcome.FAILED:
            self._left_out.add(position)
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
        self._listed: dict[str, list[tuple[str, frozenset[str]]]] = {}

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

    def _places(self, above: str) -> Iterator[tuple[str, frozenset[str]]]:
        for folder in self._folders:
            place = f"{folder}/{above}" if above else folder
            if names := _files_in(place):
                yield place, names


def _files_in(folder: str) -> frozenset[str]:
    try:
        with os.scandir(folder) as entries:
            return frozenset(entry.name for entry in entries if not entry.is_dir(follow_symlinks=False))
    except PermissionError as error:
        msg = f"Cannot read {folder!r}: {error.strerror}"
        raise InvalidDatasetError(msg, fix="Make it readable", path=folder) from error
    except (OSError, ValueError):  # it is not there, is no folder, or has a name that none can have
        return frozenset()

"""The images of each split, with the names that tell them apart."""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from os.path import normpath
from pathlib import Path

from synapse_sdk.formats.images import MISSING_IMAGE, Images, PassedOver, images_below, is_safe_name
from synapse_sdk.formats.losses import LossLog, Outcome
from synapse_sdk.formats.name_lists import NameList
from synapse_sdk.formats.readable import readable
from synapse_sdk.formats.reasons import UNSAFE_NAME
from synapse_sdk.formats.yolo.layout import IMAGE_FOLDERS, Place, is_file, moved
from synapse_sdk.formats.yolo.reasons import ELSEWHERE, LISTED_TWICE, TWO_SPLITS

__all__ = ["Split", "index_splits"]

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
LONGEST_PATH = 4096
"""Bytes of a path in a list of images; no longer one can be opened."""


class NamedImages:
    """Name and path of each image, by name.

    Args:
        root: The dataset.
        pairs: Names and paths.
    """

    def __init__(self, root: str, pairs: Iterable[tuple[str, str]]) -> None:
        self._above = f"{root}/"
        self._pairs = NameList.in_order(self._as_text(name, path) for name, path in pairs)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._pairs)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Yield name and path of each."""
        for pair in self._pairs:
            name, _, path = pair.partition("\0")
            if path.endswith("/"):
                path += name
            yield name, path if path.startswith("/") else self._above + path

    def name(self, number: int) -> str:
        """Return the name of one, by its number from 0."""
        return self._pairs[number].partition("\0")[0]

    def have_names_of_their_own(self) -> bool:
        """Whether no two have the same name."""
        return all(one != other for (one, _), (other, _) in pairwise(self))

    def _as_text(self, name: str, path: str) -> str:
        """Return a name and where its image is, of which most are below the dataset in a folder, and called so."""
        below = path.removeprefix(self._above)
        folder = below.removesuffix(name)
        return f"{name}\0{folder if folder.endswith('/') else below}"


@dataclass(frozen=True, slots=True)
class Split:
    """The images of one split."""

    name: str
    folders: tuple[str, ...]
    """Those that belong to it as a whole."""
    images: NamedImages
    passed_over: tuple[PassedOver, ...]
    """What is in its folders, and is not looked at."""


def index_splits(root: str, splits: dict[str, tuple[Place, ...]], losses: LossLog) -> tuple[Split, ...]:
    """List the images of all splits.

    Args:
        root: The dataset.
        splits: Where the images of each split are.
        losses: Takes down images that are not there, cannot be named or are in several splits.

    Raises:
        InvalidDatasetError: A folder or list cannot be read.
    """
    with readable():
        found = [_indexed(root, name, places, losses) for name, places in splits.items()]
    if _may_overlap(splits):
        _tell_twice(found, losses)
    return tuple(found)


def _indexed(root: str, split: str, places: tuple[Place, ...], losses: LossLog) -> Split:
    folders = tuple(place.path for place in places if not place.is_list)
    below = {folder: images_below(Path(folder)) for folder in folders}
    passed_over = {each.path: each for found in below.values() for each in found.passed_over}
    if len(places) == len(folders) == 1:
        images = NamedImages(root, _in_folder(folders[0], below[folders[0]].found))
    else:
        images = NamedImages(root, _in_places(root, split, places, below, losses))
    if not images.have_names_of_their_own():
        # Folders within folders, or several of them: names from further up tell images apart.
        images = NamedImages(root, ((path.removeprefix(f"{root}/").lstrip("/"), path) for _, path in images))
    if bad := {name for name, _ in images if not _is_good(name, split, losses)}:
        images = NamedImages(root, (pair for pair in images if pair[0] not in bad))
    return Split(split, folders, images, tuple(passed_over.values()))


def _in_folder(folder: str, names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield name and path of each image in a folder."""
    for name in names:
        yield _without_level(name) if "/" in name else name, f"{folder}/{name}"


def _in_places(
    root: str, split: str, places: tuple[Place, ...], below: Mapping[str, Images], losses: LossLog
) -> Iterator[tuple[str, str]]:
    """Yield name and path of each image in several folders, and of those that are listed, each once."""
    seen: set[str] = set()
    for place in places:
        if place.is_list:
            found = _listed(root, split, place.path, losses)
        else:
            found = _in_folder(place.path, below[place.path].found)
        for name, path in found:
            if path not in seen:
                seen.add(path)
                yield name, path
            elif place.is_list:
                words = f"{place.path.removeprefix(f'{root}/')} has it twice"
                losses.of_item(Outcome.NOTED, LISTED_TWICE, item=name, split=split, words=words)


def _without_level(name: str) -> str:
    """Return the name of an image in a folder, without the last level that is called `images`."""
    for folder in IMAGE_FOLDERS:
        above, level, below = f"/{name}".rpartition(f"/{folder}/")
        if level:
            return f"{above}/{below}".lstrip("/")
    return name


def _name_of(path: str, root: str) -> str:
    """Return the name of a listed image: what is below its folder `images`, or below the dataset."""
    below = path.removeprefix(root)
    for folder in IMAGE_FOLDERS:
        level = below.rpartition(f"/{folder}/")
        if level[1]:
            return level[2]
    return below.lstrip("/")


def _is_good(name: str, split: str, losses: LossLog) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        shown = name.encode(errors="backslashreplace").decode()
        losses.of_item(Outcome.FAILED, UNSAFE_NAME, item=shown, split=split, words="the name is not UTF-8")
        return False
    if not is_safe_name(name):
        losses.of_item(Outcome.FAILED, UNSAFE_NAME, item=name, split=split)
        return False
    return True


def _listed(root: str, split: str, path: str, losses: LossLog) -> Iterator[tuple[str, str]]:
    """Yield the images that a text file lists."""
    above, where = path.rpartition("/")[0], path.removeprefix(f"{root}/")
    is_told = False
    for number, name in enumerate(_lines(path), 1):
        if not name:
            continue
        found = [normpath(name)]
        if not name.startswith("/"):
            # Trainers take `./` from the list, and anything else from the dataset; people mean either.
            found = [normpath(f"{base}/{name}") for base in (above, root)]
            found = [each for each in found if each.startswith(f"{root}/")]
        there = next(filter(is_file, found), None)
        if there is None and found and (there := next(filter(is_file, moved(root, name)), None)) and not is_told:
            is_told = True
            words = f"{os.fsencode(name).decode(errors='backslashreplace')} is not there, and {there} was read"
            losses.of_item(Outcome.NOTED, ELSEWHERE, item="", split=split, where=f"{where}:{number}", words=words)
        if there is None:
            reason = MISSING_IMAGE if found else UNSAFE_NAME
            shown = name.encode(errors="backslashreplace").decode()
            losses.of_item(Outcome.FAILED, reason, item=shown, split=split, where=f"{where}:{number}")
        else:
            yield _name_of(there, root), there


def _lines(path: str) -> Iterator[str]:
    with Path(path).open("rb") as file:
        while line := file.readline(LONGEST_PATH):
            yield os.fsdecode(line.removeprefix(BYTE_ORDER_MARK).strip())


def _may_overlap(splits: dict[str, tuple[Place, ...]]) -> bool:
    """Whether an image may be in two splits: folders within others, or lists."""
    places = [place for each in splits.values() for place in each]
    if any(place.is_list for place in places) and len(splits) > 1:
        return True
    paths = sorted(f"{place.path}/" for place in places)
    return any(after.startswith(before) for before, after in pairwise(paths))


def _tell_twice(splits: list[Split], losses: LossLog) -> None:
    seen: dict[str, str] = {}
    for split in splits:
        for name, path in split.images:
            other = seen.setdefault(path, split.name)
            if other != split.name:
                losses.of_item(Outcome.NOTED, TWO_SPLITS, item=name, split=split.name, words=f"it is in {other}, too")

"""The images of each split, with the names that tell them apart."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from os.path import normpath
from pathlib import Path

from synapse_sdk.formats.images import MISSING_IMAGE, PassedOver, images_below, is_safe_name
from synapse_sdk.formats.losses import LossLog, Outcome
from synapse_sdk.formats.readable import readable
from synapse_sdk.formats.reasons import UNSAFE_NAME
from synapse_sdk.formats.yolo.layout import IMAGE_FOLDERS, Place, is_file
from synapse_sdk.formats.yolo.reasons import LISTED_TWICE, TWO_SPLITS

__all__ = ["Split", "index_splits"]

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
LONGEST_PATH = 4096
"""Bytes of a path in a list of images; no longer one can be opened."""


@dataclass(frozen=True, slots=True)
class Split:
    """The images of one split."""

    name: str
    folders: tuple[str, ...]
    """Those that belong to it as a whole."""
    images: tuple[tuple[str, str], ...]
    """Name and path of each, by name."""
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
    names: dict[str, str] = {}
    passed_over: dict[str, PassedOver] = {}
    for place in places:
        if not place.is_list:
            below = images_below(Path(place.path))
            passed_over |= {each.path: each for each in below.passed_over}
            for name, path in below.found:
                names.setdefault(path, _without_level(name) if "/" in name else name)
            continue
        for name, path in _listed(root, split, place.path, losses):
            if path in names:
                words = f"{place.path.removeprefix(f'{root}/')} has it twice"
                losses.of_item(Outcome.NOTED, LISTED_TWICE, item=name, split=split, words=words)
            names.setdefault(path, name)
    if len({*names.values()}) < len(names):
        # Folders within folders, or several of them: names from further up tell images apart.
        names = {path: path.removeprefix(f"{root}/").lstrip("/") for path in names}
    pairs = ((name, path) for path, name in names.items())
    kept = [pair for pair in sorted(pairs) if _is_good(pair[0], split, losses)]
    folders = tuple(place.path for place in places if not place.is_list)
    return Split(split, folders, tuple(kept), tuple(passed_over.values()))


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
    for number, name in enumerate(_lines(path), 1):
        if not name:
            continue
        found = [normpath(name)]
        if not name.startswith("/"):
            # Trainers take `./` from the list, and anything else from the dataset; people mean either.
            found = [normpath(f"{base}/{name}") for base in (above, root)]
            found = [each for each in found if each.startswith(f"{root}/")]
        there = next(filter(is_file, found), None)
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

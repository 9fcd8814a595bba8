"""Where the images of a YOLO dataset are: as its YAML file says, or as folders are usually called."""

import os
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from os.path import commonpath, normpath, realpath
from pathlib import Path

from synapse_sdk.errors import InvalidDatasetError
from synapse_sdk.formats.images import IMAGE_SUFFIXES, images_below
from synapse_sdk.formats.losses import LossLog, Outcome
from synapse_sdk.formats.splits import SPLITS, canonical_split, canonical_splits
from synapse_sdk.formats.yolo.config import USUAL_SPLITS, Config
from synapse_sdk.formats.yolo.reasons import ELSEWHERE, MISSING_PLACE, UNLISTED
from synapse_sdk.formats.yolo.tasks import Task

__all__ = [
    "IMAGE_FOLDERS",
    "Place",
    "find_places",
    "image_folder",
    "is_file",
    "labels_beside",
    "labels_in",
    "moved",
    "tree_of",
]

IMAGE_FOLDERS = ("images", "imgs", "img")
"""What the folder of images is called; trainers know the first only."""
MOST_ENTRIES = 20_000
"""Entries of a folder among which labels are looked for."""
LIST = ".txt"
"""How lists of images end."""
DRIVE = re.compile("^[A-Za-z]:(?=/)")
"""What paths of Windows begin with."""
TREES = (Task.DETECT, Task.SEGMENT, Task.POSE, Task.OBB)
"""Tasks that may have a folder each, with a dataset in it."""


@dataclass(frozen=True, slots=True)
class Place:
    """A folder of images, or a text file that lists them."""

    path: str
    is_list: bool = False


def is_file(path: str) -> bool:
    """Whether a path is that of a file. One that is too long, or no path at all, is not."""
    return os.path.isfile(path)  # noqa: PTH113  # Path.is_file raises for those


def _is_folder(path: str) -> bool:
    return os.path.isdir(path)  # noqa: PTH112  # as above


def image_folder(folder: str) -> str | None:
    """Return the folder of images in a folder, if there is one."""
    return next((path for name in IMAGE_FOLDERS if _is_folder(path := f"{folder}/{name}")), None)


def labels_in(folder: str) -> str | None:
    """Return the folder of labels in a folder, or in that of a split, if there is one and has images beside it."""
    for above in (folder, *(f"{folder}/{split}" for split in USUAL_SPLITS)):
        if _is_folder(labels := f"{above}/labels") and image_folder(above):
            return labels
    return None


def labels_beside(folder: str) -> str | None:
    """Return a label file beside its image in a folder that lists classes, where LabelImg puts all three."""
    if not is_file(f"{folder}/classes.txt"):
        return None
    with os.scandir(folder) as entries:
        names = [os.path.splitext(entry.name) for entry in islice(entries, MOST_ENTRIES)]  # noqa: PTH122  # as above
    images = {stem for stem, suffix in names if suffix.lower() in IMAGE_SUFFIXES}
    return next((stem + suffix for stem, suffix in sorted(names) if suffix == ".txt" and stem in images), None)


def tree_of(folder: str, task: Task | None) -> str:
    """Return the folder in which the dataset is: one below, where each task has its own.

    Raises:
        InvalidDatasetError: Several tasks have one, and none was chosen.
    """
    if image_folder(folder) or labels_in(folder):
        return folder
    found = [each for each in TREES if labels_in(f"{folder}/{each}")]
    if task in found:
        return f"{folder}/{task}"
    if len(found) > 1:
        msg = f"Dataset {folder!r} has a folder for each of several tasks: {', '.join(found)}"
        raise InvalidDatasetError(msg, fix="Choose one with --task, or name its folder", path=folder)
    return f"{folder}/{found[0]}" if found else folder


def find_places(config: Config, losses: LossLog) -> dict[str, tuple[Place, ...]]:
    """Return where the images of each split are; one split without a name for a dataset that has none.

    Raises:
        InvalidDatasetError: A place is not there, but for those of tests, two names mean one split, or there are no
            images anywhere.
    """
    usual = {key: places for key, places in config.splits.items() if key in USUAL_SPLITS}
    if not usual:
        return _found_places(config.root)
    finder = _Finder(config, losses)
    placed = {key: [finder.place(path) for path in places] for key, places in usual.items()}
    found = {key: tuple(filter(None, places)) for key, places in placed.items() if any(places) or not places}
    # Trainers need no test split, and some exports name one that was never made.
    if finder.missing and not (found and all(all(places) for key, places in placed.items() if key != "test")):
        msg = f"{config.origin!r} names what is not there: {', '.join(map(repr, dict.fromkeys(finder.missing)))}"
        fix = "Put it there, or remove it from the file; what is outside of the dataset needs its whole path"
        raise InvalidDatasetError(msg, fix=fix, path=config.origin)
    for path in finder.missing:
        losses.of_item(Outcome.FAILED, MISSING_PLACE, item="", where=config.origin, words=path)
    for key, places in config.splits.items():
        # What a key of no known meaning says is a split if it is a folder of the dataset, and a remark otherwise.
        if key not in usual and (more := finder.folders(places)):
            found[key] = more
    splits = canonical_splits(found, config.root)
    _tell_unlisted(config, splits.values(), losses)
    splits = _without_stand_ins(splits, config.root)
    if len(splits) > 1 and len({_real(places) for places in splits.values()}) == 1:
        return {"": next(iter(splits.values()))}
    return splits


def _without_stand_ins(splits: dict[str, tuple[Place, ...]], root: str) -> dict[str, tuple[Place, ...]]:
    """Leave out splits whose images are those of another one, whose name their folder or list has.

    Trainers insist on some, and many datasets name the images to train with to validate with as well.
    """
    named = {_real(places): split for split, places in splits.items() if _are_called(places, split, root)}
    return {split: places for split, places in splits.items() if named.get(_real(places), split) == split}


def _real(places: Iterable[Place]) -> frozenset[str]:
    return frozenset(realpath(place.path) for place in places)


def _are_called(places: Iterable[Place], split: str, root: str) -> bool:
    """Whether the folders of images, or lists of them, have the name of a split in their path."""
    paths = (place.path[: -len(LIST)] if place.is_list else place.path for place in places)
    return all(split in map(canonical_split, os.path.relpath(path, root).split("/")) for path in paths)


class _Finder:
    """Finds what a YAML file names; notes what is elsewhere, and collects what is missing."""

    def __init__(self, config: Config, losses: LossLog) -> None:
        self.missing: list[str] = []
        self._root, self._origin, self._losses = config.root, config.origin, losses
        self._bases = [config.root]
        if config.path.startswith("/"):
            # Often that of a machine where the dataset was before. What is here is what somebody wants to be read.
            self._bases.append(normpath(config.path))
        elif config.path:
            self._bases.insert(0, f"{config.root}/{_inside(config.path)}")

    def place(self, path: str) -> Place | None:
        """Return what a path means; None if it is missing."""
        found = next((each for each in self._candidates(path) if _is_folder(each) or _is_list(each)), None)
        if found is None:
            self.missing.append(path)
            return None
        self._tell(path, found)
        return Place(found, is_list=not _is_folder(found))

    def folders(self, paths: Iterable[str]) -> tuple[Place, ...]:
        """Return the folders that paths mean; nothing if one of them means none."""
        found = [next((each for each in self._candidates(path) if _is_folder(each)), "") for path in paths]
        return tuple(map(Place, found)) if all(found) else ()

    def _candidates(self, path: str) -> Iterator[str]:
        """Yield what a path may mean, the likeliest first.

        Paths that lead out of the dataset with `..` are taken as if they did not: exports of some tools have them
        by mistake. Whoever means another folder gives all of its path.
        """
        if "\\" in path:
            yield from self._candidates(DRIVE.sub("", path.replace("\\", "/")))
        if path.startswith("/"):
            yield normpath(path)
            yield from moved(self._root, path)
        else:
            yield from (normpath(f"{base}/{_inside(path)}") for base in self._bases)

    def _tell(self, path: str, found: str) -> None:
        real, root = realpath(found), realpath(self._root)
        other = normpath(path if path.startswith("/") else f"{self._bases[-1]}/{path}")
        words = ""
        if commonpath([real, root]) != root:
            words = f"{path} is {found}, outside of the dataset"
        elif path.startswith("/") and real != realpath(other):
            words = f"{path} is not there, and {found} was read"
        elif _is_folder(other) and realpath(other) != real:
            words = f"{found} was read, and not {other}"
        if words:
            self._losses.of_item(Outcome.NOTED, ELSEWHERE, item="", where=self._origin, words=words)


def moved(root: str, path: str) -> Iterator[str]:
    """Yield where something may be that had a path before the dataset was moved: here is what the path ends with.

    Example:
        >>> [*moved("/here", "/there/images/a.png")]
        ['/here/there/images/a.png', '/here/images/a.png', '/here/a.png']
    """
    parts = normpath(DRIVE.sub("", path.replace("\\", "/"))).split("/")
    if ".." not in parts:
        yield from (f"{root}/{'/'.join(parts[at:])}" for at in range(1, len(parts)))


def _is_list(path: str) -> bool:
    return path.lower().endswith(LIST) and is_file(path)


def _inside(path: str) -> str:
    """Return a relative path without what leads out of the folder that it is relative to."""
    path = normpath(path)
    while path == ".." or path.startswith("../"):
        path = path[3:]
    return path or "."


def _tell_unlisted(config: Config, splits: Collection[tuple[Place, ...]], losses: LossLog) -> None:
    """Report usual folders of splits that the YAML file does not name."""
    listed = {realpath(place.path) for places in splits for place in places}
    if any(place.is_list for places in splits for place in places):
        # A list may be about images in any folder.
        return
    images = image_folder(config.root) or config.root
    for split in USUAL_SPLITS:
        for folder in (image_folder(f"{config.root}/{split}"), f"{images}/{split}"):
            if folder is None or not _is_folder(folder):
                continue
            real = realpath(folder)
            is_listed = any(commonpath([each, real]) in {each, real} for each in listed)
            count = 0 if is_listed else len(images_below(Path(folder)).found)
            if count:
                where, words = os.path.relpath(folder, config.root), f"it has {count} images"
                losses.of_item(
                    Outcome.FAILED, UNLISTED, item="", split=canonical_split(split), where=where, words=words
                )
                listed.add(real)


def _found_places(root: str) -> dict[str, tuple[Place, ...]]:
    """Return where images are in a dataset that does not say so."""
    flat = image_folder(root)
    found: dict[str, tuple[Place, ...]] = {}
    with os.scandir(root) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if entry.is_dir() and not entry.name.startswith(".") and (images := image_folder(entry.path)):
                found[entry.name] = (Place(images),)
    if flat is not None:
        found.pop(flat.rpartition("/")[2], None)
    if flat is not None and not found:
        return _splits_below(flat) or {"": (Place(flat),)}
    if not found and flat is None and labels_beside(root):
        return {"": (Place(root),)}
    if flat is not None or not found:
        msg = f"Dataset {root!r} has " + ("images both with and without splits" if found else "no folder of images")
        fix = "Put images into images/ or <split>/images/, or say where they are in a data.yaml"
        raise InvalidDatasetError(msg, fix=fix, path=root)
    return canonical_splits(found, root)


def _splits_below(images: str) -> dict[str, tuple[Place, ...]]:
    """Return the splits of `images/train`, `images/val`; none if anything else is there."""
    with os.scandir(images) as entries:
        names = [entry.name for entry in entries if not entry.name.startswith(".")]
    if not names or not all(canonical_split(name) in SPLITS and _is_folder(f"{images}/{name}") for name in names):
        return {}
    return canonical_splits(((name, (Place(f"{images}/{name}"),)) for name in sorted(names)), images)

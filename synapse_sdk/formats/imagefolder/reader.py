"""Reads image folders."""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from synapse_sdk.errors import InvalidDatasetError
from synapse_sdk.formats.base import FormatOptions, Reader
from synapse_sdk.formats.class_lists import CLASSES_FILE, read_class_list
from synapse_sdk.formats.imagefolder.layout import SPLIT_NAMES, class_of, folders_of, has_splits
from synapse_sdk.formats.imagefolder.reasons import NOT_READ, UNLABELLED
from synapse_sdk.formats.imagefolder.tree import Tree, read_tree
from synapse_sdk.formats.images import SYMLINK, UNREADABLE_FOLDER, is_safe_name
from synapse_sdk.formats.losses import LossLog, Outcome
from synapse_sdk.formats.model import Annotation, ClassSpec, DatasetInfo, Item
from synapse_sdk.formats.readable import readable
from synapse_sdk.formats.reasons import UNKNOWN_CLASS, UNSAFE_NAME
from synapse_sdk.formats.report import LOSSES_FILE, REPORT_FILE
from synapse_sdk.formats.splits import canonical_splits

__all__ = ["ImageFolderReader"]

OWN_FILES = frozenset((CLASSES_FILE, LOSSES_FILE, REPORT_FILE))
"""What this package writes beside the folders."""


class ImageFolderReader(Reader):
    """Reads a dataset; see `ImageFolderFormat` for what may be where.

    Args:
        folder: The dataset.
        options: What was chosen.
        losses: Takes down what cannot be read.

    Raises:
        InvalidDatasetError: There is no image in a folder of a class, or nobody can tell splits from classes.
    """

    asks = True

    def __init__(self, folder: Path, options: FormatOptions, losses: LossLog) -> None:
        super().__init__(folder, options, losses)
        self._listed = read_class_list(folder)
        self._classes = None if self._listed is None else frozenset(self._listed)
        self._folders = {"": folder}
        self._trees: dict[str, Tree] = {}
        self._info: DatasetInfo | None = None
        names = folders_of(os.fspath(folder))
        if has_splits(folder):
            self._folders = canonical_splits({name: folder / name for name in names}, str(folder))
        elif self._listed is None:
            _check(folder, names)

    @property
    def info(self) -> DatasetInfo:
        """Classes as `classes.txt` lists them, else the folders with images, by name."""
        if self._info is None:
            self._info = self._find_out(self._read())
        return self._info

    def _find_out(self, trees: Mapping[str, Tree]) -> DatasetInfo:
        found = {place for tree in trees.values() for place in tree.images if place}
        if not any(class_of(place, self._classes) for place in found):
            why = f"no folder with images is a class of its {CLASSES_FILE}" if found else "no folder in it has images"
            msg = f"{str(self.folder)!r} is no dataset of image folders"
            fix = f"Mend {CLASSES_FILE}" if found else "Name a folder with a folder of images for each class"
            raise InvalidDatasetError(msg, why=why, fix=fix, path=str(self.folder))
        classes = tuple(ClassSpec(name=name) for name in (sorted(found) if self._listed is None else self._listed))
        splits = () if "" in self._folders else tuple(self._folders)
        count = sum(len(names) for tree in trees.values() for names in tree.images.values())
        return DatasetInfo(classes=classes, splits=splits, count=count)

    def items(self) -> Iterator[Item]:
        """Yield the items in the order of their paths."""
        for split, tree in self._read().items():
            above = self._folders[split].relative_to(self.folder).as_posix()
            self._report(tree, split, "" if above == "." else f"{above}/")
            yield from self._of(split, tree)
        if "" not in self._folders:
            top = read_tree(os.fspath(self.folder), OWN_FILES, deep=False)
            self._report(top, "", "")
            for name in top.images.get("", ()):
                self.losses.of_item(Outcome.FAILED, UNLABELLED, item=name, words="it is in no folder of a split")

    def _read(self) -> dict[str, Tree]:
        if not self._trees:
            own = OWN_FILES if "" in self._folders else frozenset[str]()
            with readable():
                self._trees = {split: read_tree(os.fspath(folder), own) for split, folder in self._folders.items()}
        return self._trees

    def _of(self, split: str, tree: Tree) -> Iterator[Item]:
        folder = os.fspath(self._folders[split])
        labels = {place: class_of(place, self._classes) for place in tree.images}
        is_short = _are_unique(tree, labels)
        for place, names in tree.images.items():
            label = labels[place]
            above = f"{place}/" if place else ""
            skip = len(label) + 1 if label is not None and is_short else 0
            for image in names:
                name = (above + image)[skip:]
                if not (is_safe_name(name) and _is_text(above + image)):
                    self.losses.of_item(Outcome.FAILED, UNSAFE_NAME, item=name, split=split)
                    continue
                if self.skips(name):
                    continue
                item = Item(name=name, split=split, path=f"{folder}/{above}{image}")
                if label is None:
                    self._tell_unlabelled(item, place)
                else:
                    item.annotations = [Annotation(id="1", label=label)]
                yield item

    def _tell_unlabelled(self, item: Item, place: str) -> None:
        if place and self._listed is not None:
            self.losses.of_annotation(
                Outcome.FAILED, UNKNOWN_CLASS, item=item.name, split=item.split, words=f"folder {place!r:.300}"
            )
        else:
            self.losses.of_item(Outcome.NOTED, UNLABELLED, item=item.name, split=item.split)

    def _report(self, tree: Tree, split: str, above: str) -> None:
        for name in tree.links:
            self.losses.of_item(Outcome.FAILED, SYMLINK, item=name, split=split, where=above + name)
        for name, words in tree.unreadable:
            self.losses.of_item(
                Outcome.FAILED, UNREADABLE_FOLDER, item=name, split=split, where=above + name, words=words
            )
        for name in tree.others:
            self.losses.of_item(Outcome.NOTED, NOT_READ, item="", split=split, where=above + name)


def _check(folder: Path, names: Sequence[str]) -> None:
    """Refuse a dataset in which some folders look like splits, and others do not."""
    splits = [name for name in names if name.lower() in SPLIT_NAMES and folders_of(f"{folder}/{name}")]
    others = [name for name in names if name.lower() not in SPLIT_NAMES]
    if len(splits) > 1 and others:
        msg = f"Nobody can tell whether {', '.join(map(repr, splits))} in {str(folder)!r} are splits or classes"
        fix = f"Take {others[0]!r} out of it if they are splits; list the classes in {CLASSES_FILE} if they are not"
        raise InvalidDatasetError(msg, why=f"{others[0]!r} is no split", fix=fix, path=str(folder))


def _are_unique(tree: Tree, labels: dict[str, str | None]) -> bool:
    """Whether the images of a split can be told apart by what is below the folders of their classes."""
    seen: set[str] = set()
    count = 0
    for place, names in tree.images.items():
        label = labels[place]
        below = place if label is None else place[len(label) + 1 :]
        seen.update(f"{below}/{name}" if below else name for name in names)
        count += len(names)
    return len(seen) == count


def _is_text(name: str) -> bool:
    """Whether a name is text, and not bytes that are no UTF-8: as a class, other formats could not hold it."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True

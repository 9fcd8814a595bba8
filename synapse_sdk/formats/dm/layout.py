"""Which files a DM dataset has, and which document is about which original."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from os.path import splitext
from pathlib import Path

from synapse_sdk.errors import InvalidDatasetError
from synapse_sdk.formats.dm.reasons import UNREADABLE_DOCUMENT
from synapse_sdk.formats.images import (
    IMAGE_SUFFIXES,
    SYMLINK,
    UNREADABLE_IMAGE,
    is_folder,
    is_regular,
    is_safe_name,
    visible,
    why_not_followed,
)
from synapse_sdk.formats.losses import LossLog, Outcome, Reason
from synapse_sdk.formats.name_lists import NameList
from synapse_sdk.formats.readable import readable
from synapse_sdk.formats.reasons import UNSAFE_NAME
from synapse_sdk.formats.splits import canonical_splits

__all__ = [
    "DOCUMENTS",
    "NO_SPLITS",
    "ORIGINALS",
    "Files",
    "Part",
    "documents_folders",
    "find_parts",
    "first_document",
    "is_image",
]

DOCUMENTS = "json"
ORIGINALS = "original_files"
EXPORTED_ORIGINALS = "origin_files"
"""What an export calls them."""
OTHERS = "other_files"
"""What else an export has; none of it is a split."""
NO_SPLITS = frozenset((DOCUMENTS, ORIGINALS, EXPORTED_ORIGINALS, OTHERS))
"""What no split can be called."""
SUFFIX = ".json"


@dataclass(frozen=True, slots=True)
class Part:
    """One split, or a dataset without splits."""

    split: str
    folder: str
    """Below the dataset, with a slash; empty for a dataset without splits."""
    originals: str
    """The name of its folder of originals."""


@dataclass(frozen=True, slots=True)
class Files:
    """The files of a part. Names have slashes."""

    documents: NameList
    """Sorted, below their folder."""
    originals: NameList
    """Sorted, below their folder."""
    left: NameList
    """The images that no document is about, sorted."""

    @classmethod
    def of(cls, root: str, part: Part, losses: LossLog) -> "Files":
        """List the files of a part.

        Args:
            root: The dataset.
            part: The part.
            losses: Takes down names that nothing can have.

        Raises:
            InvalidDatasetError: A folder cannot be read.
        """
        with readable():
            names = _names(root, part, DOCUMENTS, losses)
            documents = NameList(name for name in names if name.lower().endswith(SUFFIX))
            originals = NameList(_names(root, part, part.originals, losses))
            return cls(documents, originals, NameList(_left(documents, originals)))

    def about(self, stem: str) -> Sequence[str]:
        """Return what a document may be about: one name if all is well; images come before anything else."""
        found = [name for name in self.originals.starting_with(stem) if splitext(name)[0] == stem]  # noqa: PTH122
        return [name for name in found if is_image(name)] or found if len(found) > 1 else found


def is_image(name: str) -> bool:
    """Whether a file is an image, by its name."""
    return splitext(name)[1].lower() in IMAGE_SUFFIXES  # noqa: PTH122  # a name, with slashes


def documents_folders(root: Path) -> dict[str, str]:
    """Return the folders of documents that there are, by the name of their split: one without, or those of splits."""
    found = {"": ""} if (root / DOCUMENTS).is_dir() else {}
    try:
        with os.scandir(root) as entries:
            names = sorted(entry.name for entry in entries if not entry.name.startswith(".") and is_folder(entry))
    except OSError:
        return found
    return found | {name: f"{name}/" for name in names if name not in NO_SPLITS and (root / name / DOCUMENTS).is_dir()}


def find_parts(root: Path) -> list[Part]:
    """Return the parts of a dataset in their order.

    Raises:
        InvalidDatasetError: A folder is missing, or there are two for one thing.
    """
    found = documents_folders(root)
    if not found:
        msg = f"There is no folder {DOCUMENTS!r} in {str(root)!r}, nor in a folder of a split"
        fix = f"Name the folder that has {DOCUMENTS} and {ORIGINALS}, or train/{DOCUMENTS} and so on"
        raise InvalidDatasetError(msg, fix=fix, path=str(root))
    if "" in found and len(found) > 1:
        other = [*found][1]
        msg = f"{str(root)!r} has both {DOCUMENTS!r} and '{other}/{DOCUMENTS}': with splits and without"
        raise InvalidDatasetError(msg, fix="Put all documents into splits, or none", path=str(root))
    splits = canonical_splits(found, str(root))
    return [Part(split, folder, _originals(root / folder)) for split, folder in splits.items()]


def first_document(folder: Path) -> Path | None:
    """Return the first document in a folder, or in one below it."""
    left = [folder]
    while left:
        above = left.pop()
        try:
            if (first := min(_documents_in(above), default=None)) is not None:
                return above / first
            below = sorted(each.name for each in visible(str(above)) if each.is_dir(follow_symlinks=False))
        except OSError:
            continue
        left += [above / name for name in reversed(below)]
    return None


def _documents_in(folder: Path) -> Iterator[str]:
    entries = (each for each in visible(str(folder)) if each.name.lower().endswith(SUFFIX))
    return (each.name for each in entries if is_regular(each))


def _originals(folder: Path) -> str:
    there = [name for name in (ORIGINALS, EXPORTED_ORIGINALS) if (folder / name).is_dir()]
    if len(there) == 1:
        return there[0]
    if there:
        msg = f"{str(folder)!r} has both {there[0]!r} and {there[1]!r}, which are one thing"
        raise InvalidDatasetError(msg, fix="Bring them together under one of the two names", path=str(folder))
    msg = f"There is no folder {ORIGINALS!r} in {str(folder)!r}"
    fix = f"Put the files that the documents are about there; without any, make an empty folder {ORIGINALS}"
    raise InvalidDatasetError(msg, fix=fix, path=str(folder))


def _names(root: str, part: Part, folder: str, losses: LossLog) -> Iterator[str]:
    """Yield the files of a folder of a part, sorted; hidden ones are left out, and links to folders not followed."""
    for name in NameList.in_order(_walk(root, part, folder, losses)):
        if name.isascii() and "\\" not in name:
            yield name
            continue
        try:
            name.encode()
        except UnicodeEncodeError:
            shown = name.encode(errors="backslashreplace").decode()
            losses.of_item(Outcome.FAILED, UNSAFE_NAME, item=shown, split=part.split, words="the name is not UTF-8")
            continue
        if is_safe_name(name):
            yield name
        else:
            losses.of_item(Outcome.FAILED, UNSAFE_NAME, item=name, split=part.split)


def _walk(root: str, part: Part, folder: str, losses: LossLog) -> Iterator[str]:
    top = f"{part.folder}{folder}/"
    # Documents cannot be read then; which originals are missing is seen when documents speak of them.
    outcome = Outcome.FAILED if folder == DOCUMENTS else Outcome.NOTED
    # A list of what is left, and no recursion: folders may be nested deeper than that goes.
    left = [(f"{root}/{top}", "")]
    while left:
        path, above = left.pop()
        for entry in visible(path):
            if entry.is_dir(follow_symlinks=False):
                left.append((entry.path, f"{above}{entry.name}/"))
            elif is_regular(entry):
                yield above + entry.name
            elif (found := _not_read(entry)) is not None:
                reason, words = found
                name = above + entry.name
                losses.of_item(outcome, reason, item=name, split=part.split, where=top + name, words=words)


def _left(documents: NameList, originals: NameList) -> Iterator[str]:
    """Yield the images that no document is about."""
    odd = {name[: -len(SUFFIX)] for name in documents if not name.endswith(SUFFIX)}
    following = iter(documents)
    expected = next(following, "")
    for name in originals:
        stem, suffix = splitext(name)  # noqa: PTH122  # a name, with slashes
        if suffix.lower() not in IMAGE_SUFFIXES:
            continue
        wanted = stem + SUFFIX
        if wanted == expected:  # as nearly always: both are in order
            expected = next(following, "")
        elif (number := documents.find(wanted)) >= 0:
            following = documents.starting_at(number + 1)
            expected = next(following, "")
        elif stem not in odd:
            yield name


def _not_read(entry: os.DirEntry[str]) -> tuple[Reason, str] | None:
    """Return why a link is not followed, or a document or image that is no file is not read."""
    if entry.is_symlink():
        return SYMLINK, why_not_followed(entry)
    if entry.name.lower().endswith(SUFFIX):
        return UNREADABLE_DOCUMENT, "it is no file"
    return (UNREADABLE_IMAGE, "it is no file") if is_image(entry.name) else None

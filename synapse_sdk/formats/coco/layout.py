"""Where a COCO dataset has its files: which JSON is of which split, and where the images of that may be."""

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from synapse_sdk.errors import InvalidDatasetError
from synapse_sdk.formats.coco.document import looks_like_coco
from synapse_sdk.formats.images import is_folder
from synapse_sdk.formats.splits import SPLITS, canonical_split, canonical_splits

__all__ = ["ANNOTATIONS", "Layout", "Source", "find_layout", "named_files"]

ANNOTATIONS = "annotations.json"
NAMES = (ANNOTATIONS, "_annotations.coco.json")
"""Beside the images; the latter is Roboflow's."""
FOLDER = "annotations"
"""Where the official layout has the files of all splits."""
IMAGE_FOLDERS = ("", "images", "data")
NO_SPLITS = (FOLDER, "images")
"""Folders in which there may be the file of a dataset without splits."""
OFFICIAL = re.compile(r"(instances|person_keypoints|panoptic|image_info)_(.+)\.json")
KINDS = ("instances", "person_keypoints", "panoptic", "image_info")
YEAR = re.compile(r"[_-]?(?:19|20)\d\d$")
SPLIT_NAMES = frozenset((*SPLITS, "val", "validation"))
WITHOUT_SPLIT = "default"
"""What CVAT calls the split of a dataset without splits."""
MOST_DOCUMENTS = 100
"""JSON files that are looked into, whatever they are called."""
SPELLINGS = {"valid": ("val", "validation")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The file of one split, or of a dataset without splits."""

    split: str
    path: Path
    folders: tuple[str, ...]
    """Where the images may be, the likeliest place first."""
    joints: Path | None = None
    """A second file about the same images, which has the joints of people."""

    @property
    def paths(self) -> tuple[Path, ...]:
        """All its files; the first one lists the images."""
        return (self.path,) if self.joints is None else (self.path, self.joints)

    @property
    def segments(self) -> tuple[str, ...]:
        """Where the images of segments may be that a panoptic file names: in a folder that is called as the file."""
        above, name = self.path.parent, self.path.stem
        return _join(above, (name, "")) + _join(above.parent, (name,))


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The files of a dataset."""

    root: Path
    sources: tuple[Source, ...]
    unread: tuple[Path, ...] = ()
    """Other JSON files that belong to it."""

    def name_of(self, path: Path) -> str:
        """Return the path of a file below the dataset, with slashes."""
        return path.relative_to(self.root).as_posix()


@dataclass(frozen=True, slots=True)
class _Listing:
    """What of a folder matters here, by name."""

    root: Path
    folders: tuple[str, ...]
    documents: tuple[Path, ...]
    """JSON files."""

    @classmethod
    def of(cls, root: Path) -> Self:
        """List a folder once: there may be a million images in it.

        Raises:
            InvalidDatasetError: It cannot be read.
        """
        try:
            with os.scandir(root) as entries:
                # Most are images, and none of them is kept.
                kept = [each for each in entries if each.name.endswith(".json") or is_folder(each)]
        except OSError as error:
            msg = f"Cannot read {str(root)!r}: {error.strerror}"
            raise InvalidDatasetError(msg, fix="Make it readable", path=str(root)) from error
        there = [each for each in kept if not each.name.startswith(".")]
        folders = sorted(each.name for each in there if is_folder(each))
        documents = sorted(root / each.name for each in there if each.name.endswith(".json"))
        return cls(root, tuple(folders), tuple(_present(documents)))


def find_layout(folder: Path) -> Layout:
    """Find the files of a dataset.

    Args:
        folder: The dataset, or its JSON file.

    Raises:
        InvalidDatasetError: There is none, or there are several datasets.
    """
    if folder.is_file():
        return _of_file(folder)
    if not folder.is_dir():
        msg = f"There is no dataset {str(folder)!r}"
        raise InvalidDatasetError(msg, fix="Name a folder or JSON file that is there", path=str(folder))
    found = [*_layouts(folder)]
    if not found:
        msg = f"There is no COCO file in {str(folder)!r}"
        fix = f"Put {ANNOTATIONS} beside the images, or name the JSON file itself"
        raise InvalidDatasetError(msg, fix=fix, path=str(folder))
    if len(found) > 1:
        one, other = (each.name_of(each.sources[0].path) for each in found[:2])
        msg = f"{str(folder)!r} has both {one!r} and {other!r}"
        raise InvalidDatasetError(msg, fix="Name the JSON file to read instead of the folder", path=str(folder))
    return found[0]


def named_files(folder: Path) -> list[Path]:
    """Return the files in a folder, and in those in it, that have one of the names of COCO files, then other JSON."""
    there = _Listing.of(folder)
    named = _present(there.root / above / name for above in ("", *there.folders) for name in NAMES)
    return named or [each for each in there.documents[:MOST_DOCUMENTS] if looks_like_coco(each)]


def _layouts(folder: Path) -> Iterator[Layout]:
    """Yield every way in which a folder may be read; more than one is one too many.

    Raises:
        InvalidDatasetError: One split is there under two names.
    """
    there = _Listing.of(folder)
    count = 0
    for find in (_flat, _by_folder, _official):
        if (found := find(there)) is not None:
            count += 1
            yield found
    if not count and (single := _single(there)) is not None:
        yield single


def _of_file(path: Path) -> Layout:
    root = path.parent.parent if path.parent.name == FOLDER else path.parent
    named = OFFICIAL.fullmatch(path.name)
    folders = _folders_of(root, named[2]) if named else _join(root, IMAGE_FOLDERS)
    source = Source(split="", path=path, folders=(*folders, *_join(path.parent, IMAGE_FOLDERS)))
    return Layout(root=path.parent, sources=(source,))


def _flat(there: _Listing) -> Layout | None:
    root = there.root
    found = _present(root / above / name for above in ("", *NO_SPLITS) for name in NAMES)
    if not found:
        return None
    source = Source(split="", path=found[0], folders=_join(root, IMAGE_FOLDERS))
    beside = there if found[0].parent == root else _Listing.of(found[0].parent)
    others = [each for each in beside.documents[:MOST_DOCUMENTS] if each not in found and looks_like_coco(each)]
    return Layout(root=root, sources=(source,), unread=(*found[1:], *others))


def _by_folder(there: _Listing) -> Layout | None:
    root = there.root
    files = {name: _present(root / name / each for each in NAMES) for name in there.folders if name not in NO_SPLITS}
    files = {name: paths for name, paths in files.items() if paths}
    if not files:
        return None
    splits = canonical_splits({name: (name, paths[0]) for name, paths in files.items()}, str(root))
    sources = tuple(
        Source(
            split=split,
            path=path,
            folders=(*_join(path.parent, IMAGE_FOLDERS), *_join(root, (f"images/{name}", "images"))),
        )
        for split, (name, path) in splits.items()
    )
    return Layout(root=root, sources=sources, unread=tuple(each for paths in files.values() for each in paths[1:]))


def _official(there: _Listing) -> Layout | None:
    """Find the files of all splits in one folder, as the COCO project publishes them."""
    inner = _Listing.of(there.root / FOLDER).documents if FOLDER in there.folders else ()
    for files in (inner, there.documents):
        found: dict[str, dict[str, Path]] = {}
        for path in files:
            if named := OFFICIAL.fullmatch(path.name):
                found.setdefault(named[2], {})[named[1]] = path
        if not found:
            found = {path.stem: {KINDS[0]: path} for path in files if path.stem.lower() in SPLIT_NAMES}
        if found:
            sources = tuple(_official_sources(there.root, found))
            read = {source.path for source in sources} | {source.joints for source in sources}
            return Layout(root=there.root, sources=sources, unread=tuple(each for each in files if each not in read))
    return None


def _official_sources(root: Path, found: dict[str, dict[str, Path]]) -> Iterator[Source]:
    short = {name: YEAR.sub("", name) or name for name in found}
    if len({*short.values()}) < len(short):  # two years of one split
        short = {name: name for name in found}
    splits = canonical_splits([(short[name], name) for name in found], str(root))
    for split, name in splits.items():
        kinds = [found[name][kind] for kind in KINDS if kind in found[name]]
        has_both = KINDS[0] in found[name] and KINDS[1] in found[name]
        yield Source(
            split="" if split == WITHOUT_SPLIT and len(splits) == 1 else split,
            path=kinds[0],
            folders=_folders_of(root, name),
            joints=kinds[1] if has_both else None,
        )


def _single(there: _Listing) -> Layout | None:
    """Find the only COCO file of a folder, whatever its name.

    Raises:
        InvalidDatasetError: There are several.
    """
    found = [path for path in there.documents[:MOST_DOCUMENTS] if looks_like_coco(path)]
    if len(found) > 1:
        names = " and ".join(repr(path.name) for path in found[:2])
        msg = f"{str(there.root)!r} has several COCO files, such as {names}, and none is called {ANNOTATIONS!r}"
        raise InvalidDatasetError(msg, fix="Name the JSON file to read instead of the folder", path=str(there.root))
    return _of_file(found[0]) if found else None


def _folders_of(root: Path, name: str) -> tuple[str, ...]:
    """Return where the images of a split of the official layout may be."""
    split = canonical_split(YEAR.sub("", name))
    spellings = dict.fromkeys((name, YEAR.sub("", name), split, *SPELLINGS.get(split, ())))
    return _join(root, [*spellings, *(f"images/{each}" for each in spellings), "images", "", "data"])


def _join(folder: Path, names: Iterable[str]) -> tuple[str, ...]:
    return tuple(os.path.join(folder, name) if name else os.fspath(folder) for name in names)  # noqa: PTH118  # as text


def _present(paths: Iterable[Path]) -> list[Path]:
    return [path for path in paths if os.path.isfile(path)]  # noqa: PTH113  # False, too, where one may not look

"""Datasets that were downloaded once, and are there for every run that asks for the same."""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from synapse_sdk.folders import data_folder
from synapse_sdk.plugins.actions.dataset.cache_holding import Holding
from synapse_sdk.plugins.actions.export.destinations import MANIFEST

__all__ = [
    "FACTS",
    "KEPT",
    "USED",
    "DatasetFacts",
    "cache_folder",
    "contents_of",
    "find_cached",
    "is_used_by_others",
    "read_facts",
]

FACTS = "dataset.json"
"""The file that says what a downloaded dataset is."""
USED = ".used"
"""The file that says that other runs use what one has downloaded: it stays then, whatever becomes of that one."""
KEPT = 16
"""Characters of a key that the name of a folder has."""
SUMS = 1 << 128
"""One more than the largest sum that stands for the files of a dataset."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetFacts:
    """What a downloaded dataset is, as `dataset.json` in its folder tells."""

    dataset: str
    """As people call the version: `birds@2`."""
    version_id: int
    format: str
    is_categorized: bool
    splits: Mapping[str, int]
    """How many ground truths were asked for in each."""
    filter: Mapping[str, Any]
    """By split."""
    key: str
    """See `Survey.key`."""
    total: int
    """How many ground truths there were."""
    downloaded: int
    failed: int
    renamed: int
    """Files that could not keep their names."""
    original_bytes: int
    """Of the files besides the documents."""
    failures: Sequence[Mapping[str, Any]]
    """`id`, `code` and `reason` of the first hundred that failed."""
    contents: Mapping[str, int | str]
    """See `contents_of`."""

    def to_json(self) -> bytes:
        """Return what the file has."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=2).encode() + b"\n"


def cache_folder() -> Path:
    """Return the folder of all downloaded datasets, whether it exists or not."""
    return data_folder() / "datasets" / "cache"


def read_facts(folder: Path) -> DatasetFacts | None:
    """Return what a folder tells about the downloaded dataset in it; None if there is none that is complete."""
    try:
        return DatasetFacts(**json.loads((folder / FACTS).read_bytes())) if (folder / MANIFEST).is_file() else None
    except (OSError, ValueError, TypeError):
        return None


def find_cached(folder: Path, key: str, holding: Holding) -> tuple[Path, DatasetFacts] | None:
    """Return a dataset that is complete, and as it was when it was downloaded, and note that it is used.

    Args:
        folder: Where to look.
        key: Which one is wanted.
        holding: Keeps it from being pruned.
    """
    names = sorted(os.listdir(folder)) if folder.is_dir() else []  # noqa: PTH208  # names are all that is needed
    for name in names:
        if key[:KEPT] not in name or name.startswith(".") or not holding.take(folder / name):
            continue
        facts = read_facts(folder / name)
        if facts is None or facts.key != key or facts.failed or facts.contents != contents_of(folder / name):
            continue
        if _note_use(folder / name):
            return folder / name, facts
    return None


def is_used_by_others(folder: Path) -> bool:
    """Whether runs besides the one that has downloaded it have used a dataset."""
    return (folder / USED).exists()


def _note_use(folder: Path) -> bool:
    """Note that a dataset is used; return whether it is still there."""
    with suppress(OSError):  # it is gone by now, or belongs to somebody else, whose runs never remove it for ours
        (folder / USED).touch()
    return (folder / MANIFEST).exists()


def contents_of(folder: Path) -> dict[str, int | str]:
    """Return how many files a dataset has, their bytes, and a sum that changes when any of them does.

    Files are not read: name, size, and when they were written last tell. Files about the whole do not count.
    """
    count = size = total = 0
    for path, entry in _files_below(str(folder), ""):
        if path in {MANIFEST, FACTS, USED}:
            continue
        stat = entry.stat(follow_symlinks=False)
        told = f"{path}\0{stat.st_size}\0{stat.st_mtime_ns}".encode("utf-8", "surrogateescape")
        total += int.from_bytes(hashlib.blake2b(told, digest_size=16).digest())
        count, size = count + 1, size + stat.st_size
    return {"files": count, "bytes": size, "sum": f"{total % SUMS:032x}"}


def _files_below(folder: str, above: str) -> Iterator[tuple[str, "os.DirEntry[str]"]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _files_below(entry.path, f"{above}{entry.name}/")
            else:
                yield above + entry.name, entry

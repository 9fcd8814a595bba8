"""Looking at the datasets that were downloaded and are kept, and removing some of them."""

import fcntl
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from synapse_sdk.plugins.actions.dataset.cache import FACTS, USED, contents_of, read_facts
from synapse_sdk.plugins.actions.dataset.cache_holding import is_held

__all__ = ["KeptDataset", "choose", "kept_datasets", "prune", "remove_leftovers"]

PRUNED = ".pruned"
"""Ends the hidden name of a dataset that is being removed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptDataset:
    """A downloaded dataset that is kept."""

    path: Path
    dataset: str
    """As people call the version: `birds@2`; empty if the folder does not say."""
    size: int
    """Bytes of its files."""
    used_at: datetime
    """Aware UTC instant at which a run has begun to use it last."""
    is_held: bool
    """Whether a run is at work with it."""


def kept_datasets(folder: Path) -> list[KeptDataset]:
    """Return all datasets that are kept in a folder, the one that was used last first.

    Downloads under way, and those that a run may go on with, are not among them.

    Raises:
        OSError: The folder cannot be read.
    """
    paths = [path for path in folder.iterdir() if path.is_dir() and path.name[0] != "."] if folder.is_dir() else []
    return sorted(map(_kept, paths), key=lambda each: (each.used_at, each.path), reverse=True)


def choose(
    kept: Sequence[KeptDataset],
    *,
    unused_since: datetime | None = None,
    keep_bytes: int | None = None,
    takes_all: bool = False,
) -> list[KeptDataset]:
    """Return the datasets to remove: those that any of the conditions is for, and no run holds.

    Args:
        kept: All there are, the one that was used last first.
        unused_since: Those that were used last before this aware instant.
        keep_bytes: Those that were not used for longest, until all others have no more bytes than this; what runs hold
            counts among the others.
        takes_all: All.
    """
    room = None if keep_bytes is None else keep_bytes - sum(each.size for each in kept if each.is_held)
    chosen = []
    for each in kept:
        if each.is_held:
            continue
        is_old = unused_since is not None and each.used_at < unused_since
        is_too_much = room is not None and each.size > room
        if takes_all or is_old or is_too_much:
            chosen.append(each)
        elif room is not None:
            room -= each.size
        if is_too_much:
            room = -1  # nothing that was used before it stays
    return chosen


def prune(kept: KeptDataset) -> bool:
    """Remove a dataset; return whether it is gone: not if a run has come to hold it meanwhile.

    Raises:
        OSError: It cannot be removed.
    """
    hidden = kept.path.with_name(f".{kept.path.name}{PRUNED}")
    with _locked(kept.path) as is_mine:
        if not is_mine:
            return not kept.path.exists()
        shutil.rmtree(hidden, ignore_errors=True)
        kept.path.rename(hidden)  # so that nobody finds half of it
    shutil.rmtree(hidden)
    return True


def remove_leftovers(folder: Path) -> None:
    """Remove what a process has left that was killed while it removed a dataset; safe to repeat."""
    for path in folder.glob(f".*{PRUNED}"):
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def _locked(folder: Path) -> Iterator[bool]:
    """Keep runs from holding a dataset; yields whether none does."""
    try:
        file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        yield False
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # somebody holds it, or nobody can tell
        yield False
    else:
        yield True
    finally:
        os.close(file)


def _kept(path: Path) -> KeptDataset:
    facts = read_facts(path)
    noted = next((file for file in (path / USED, path / FACTS, path) if file.exists()), path)
    return KeptDataset(
        path=path,
        dataset="" if facts is None else facts.dataset,
        size=int((contents_of(path) if facts is None else facts.contents)["bytes"]),
        used_at=datetime.fromtimestamp(noted.stat().st_mtime, UTC),
        is_held=is_held(path),
    )

"""A folder that appears at its place whole, or not at all."""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from synapse_sdk.errors import ConfigurationError, ConflictError
from synapse_sdk.folders import NO_ROOM, missing_folders, remove_empty, remove_tree

__all__ = [
    "Staging",
    "check_is_apart",
    "check_is_free",
    "empty_folder",
    "named_when_full",
    "remove_staged",
    "staged",
    "staging_of",
]


class Staging(NamedTuple):
    """A folder that is being written."""

    folder: Path
    lock: int
    """The descriptor that keeps others out of it: as long as any process has it open."""


@contextlib.contextmanager
def staged(target: Path) -> Iterator[Staging]:
    """Give an empty folder to write into, which becomes the target when the block ends well.

    When the block raises, nothing is left. What a process that was killed has left is removed by the next one.

    Raises:
        ConfigurationError: The target is there already, and not an empty folder.
        ConflictError: Another process is writing the same target.
        OSError: The target cannot be written.
    """
    target = target.absolute()
    check_is_free(target)
    folder = staging_of(target)
    with contextlib.ExitStack() as stack:
        stack.callback(remove_empty, [*missing_folders(target.parent)])
        target.parent.mkdir(parents=True, exist_ok=True)
        lock = _lock(folder, target, stack)
        stack.callback(remove_tree, folder)
        check_is_free(target)
        empty_folder(folder)
        with named_when_full(target):
            yield Staging(folder, lock)
        # An empty folder at the place of the target is replaced; anything else that came meanwhile is not.
        folder.rename(target)


@contextlib.contextmanager
def named_when_full(target: Path) -> Iterator[None]:
    """Say what is being written in an error about a full disk: the system does not when it fails to write."""
    try:
        yield
    except OSError as error:
        if error.errno in NO_ROOM and error.filename is None:
            error.filename = str(target)
        raise


def remove_staged(target: Path) -> None:
    """Remove what a process that was killed has left of a target that was not finished; safe to repeat.

    What another process is writing stays.
    """
    folder = staging_of(target.absolute())
    try:
        held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except (FileNotFoundError, NotADirectoryError):
        return
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        remove_tree(folder)
    except BlockingIOError:
        return
    finally:
        os.close(held)


def check_is_free(target: Path) -> None:
    """See that something new may be written there.

    Raises:
        ConfigurationError: The target is there already, and not an empty folder; or it is one that no other folder can
            take the place of, which would be found out when all is written.
    """
    if target.is_symlink():
        msg = f"{str(target)!r} is a link, which a folder cannot replace"
        raise ConfigurationError(msg, fix="Name the folder that it leads to", path=str(target))
    if target.is_mount():
        msg = f"Another file system is mounted at {str(target)!r}, so that no folder can be moved there"
        raise ConfigurationError(msg, fix=f"Name a folder inside of it: {target / 'dataset'}", path=str(target))
    try:
        with os.scandir(target) as entries:
            is_taken = next(entries, None) is not None
    except FileNotFoundError:
        return
    except NotADirectoryError as error:
        msg = f"{str(target)!r} is a file"
        raise ConfigurationError(msg, fix="Name a folder that does not exist", path=str(target)) from error
    if is_taken:
        msg = f"{str(target)!r} is there already, and not empty"
        raise ConfigurationError(msg, fix="Name a folder that does not exist, or remove it", path=str(target))


def check_is_apart(target: Path, sources: Iterable[Path]) -> None:
    """See that what is written comes into none of the folders that are read, and replaces no file that is.

    Raises:
        ConfigurationError: The target is inside of one.
    """
    place = target.resolve()
    for source in sources:
        folder = source.resolve()
        is_inside = place != folder and place.is_relative_to(folder) if source.is_dir() else place == folder
        if is_inside:
            msg = f"{str(target)!r} is inside of the dataset {str(source)!r}, which is only read"
            raise ConfigurationError(msg, fix="Name a place outside of it", path=str(target))


def staging_of(target: Path) -> Path:
    """Return what a target is called until it is finished."""
    return target.with_name(f".{target.name}.partial")


def empty_folder(folder: Path) -> None:
    """Remove all that is in a folder."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path)
            else:
                os.unlink(entry.path)  # noqa: PTH108  # an entry, not a path


def _lock(folder: Path, target: Path, stack: contextlib.ExitStack) -> int:
    """Make the folder, or take over one that a killed process has left, and keep others out of it."""
    while True:
        folder.mkdir(exist_ok=True)
        held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        stack.callback(os.close, held)
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            msg = f"Another process is writing {str(target)!r}"
            raise ConflictError(msg, fix="Wait for it, or choose another target", path=str(target)) from error
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(held), folder.stat()):
                return held
        # Its owner has finished between our two calls: what is locked is not at this place any more.

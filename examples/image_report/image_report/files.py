"""Create files and folders in such a way that exactly they can be taken back.

`announce` is told what is about to appear, before it appears; inside a step it is `context.record_undo`. Handing what
was announced to `take_back` deletes what this run created and nothing else: a file that somebody else put there, or
changed since, is left alone.
"""

import errno
import hashlib
import os
import secrets
import stat
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from image_report.errors import FolderError, writing_errors_explained

__all__ = ["Announce", "create_file", "create_folder", "refuse_existing", "take_back"]

type Announce = Callable[..., None]
"""Called with `folder=...`, `part=...`, or `path=..., inode=..., sha256=...`."""


def create_folder(folder: Path, announce: Announce) -> None:
    """Make a folder and its missing parents; one that exists is left as it is.

    Raises:
        FolderError: It cannot be made.
    """
    folder = folder.resolve()  # whoever takes it back may have another current folder
    with writing_errors_explained(folder):
        missing = [parent for parent in (folder, *folder.parents) if not parent.exists()]
        for parent in reversed(missing):
            announce(folder=str(parent))
            parent.mkdir(exist_ok=True)


def create_file(path: Path, content: bytes, announce: Announce) -> None:
    """Write a new file: all of it or nothing of it, and never over one that is there. Its content is on disk on return.

    Raises:
        FileExistsError: There is something at `path`.
        FolderError: It cannot be written; because the disk is full, for example. Nothing is left behind.
    """
    refuse_existing(path)
    path = path.absolute()
    part = path.with_name(f".{secrets.token_hex(8)}.part")
    announce(part=str(part))
    with writing_errors_explained(path):
        try:
            inode = _write_to_disk(part, content)
            # The inode tells our file from an equal one that somebody else puts there first.
            announce(path=str(path), inode=inode, sha256=_digest(content))
            _give_name(part, path)
        finally:
            part.unlink(missing_ok=True)


def refuse_existing(path: Path) -> None:
    """Do nothing if there is nothing at `path`, not even a dangling link.

    Raises:
        FileExistsError: There is.
    """
    if os.path.lexists(path):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))


def take_back(announced: Sequence[Mapping[str, Any]]) -> list[str]:
    """Delete what was announced, last things first. Safe to repeat, and after a creation that stopped half way.

    Returns:
        What was left alone, and why: files changed since, and folders in which somebody else put something.

    Raises:
        FolderError: Some things cannot be deleted; everything else is.
    """
    left_alone, errors = list[str](), list[OSError]()
    for entry in reversed(announced):
        try:
            left_alone += _take_back_one(entry)
        except OSError as error:
            errors.append(error)
    if errors:
        msg = f"Created by this run, but cannot be deleted: {'; '.join(str(error) for error in errors)}"
        raise FolderError(msg, fix="Delete it by hand") from errors[0]
    return left_alone


def _take_back_one(entry: Mapping[str, Any]) -> list[str]:
    if "part" in entry:
        Path(entry["part"]).unlink(missing_ok=True)
    elif "folder" in entry:
        folder = Path(entry["folder"])
        if folder.is_dir():
            if any(folder.iterdir()):
                return [f"{folder} is not empty"]
            folder.rmdir()
    else:
        path = Path(entry["path"])
        if os.path.lexists(path):
            if not _is_as_created(path, entry):
                return [f"{path} was changed by somebody else"]
            path.unlink()
    return []


def _is_as_created(path: Path, entry: Mapping[str, object]) -> bool:
    status = path.lstat()
    if not stat.S_ISREG(status.st_mode) or status.st_ino != entry["inode"]:
        return False
    return _digest(path.read_bytes()) == entry["sha256"]  # the number of a deleted file is soon used for another


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _write_to_disk(path: Path, content: bytes) -> int:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
        return os.fstat(file.fileno()).st_ino


def _give_name(part: Path, path: Path) -> None:
    """Let a finished file appear under its name, unless that is taken: a hard link is one step and refuses to replace.

    Raises:
        FileExistsError: The name is taken.
    """
    try:
        path.hardlink_to(part)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links, such as exFAT: take the name first, then fill it
        path.open("xb").close()
        try:
            part.replace(path)
        except BaseException:
            path.unlink()
            raise

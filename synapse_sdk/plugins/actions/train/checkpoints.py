"""Checkpoints of a training in progress: folders that appear whole, and are checked before they are used."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synapse_sdk.errors import StorageError, TrainingError
from synapse_sdk.failpoints import hit
from synapse_sdk.folders import remove_tree
from synapse_sdk.storage.durable import Unsynced
from synapse_sdk.types import JsonObject

__all__ = ["Checkpoint", "Checkpoints"]

SEAL = "checkpoint.json"
"""The file that is written last, with the digests of all others."""
PART = ".part"
KEPT = 2
"""Checkpoints that are kept: a new one, and one in case the disk has spoilt that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """How far a training has come."""

    number: int
    """From 1, in the order of the run."""
    path: Path
    """The folder with what the training has written; only to be read."""
    state: JsonObject
    """What was given when it was begun, such as the epoch."""


class Checkpoints:
    """The checkpoints of one run.

    Args:
        root: Their folder; made when it is needed.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def last(self) -> Checkpoint | None:
        """Return the newest checkpoint that is whole; None if there is none.

        Every file is read and compared with its digest. The folder decides, not the journal, which may lag behind.
        """
        return next((found for path in reversed(self._folders()) if (found := _opened(path)) is not None), None)

    @contextmanager
    def new(self, state: JsonObject) -> Iterator[Path]:
        """Give an empty folder, which becomes the newest checkpoint when the block ends well; older ones are removed.

        Durable when the block has ended. If it raises, there is no trace of it.

        Raises:
            TrainingError: Nothing was written, or the state is no JSON.
            StorageError: It cannot be written.
        """
        number = max((int(path.name) for path in self._folders()), default=0) + 1
        part = self.root / f"{number:08}{PART}"
        try:
            remove_tree(part)  # what a process that died has left
            part.mkdir(parents=True)
            try:
                yield part
                _seal(part, state)
            except BaseException:
                shutil.rmtree(part, ignore_errors=True)
                raise
            hit("train.saving")
            part.rename(self.root / f"{number:08}")
            _sync(self.root, [self.root / f"{number:08}" / SEAL])
            for path in self._folders()[:-KEPT]:
                shutil.rmtree(path)
        except (StorageError, TrainingError):
            raise
        except OSError as error:
            msg = f"Checkpoint {number} cannot be written into {str(self.root)!r}"
            raise StorageError(msg, why=str(error), fix="Free some space, and resume the run") from error

    def _folders(self) -> list[Path]:
        """Return the folders of checkpoints, the oldest first; unfinished ones are not among them."""
        if not self.root.is_dir():
            return []
        return sorted(path for path in self.root.iterdir() if path.name.isdecimal())


def _seal(folder: Path, state: JsonObject) -> None:
    """Write down what is in a checkpoint, and have all of it survive a loss of power."""
    files = _files_of(folder)
    if not files:
        msg = "A checkpoint has no files"
        raise TrainingError(msg, fix="Write what the training needs to go on into the folder it is given")
    try:
        text = json.dumps({"state": state, "files": {path: _facts(folder / path) for path in files}}, allow_nan=False)
    except (TypeError, ValueError) as error:
        msg = "The state of a checkpoint is no JSON"
        fix = "Give texts, finite numbers, lists and dictionaries only; arrays belong into files"
        raise TrainingError(msg, why=str(error), fix=fix) from error
    _sync(folder, [folder / path for path in files])
    (folder / SEAL).write_text(text, encoding="utf-8")
    _sync(folder, [folder / SEAL])


def _opened(folder: Path) -> Checkpoint | None:
    """Return a checkpoint if it is as it was written; None if it is not."""
    try:
        sealed: dict[str, Any] = json.loads((folder / SEAL).read_bytes())
        found = {path: _facts(folder / path) for path in _files_of(folder) if path != SEAL}
    except (OSError, ValueError):
        return None
    if not isinstance(sealed, dict) or sealed.get("files") != found:
        return None
    return Checkpoint(number=int(folder.name), path=folder, state=sealed["state"])


def _files_of(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def _facts(path: Path) -> list[int | str]:
    with path.open("rb") as file:
        return [os.fstat(file.fileno()).st_size, hashlib.file_digest(file, "sha256").hexdigest()]


def _sync(root: Path, paths: list[Path]) -> None:
    unsynced = Unsynced(root)
    for path in paths:
        unsynced.add([*path.relative_to(root).parts], path.stat().st_dev)
    unsynced.sync()

"""How images come into a target: as copies, as links, or not at all."""

import os
from errno import EMLINK, ENAMETOOLONG, ENOTSUP, EOPNOTSUPP, EPERM, EXDEV
from pathlib import Path
from stat import S_ISLNK, S_ISREG

from synapse_sdk.errors import ConfigurationError, InvalidDatasetError
from synapse_sdk.formats.base import ImageTransfer
from synapse_sdk.formats.images.names import is_safe_name
from synapse_sdk.formats.images.reasons import MISSING_IMAGE, UNREADABLE_IMAGE
from synapse_sdk.formats.losses import LossLog, Outcome, Reason
from synapse_sdk.formats.model import Item
from synapse_sdk.formats.reasons import UNSAFE_NAME

__all__ = ["ImagePlacer"]

NO_LINKS = frozenset((EXDEV, EPERM, EMLINK, ENOTSUP, EOPNOTSUPP))
"""What the system says where a link cannot be: on another device, or one without links, or of too many already."""
BLOCK = 1024 * 1024
"""Bytes that are copied at a time."""
NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL


class ImagePlacer:
    """Brings images into a target.

    Args:
        folder: The target.
        transfer: How.
        losses: Takes down images that are not there or cannot be read.
    """

    def __init__(self, folder: Path, transfer: ImageTransfer, losses: LossLog) -> None:
        self._folder, self._transfer, self._losses = os.fspath(folder), transfer, losses
        self._made = {""}

    def place(self, item: Item, name: str) -> bool:
        """Bring the image of an item to its place; return whether it is there, or need not be.

        If it is not, because it cannot be read or its name is too long, the log says so.

        Args:
            item: Whose image it is.
            name: Where to, with slashes, relative to the target.

        Raises:
            InvalidDatasetError: The name leaves the target, or is taken.
            ConfigurationError: The image cannot be linked to where the target is.
            OSError: The target cannot be written.
        """
        if self._transfer is ImageTransfer.NONE:
            return True
        if not is_safe_name(name):
            msg = f"Image {item.name!r} would leave the folder it is put into"
            raise InvalidDatasetError(msg, fix="Rename it in the dataset", item=item.name)
        if not item.path:
            return self._lack(item, MISSING_IMAGE)
        try:
            self._make_folder(name.rpartition("/")[0])
            _TRANSFERS[self._transfer](item.path, f"{self._folder}/{name}")
        except _SourceError as error:
            is_missing = isinstance(error.cause, FileNotFoundError)
            return self._lack(item, MISSING_IMAGE if is_missing else UNREADABLE_IMAGE, error.cause.strerror or "")
        except (FileExistsError, NotADirectoryError) as error:
            msg = f"Two images of the dataset would be {name!r}"
            raise InvalidDatasetError(msg, fix="Rename one of them", item=item.name) from error
        except OSError as error:
            if error.errno == ENAMETOOLONG:
                return self._lack(item, UNSAFE_NAME, "it is too long for the target")
            if error.errno in NO_LINKS and self._transfer is not ImageTransfer.COPY:
                raise self._no_link(item, error) from error
            raise
        return True

    def _make_folder(self, name: str) -> None:
        if name not in self._made:
            os.makedirs(f"{self._folder}/{name}", exist_ok=True)  # noqa: PTH103  # text is what we have
            self._made.add(name)

    def _lack(self, item: Item, reason: Reason, words: str = "") -> bool:
        self._losses.of_item(Outcome.CHANGED, reason, item=item.name, split=item.split, words=words)
        return False

    def _no_link(self, item: Item, error: OSError) -> ConfigurationError:
        msg = f"Image {item.name!r} cannot be linked into {self._folder!r}: {error.strerror}"
        why = "Links need one file system that has them for both the dataset and the target"
        return ConfigurationError(msg, why=why, fix="Choose images=copy", item=item.name)


class _SourceError(Exception):
    """An image cannot be read."""

    def __init__(self, cause: OSError) -> None:
        super().__init__(str(cause))
        self.cause = cause


def _copy(source: str, target: str) -> None:
    try:
        # A pipe, of which opening alone would wait for somebody to write into it, is refused below.
        read = os.open(source, os.O_RDONLY | os.O_NONBLOCK)
    except OSError as error:
        raise _SourceError(error) from error
    try:
        _check_regular(os.fstat(read))
        written = os.open(target, NEW_FILE, 0o666)
        try:
            _copy_bytes(read, written)
        except _SourceError:
            os.unlink(target)  # noqa: PTH108  # as above
            raise
        finally:
            os.close(written)
    finally:
        os.close(read)


def _copy_bytes(read: int, written: int) -> None:
    while True:
        try:
            data = os.read(read, BLOCK)
        except OSError as error:
            raise _SourceError(error) from error
        if not data:
            return
        while data:
            data = data[os.write(written, data) :]


def _link_hard(source: str, target: str) -> None:
    os.link(_file_of(source), target)


def _link(source: str, target: str) -> None:
    os.symlink(os.path.realpath(_file_of(source)), target)  # noqa: PTH211  # as above


def _file_of(source: str) -> str:
    """Return the path of an image, behind links."""
    try:
        status = os.lstat(source)
        if S_ISLNK(status.st_mode):
            source = os.path.realpath(source)
            status = os.stat(source)  # noqa: PTH116  # as above
    except OSError as error:
        raise _SourceError(error) from error
    _check_regular(status)
    return source


def _check_regular(status: os.stat_result) -> None:
    if not S_ISREG(status.st_mode):
        raise _SourceError(OSError(0, "It is no file"))


_TRANSFERS = {ImageTransfer.COPY: _copy, ImageTransfer.HARDLINK: _link_hard, ImageTransfer.SYMLINK: _link}

"""What the operating system says, in the words of storages."""

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path

from synapse_sdk.errors import (
    InvalidKeyError,
    ObjectExistsError,
    StorageDeniedError,
    StorageError,
    StorageFullError,
    StorageUnavailableError,
    SynapseError,
)
from synapse_sdk.storage.content import Meter, is_of_content

__all__ = ["local_errors"]

KINDS: dict[int, tuple[type[StorageError], str]] = {
    errno.EACCES: (StorageDeniedError, "Give yourself the right to it, or use another folder"),
    errno.EPERM: (StorageDeniedError, "Give yourself the right to it, or use another folder"),
    errno.EROFS: (StorageDeniedError, "Use a folder that can be written to"),
    errno.ENOSPC: (StorageFullError, "Make room, or use another folder"),
    errno.EDQUOT: (StorageFullError, "Make room, or have your quota raised"),
    errno.EFBIG: (StorageFullError, "Use a file system that takes files of this size"),
    errno.ENAMETOOLONG: (InvalidKeyError, "Use a shorter key"),
    errno.EILSEQ: (InvalidKeyError, "Use a key that the file system can hold"),
    errno.EINVAL: (InvalidKeyError, "Use a key that the file system can hold"),
    errno.ENOTDIR: (InvalidKeyError, "Use a key of which no part is an object or a link"),
    errno.EISDIR: (ObjectExistsError, "Use another key; a folder has this name"),
    errno.EMFILE: (StorageUnavailableError, "Do fewer things at a time"),
    errno.ENFILE: (StorageUnavailableError, "Do fewer things at a time"),
    errno.ENOMEM: (StorageUnavailableError, "Do fewer things at a time"),
    errno.ESTALE: (StorageUnavailableError, "See whether the server of the folder is there"),
    errno.ETIMEDOUT: (StorageUnavailableError, "See whether the server of the folder is there"),
    errno.EHOSTDOWN: (StorageUnavailableError, "See whether the server of the folder is there"),
}


@contextlib.contextmanager
def local_errors(url: str, key: str, meter: Meter | None = None) -> Iterator[None]:
    """Raise what goes wrong inside as a `StorageError` that names the storage and the key.

    What reading the content raised passes as it is.
    """
    try:
        yield
    except SynapseError:
        raise
    except OSError as error:
        if is_of_content(error, meter):
            raise
        if isinstance(error, NotADirectoryError) and _is_root(error.filename, url):
            msg = f"{url} is no folder"
            raise StorageError(msg, why=str(error), fix="Name a folder, or a place for one") from error
        kind, fix = KINDS.get(error.errno or 0, (StorageError, "See what the system says of its disk"))
        msg = f"{url} cannot do this for {key!r}" if key else f"{url} cannot do this"
        raise kind(msg, why=str(error), fix=fix, key=key) from error


def _is_root(path: object, url: str) -> bool:
    return isinstance(path, str) and Path(path).is_absolute() and Path(path).as_uri() == url

"""What can be wrong with the folders of a run, or with one image."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from synapse_sdk.errors import SynapseError

__all__ = ["FolderError", "UnreadableImageError", "writing_errors_explained"]


class FolderError(SynapseError):
    """The input folder cannot be read, or the output folder cannot be written."""

    code = "IMAGE-REPORT-E1"


class UnreadableImageError(SynapseError):
    """One image cannot be resized; the others can. The message is the reason, without the file's name."""

    code = "IMAGE-REPORT-E2"


@contextmanager
def writing_errors_explained(path: Path) -> Iterator[None]:
    """Turn an error of the operating system into one that names the path and the way out.

    Raises:
        FolderError: In place of any OSError but FileExistsError.
    """
    try:
        yield
    except FileExistsError:
        raise
    except OSError as error:
        full = error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
        fix = "Free some space, or set output_dir elsewhere" if full else "Set output_dir to a folder you may write to"
        msg = f"Cannot write {str(path)!r}"
        raise FolderError(msg, why=error.strerror, fix=fix, path=str(path)) from error

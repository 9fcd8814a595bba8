"""Where this package keeps what it has to keep, and folders that are made for something and removed with it."""

import errno
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

__all__ = ["NO_ROOM", "data_folder", "missing_folders", "remove_empty", "remove_tree"]

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""What the system says where there is no room to write."""


def data_folder(directory: str | os.PathLike[str] | None = None, environ: Mapping[str, str] | None = None) -> Path:
    """Return the folder for journal, backend and reports, whether it exists or not.

    It is `.synapse` in the project: the nearest folder, from `directory` upwards, that has a `synapse.toml` or a
    `.synapse`. Outside of projects it is `synapse` in the user's data folder (XDG Base Directory).

    Args:
        directory: Where the search begins; by default the current directory.
        environ: Environment variables; by default those of this process.
    """
    environ = os.environ if environ is None else environ
    here = Path.cwd() if directory is None else Path(directory).absolute()
    home = Path(environ.get("HOME") or os.path.expanduser("~"))  # noqa: PTH111  # Path.home raises for a user without one
    for folder in (here, *here.parents):
        is_project = (folder / "synapse.toml").is_file() or (folder / ".synapse").is_dir()
        if is_project and folder != home:
            return folder / ".synapse"
    data = environ.get("XDG_DATA_HOME", "")
    base = Path(data) if os.path.isabs(data) else home / ".local" / "share"  # noqa: PTH117  # a relative one is to be ignored
    return base / "synapse"


def missing_folders(folder: Path) -> Iterator[Path]:
    """Yield the folders that would have to be made for one to be there, the innermost first."""
    for each in (folder, *folder.parents):
        if each.exists():
            return
        yield each


def remove_tree(folder: str | os.PathLike[str]) -> None:
    """Remove a folder and all that is in it, if it is there; safe to repeat.

    Raises:
        OSError: Something in it cannot be removed.
    """
    import shutil  # noqa: PLC0415  # slow to import, and who only looks for the data folder needs none of it

    shutil.rmtree(folder, ignore_errors=not os.path.exists(folder))  # noqa: PTH110  # text or a path


def remove_empty(folders: Iterable[str | os.PathLike[str]]) -> None:
    """Remove folders, the innermost first, but for those that have something in them by now, or were never made."""
    for folder in folders:
        with suppress(OSError):
            Path(folder).rmdir()

"""A plugin's folder as bytes, so that it can be brought to another machine."""

import io
import os
import tarfile
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

from synapse_sdk.errors import ConfigurationError

__all__ = ["IGNORE_FILE", "SIZE_LIMIT", "pack", "unpack"]

SIZE_LIMIT = 100 * 2**20
"""Bytes that the files of a plugin may have together."""
IGNORE_FILE = ".synapseignore"
"""Names what stays behind: a pattern a line, as in a shell, for names or for paths below the folder."""
USUAL_IGNORED = (
    ".git",
    ".hg",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
    ".synapse",
    ".tox",
    ".venv",
    "__pycache__",
    "node_modules",
    "venv",
)
LARGEST_SHOWN = 3


def pack(folder: Path, limit: int = SIZE_LIMIT) -> bytes:
    """Return the files of a folder as a compressed archive.

    Left out is what `.synapseignore` names, environments, caches and the records of version control. Links to files
    are followed, links to folders and what is neither file nor folder are left out.

    Raises:
        ConfigurationError: It is too large, or something in it cannot be read.
    """
    try:
        files = sorted(_files(folder, _patterns(folder)))
        _refuse_too_large(folder, files, limit)
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=1, dereference=True) as archive:
            for name in files:
                archive.add(folder / name, name, recursive=False)
    except OSError as error:
        msg = f"The plugin in {str(folder)!r} cannot be sent to a cluster"
        fix = f"Make it readable, or name it in {IGNORE_FILE}"
        raise ConfigurationError(msg, why=str(error), fix=fix, folder=str(folder)) from error
    return packed.getvalue()


def unpack(packed: bytes, folder: Path) -> None:
    """Write what `pack` returned into a folder, which is made; nothing gets out of it."""
    folder.mkdir(parents=True)
    with tarfile.open(fileobj=io.BytesIO(packed), mode="r:gz") as archive:
        archive.extractall(folder, filter="data")


def _patterns(folder: Path) -> tuple[str, ...]:
    try:
        lines = (folder / IGNORE_FILE).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        lines = []
    except ValueError as error:
        msg = f"{IGNORE_FILE} in {str(folder)!r} is not UTF-8 text"
        raise ConfigurationError(msg, why=str(error), fix="Save it as UTF-8") from error
    own = (line.strip().rstrip("/") for line in lines)
    return (*USUAL_IGNORED, *(line for line in own if line and not line.startswith("#")))


def _files(folder: Path, ignored: tuple[str, ...]) -> Iterator[str]:
    def is_wanted(path: Path) -> bool:
        name = path.relative_to(folder).as_posix()
        return not any(fnmatch(name, each) or fnmatch(path.name, each) for each in ignored)

    for here, folders, names in os.walk(folder, onerror=_raise):
        folders[:] = [name for name in folders if is_wanted(Path(here, name))]
        for path in (Path(here, name) for name in names):
            if is_wanted(path) and path.is_file():
                yield path.relative_to(folder).as_posix()


def _raise(error: OSError) -> None:
    raise error


def _refuse_too_large(folder: Path, files: list[str], limit: int) -> None:
    sizes = {name: (folder / name).stat().st_size for name in files}
    total = sum(sizes.values())
    if total <= limit:
        return
    largest = sorted(sizes, key=lambda name: -sizes[name])[:LARGEST_SHOWN]
    shown = ", ".join(f"{name} ({_megabytes(sizes[name])})" for name in largest)
    msg = f"The plugin in {str(folder)!r} is too large to be sent to a cluster: {_megabytes(total)}"
    why = f"{_megabytes(limit)} are allowed; the largest are {shown}"
    fix = f"Name what its code does not need in {IGNORE_FILE}, or put data into a storage"
    raise ConfigurationError(msg, why=why, fix=fix, folder=str(folder))


def _megabytes(size: int) -> str:
    return f"{size / 2**20:.1f} MiB"

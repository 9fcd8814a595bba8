"""Makes archives, honest and hostile ones."""

import io
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from synapse_sdk.documents.archives import ArchiveLimits, extract_archive, list_archive
from synapse_sdk.errors import UnsafeArchiveError

FILES = {"a.txt": b"hello", "b/한글.txt": b"x" * 100_000, "b/c/empty": b""}
FORMATS = ["zip", "tar", "tar.gz", "tar.bz2", "tar.xz"]


def write_archive(path: Path, files: Mapping[str, bytes]) -> Path:
    """Write an archive of the format its name says."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        return path
    kind = path.suffix.removeprefix(".")
    with tarfile.open(path, f"w:{'' if kind == 'tar' else kind}") as tar:  # type: ignore[call-overload]  # by name
        for name, content in files.items():
            add_file(tar, name, content)
    return path


def add_file(tar: tarfile.TarFile, name: str, content: bytes, kind: bytes = tarfile.REGTYPE, link: str = "") -> None:
    """Add a member of any kind."""
    info = tarfile.TarInfo(name)
    info.size, info.type, info.linkname = len(content), kind, link
    tar.addfile(info, io.BytesIO(content))


def contents(folder: Path) -> dict[str, bytes]:
    """Return all files below a folder, with what they hold."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def refused(path: Path, limits: ArchiveLimits | None = None, target: Path | None = None) -> UnsafeArchiveError:
    """Unpack what must be refused, and return the refusal; nothing may be there afterwards but whole files."""
    target = target or path.parent / "target"
    with pytest.raises(UnsafeArchiveError) as caught:
        extract_archive(path, target, limits)
    assert caught.value.fix
    assert str(path) in str(caught.value)
    assert [name for name in (contents(target) if target.exists() else ()) if name.endswith(".part")] == []
    return caught.value


def refused_at_once(path: Path, limits: ArchiveLimits | None = None) -> UnsafeArchiveError:
    """Unpack and list what must be refused by its list alone, and return the refusal."""
    with pytest.raises(UnsafeArchiveError):
        list(list_archive(path, limits))
    error = refused(path, limits)
    assert not (path.parent / "target").exists()
    return error

"""Whether a file is fit for a database: what it lies on, and who has it locked."""

import re
from contextlib import suppress
from pathlib import Path

__all__ = ["file_system", "is_shared_between_machines", "lock_holder"]

NETWORK = frozenset({"9p", "afs", "cifs", "ncpfs", "nfs", "nfs4", "smb2", "smb3", "smbfs"})
"""File systems on which SQLite's locks and shared memory do not work between machines."""
NETWORK_FUSE = ("fuse.sshfs", "fuse.s3fs", "fuse.rclone", "fuse.gcsfuse", "fuse.goofys", "fuse.glusterfs")
LOCKS, MOUNTS = Path("/proc/locks"), Path("/proc/self/mountinfo")
OCTAL = re.compile(r"\\([0-7]{3})")
"""How spaces and the like are written in the list of mounts."""


def is_shared_between_machines(kind: str) -> bool:
    """Whether a file system of this kind is a network's: locks do not hold there, and two writers destroy a file."""
    return kind in NETWORK or kind in NETWORK_FUSE


def file_system(path: Path) -> str:
    """Return the kind of file system on which a file is or would be; empty where the system does not tell."""
    folder = str(path.absolute().parent.resolve())
    found, kind = "", ""
    with suppress(OSError):
        for line in MOUNTS.read_text(encoding="utf-8", errors="surrogateescape").splitlines():
            left, _, right = line.partition(" - ")
            point = OCTAL.sub(lambda match: chr(int(match[1], 8)), left.split()[4])
            inside = folder == point or folder.startswith(point.rstrip("/") + "/")
            if inside and len(point) >= len(found):
                found, kind = point, right.split()[0]
    return kind


def lock_holder(path: Path) -> int | None:
    """Return the process that has the write lock of an SQLite file in WAL mode, where the system tells (Linux).

    Read from the system's list: opening the file to ask for its locks would drop those of this process.
    """
    with suppress(OSError, ValueError, IndexError):
        inode = path.with_name(path.name + "-shm").stat().st_ino
        for words in map(str.split, LOCKS.read_text(encoding="ascii").splitlines()):
            if words[1] == "POSIX" and "WRITE" in words and words[5].endswith(f":{inode}"):
                return int(words[4])
    return None

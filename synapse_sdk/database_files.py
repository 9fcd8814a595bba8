"""Whether a file is fit for a database: what it is and lies on, whose it is, its mode, and who has it locked."""

import re
import sqlite3
import time
from contextlib import suppress
from pathlib import Path

__all__ = ["IDENTITY", "file_system", "is_shared_between_machines", "lock_holder", "other_than_file", "use_wal"]

IDENTITY = (
    "SELECT (SELECT count(*) FROM sqlite_schema), user_version, application_id"
    " FROM pragma_user_version, pragma_application_id"
)
"""Asks how many tables there are, for their version and for the mark; at once, while others may be making them."""
WAL_PAUSE = 0.01
"""Seconds between two tries to switch a new file to WAL mode."""

NETWORK = frozenset({"9p", "afs", "cifs", "ncpfs", "nfs", "nfs4", "smb2", "smb3", "smbfs"})
"""File systems on which SQLite's locks and shared memory do not work between machines."""
NETWORK_FUSE = ("fuse.sshfs", "fuse.s3fs", "fuse.rclone", "fuse.gcsfuse", "fuse.goofys", "fuse.glusterfs")
LOCKS, MOUNTS = Path("/proc/locks"), Path("/proc/self/mountinfo")
OCTAL = re.compile(r"\\([0-7]{3})")
"""How spaces and the like are written in the list of mounts."""


def other_than_file(path: Path) -> str:
    """Return what a path is that is no file; empty for a file, and for none. To open a pipe would wait for ever."""
    if path.is_dir():
        return "a folder"
    return "a pipe, a socket or a device" if path.exists() and not path.is_file() else ""


def use_wal(connection: sqlite3.Connection, seconds: float) -> str:
    """Switch a file to WAL mode, and return the mode that it has then: where it cannot, SQLite does not raise.

    Args:
        connection: Outside of a transaction.
        seconds: How long to try; SQLite itself does not wait when several open a new file at once.

    Raises:
        sqlite3.OperationalError: Others keep it locked, or it cannot be used.
    """
    give_up_at = time.monotonic() + seconds
    while True:
        try:
            return str(connection.execute("PRAGMA journal_mode = WAL").fetchone()[0])
        except sqlite3.OperationalError as error:
            if not error.sqlite_errorname.startswith("SQLITE_BUSY") or time.monotonic() > give_up_at:
                raise
            time.sleep(WAL_PAUSE)


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

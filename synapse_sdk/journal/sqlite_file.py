"""Opening the file of an SQLite journal: the one place that knows which files are fit for it, and which are not."""

import os
import sqlite3
from contextlib import suppress
from pathlib import Path

from synapse_sdk.database_files import (
    IDENTITY,
    file_system,
    is_shared_between_machines,
    lock_holder,
    other_than_file,
    use_wal,
)
from synapse_sdk.errors import (
    JournalBusyError,
    JournalCorruptedError,
    JournalError,
    JournalFullError,
    JournalVersionError,
)
from synapse_sdk.journal.sql import migrations, statements

__all__ = ["connect", "explained", "grow_ballast", "release_ballast"]

APPLICATION_ID = 0x53594E4A
"""Marks a database file as a journal of ours (`SYNJ`; SQLite keeps it in the file's header)."""
BUSY_SECONDS = 5.0
"""How long to wait for another process that writes."""
BALLAST_BYTES = 1 << 20
"""Kept free for the moment when the disk is full: the failure and the rollback have to be recorded, too."""


def connect(
    path: Path, *, synchronous: str, read_only: bool = False, network_is_fine: bool = False
) -> sqlite3.Connection:
    """Open a journal and make it if it is not there; one that only may be read is opened as it is.

    Raises:
        JournalError: The file, or its folder, cannot be used; the message says why and what to do.
        JournalBusyError: Another process has kept it locked for too long.
        JournalCorruptedError: It is not a journal, or is damaged.
        JournalVersionError: A newer version of this package has written it.
    """
    try:
        _refuse_what_is_no_file(path)
        kind = file_system(path)
        if not network_is_fine and is_shared_between_machines(kind):
            msg = f"The journal {str(path)!r} lies on a network file system ({kind})"
            why = "locks do not hold there, and two workers would destroy it"
            raise JournalError(msg, why=why, fix="Put it on a local disk, or use postgresql://", path=path)
        _refuse_emptied(path)
        return _open_for_reading(path) if read_only else _open(path, synchronous)
    except (sqlite3.Error, OSError) as error:
        raise explained(error, path) from error


def explained(error: Exception, path: Path) -> JournalError:
    """Return the error of ours that says what an error of SQLite or the system means for a journal."""
    name = getattr(error, "sqlite_errorname", "")
    why = str(error)
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        holder = lock_holder(path)
        who = f"process {holder}" if holder is not None else "another process"
        fix = f"Wait for {who} to finish, or end it"
        return JournalBusyError(f"The journal {str(path)!r} is locked by {who}", why=why, fix=fix, path=path)
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")) or "decode to UTF-8" in why:  # the driver's, without a name
        fix = f"Save what can be saved: synapse journal repair {path}"
        return JournalCorruptedError(f"The journal {str(path)!r} is damaged", why=why, fix=fix, path=path)
    if name == "SQLITE_FULL" or getattr(error, "errno", None) == 28:  # noqa: PLR2004  # ENOSPC
        fix = f"Free at least {BALLAST_BYTES:,} bytes on the disk of {path.parent}, then try again"
        return JournalFullError(f"The disk of the journal {str(path)!r} is full", why=why, fix=fix, path=path)
    fix = "Name another file (--journal FILE, SYNAPSE_JOURNAL), or run without (--no-journal)"
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")) or isinstance(error, PermissionError):
        return JournalError(f"The journal {str(path)!r} cannot be written", why=why, fix=fix, path=path)
    return JournalError(f"The journal {str(path)!r} cannot be used", why=why, fix=fix, path=path)


def grow_ballast(path: Path) -> None:
    """Set some space aside beside the journal, if there is enough; without it a full disk is only noticed sooner."""
    with suppress(OSError):
        descriptor = os.open(ballast(path), os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        try:
            if os.fstat(descriptor).st_size < BALLAST_BYTES and hasattr(os, "posix_fallocate"):
                os.posix_fallocate(descriptor, 0, BALLAST_BYTES)
        finally:
            os.close(descriptor)


def release_ballast(path: Path) -> bool:
    """Give the space back; whether there was any."""
    try:
        ballast(path).unlink()
    except OSError:
        return False
    return True


def ballast(path: Path) -> Path:
    """Return the file that keeps space free."""
    return path.with_name(path.name + ".ballast")


def _open(path: Path, synchronous: str) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=BUSY_SECONDS)
    try:
        _check(connection, path)  # before anything is changed in a database that is not ours
        _keep_in_wal(connection, path)
        connection.execute(f"PRAGMA synchronous = {synchronous}")
        _migrate(connection, path)
    except BaseException:
        connection.close()
        raise
    grow_ballast(path)
    return connection


def _keep_in_wal(connection: sqlite3.Connection, path: Path) -> None:
    mode = use_wal(connection, BUSY_SECONDS)
    if mode != "wal":
        msg = f"The journal {str(path)!r} cannot be kept in WAL mode; SQLite says {mode!r}"
        raise JournalError(msg, fix="Put it on a local disk (ext4, xfs, APFS)", path=path)


def _open_for_reading(path: Path) -> sqlite3.Connection:
    """Open without writing anything; in a folder that cannot be written, as a file that nobody changes."""
    if not path.exists():
        msg = f"There is no journal {str(path)!r}"
        raise JournalError(msg, fix="Name the one that is meant (--journal FILE, SYNAPSE_JOURNAL)", path=path)
    try:
        return _open_as(path, "mode=ro")
    except sqlite3.OperationalError as error:
        if not error.sqlite_errorname.startswith(("SQLITE_CANTOPEN", "SQLITE_READONLY")):
            raise
    return _open_as(path, "mode=ro&immutable=1")


def _open_as(path: Path, mode: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?{mode}",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        timeout=BUSY_SECONDS,
    )
    try:
        version = _check(connection, path)
    except BaseException:
        connection.close()
        raise
    if not version:
        connection.close()
        msg = f"The journal {str(path)!r} is empty"
        raise JournalError(msg, fix="Name the one that is meant (--journal FILE, SYNAPSE_JOURNAL)", path=path)
    return connection


def _check(connection: sqlite3.Connection, path: Path) -> int:
    """Return the version of the schema, 0 for a new file.

    Raises:
        JournalCorruptedError: The file is a database of somebody else.
        JournalVersionError: It is newer than this package.
    """
    tables, version, mark = connection.execute(IDENTITY).fetchone()
    if mark != APPLICATION_ID and (mark or version or tables):
        msg = f"{str(path)!r} is a database, and not a journal of runs"
        raise JournalCorruptedError(msg, fix="Name another file (--journal FILE, SYNAPSE_JOURNAL)", path=path)
    known = len(migrations("sqlite"))
    if version > known:
        msg = f"The journal {str(path)!r} was written by a newer version of synapse_sdk"
        why = f"its schema is {version}, and this version knows {known}"
        raise JournalVersionError(msg, why=why, fix="Upgrade synapse_sdk, or name another journal", path=path)
    return int(version)


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    scripts = migrations("sqlite")
    if _check(connection, path) == len(scripts):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        done = _check(connection, path)  # another process may have been faster
        for statement in (each for script in scripts[done:] for each in statements(script)):
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(scripts)}")
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _refuse_what_is_no_file(path: Path) -> None:
    """Refuse folders, and what is only called a file.

    Raises:
        JournalError: There is something else.
    """
    if found := other_than_file(path):
        fix = f"Name a file, such as {path / 'journal.db'}" if path.is_dir() else "Name a file"
        msg = f"The journal {str(path)!r} is {found}"
        raise JournalError(msg, fix=fix, path=path)


def _refuse_emptied(path: Path) -> None:
    """Refuse a file that has lost everything; one that is new has no ballast yet.

    Raises:
        JournalCorruptedError: It is empty, and was not always.
    """
    if ballast(path).exists() and path.is_file() and not path.stat().st_size:
        msg = f"The journal {str(path)!r} is empty, and once held runs"
        fix = f"Restore it from a copy; or remove {ballast(path).name} beside it to begin anew"
        raise JournalCorruptedError(msg, fix=fix, path=path)

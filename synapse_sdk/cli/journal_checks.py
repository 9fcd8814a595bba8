"""What `synapse doctor` looks at about the journal: where it is, whether it can be used, and who waits in it."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from synapse_sdk.cli.finding import LITTLE_SPACE, MEBIBYTE, NO_SPACE, Finding, Health
from synapse_sdk.cli.session import Session

__all__ = ["check_journal"]


def check_journal(session: Session) -> Iterator[Finding]:
    """Find out where runs are recorded, whether that can be written, and whether runs wait for somebody."""
    place, origin = session.journal, session.settings.origins["journal"]
    if place is None:
        fix = "Set journal to auto there: only recorded runs can be resumed"
        yield Finding("journal", Health.WARN, f"runs are not recorded ({origin})", fix)
        return
    from synapse_sdk.journal.open import sqlite_path  # noqa: PLC0415  # only the doctor asks

    path = sqlite_path(place)
    if path is not None and not path.exists():
        yield from _check_new(path)
        return
    yield from _check_present(place, path, session)


def _check_new(path: Path) -> Iterator[Finding]:
    """Find out whether a journal could be made."""
    folder = next(each for each in path.parents if each.exists())
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        fix = "Make the folder writable, or name another file (SYNAPSE_JOURNAL)"
        yield Finding("journal", Health.FAIL, f"{path} cannot be made in {folder}", fix)
        return
    yield Finding("journal", Health.OK, f"{path}, which the first run will make")
    yield from _check_space(folder)


def _check_present(place: str, path: Path | None, session: Session) -> Iterator[Finding]:
    """Find out how a journal is, by reading it; what is wrong with it is raised."""
    from synapse_sdk.journal import open_journal  # noqa: PLC0415  # as above
    from synapse_sdk.plugins.run_facts import is_interrupted  # noqa: PLC0415
    from synapse_sdk.reporting.text import plural  # noqa: PLC0415

    with open_journal(place, read_only=True) as journal:
        runs = journal.runs()
        shown = journal.url if path is None else str(path)
    if path is not None and not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)):
        fix = "Make the file and its folder writable, or name another file (SYNAPSE_JOURNAL)"
        yield Finding("journal", Health.FAIL, f"{shown} cannot be written", fix)
        return
    yield Finding("journal", Health.OK, f"{shown} with {plural(len(runs), 'run')}")
    if path is not None:
        yield from _check_file(path)
    waiting = [run for run in runs if is_interrupted(run)]
    if waiting:
        found = f"{plural(len(waiting), 'run')} lost {'its' if len(waiting) == 1 else 'their'} worker"
        fix = f"Resume or roll back: {session.command('runs', 'list', '--status', 'interrupted')}"
        yield Finding("runs", Health.WARN, found, fix)
    incomplete = [run for run in runs if run.status == "rollback_incomplete" and not run.is_owned]
    if incomplete:
        fix = f"Finish undoing: {session.command('runs', 'list', '--status', 'rollback_incomplete')}"
        yield Finding("runs", Health.WARN, f"{plural(len(incomplete), 'run')} left something behind", fix)


def _check_file(path: Path) -> Iterator[Finding]:
    """Find out what a file depends on: its file system, the mode of SQLite, space."""
    import sqlite3  # noqa: PLC0415  # as above
    from contextlib import closing  # noqa: PLC0415

    from synapse_sdk.database_files import file_system  # noqa: PLC0415

    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
    is_wal = mode == "wal"
    kind = file_system(path) or "of unknown kind"
    fix = None if is_wal else "Put it on a local disk (ext4, xfs, APFS); the next run switches to WAL"
    found = f"file system {kind}, SQLite {sqlite3.sqlite_version}, mode {str(mode).upper()}"
    yield Finding("journal file", Health.OK if is_wal else Health.WARN, found, fix)
    yield from _check_space(path.parent)


def _check_space(folder: Path) -> Iterator[Finding]:
    free = shutil.disk_usage(folder).free
    health = Health.FAIL if free < NO_SPACE else Health.WARN if free < LITTLE_SPACE else Health.OK
    fix = None if health is Health.OK else "Free some space, or keep the journal somewhere else (SYNAPSE_JOURNAL)"
    yield Finding("disk, journal", health, f"{free // MEBIBYTE:,} MiB free in {folder}", fix)

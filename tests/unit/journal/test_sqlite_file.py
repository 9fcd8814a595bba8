"""Which files a journal can be kept in, and what is said of the others."""

import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from synapse_sdk import database_files
from synapse_sdk.errors import (
    JournalBusyError,
    JournalCorruptedError,
    JournalError,
    JournalFullError,
    JournalVersionError,
)
from synapse_sdk.journal import Lease, RunId, SqliteJournal, open_journal, read_state, sqlite_file
from synapse_sdk.journal.sqlite_file import ballast
from tests.faults.disks import fill_up, small_disk
from tests.faults.privileges import obeying_permissions
from tests.unit.journal.samples import OWNER, SOURCE, append, fill

IS_ROOT = os.geteuid() == 0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the journal is, or will be."""
    return tmp_path / "journal.db"


def test_a_new_journal_is_made_with_its_folder(path: Path) -> None:
    """In WAL mode, and for its owner alone to keep space in."""
    deep = path.parent / "a" / "b" / "journal.db"

    with SqliteJournal(deep) as journal:
        assert journal.runs() == []

    assert ballast(deep).stat().st_size == 1 << 20
    assert sqlite3.connect(deep).execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_folder_is_no_journal(tmp_path: Path) -> None:
    """The error says what to name instead."""
    with pytest.raises(JournalError, match=r"is a folder.*journal\.db"):
        SqliteJournal(tmp_path)


def test_a_pipe_is_no_journal(tmp_path: Path) -> None:
    """Nobody waits for what will never come through it."""
    os.mkfifo(tmp_path / "pipe")

    for read_only in (False, True):
        with pytest.raises(JournalError, match="is a pipe, a socket or a device"):
            SqliteJournal(tmp_path / "pipe", read_only=read_only)


def test_a_file_system_between_machines_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Locks do not hold there; unless somebody says that it is fine."""
    mounts = path.parent / "mountinfo"
    place = str(path.parent.resolve()).replace(" ", r"\040")
    mounts.write_text(f"1 0 0:1 / / rw - ext4 disk rw\n2 1 0:2 / {place} rw,relatime shared:1 - nfs4 server:/x rw\n")
    monkeypatch.setattr(database_files, "MOUNTS", mounts)

    with pytest.raises(JournalError, match=r"network file system \(nfs4\)"):
        SqliteJournal(path)
    SqliteJournal(path, network_is_fine=True).close()


def test_a_mount_whose_name_has_spaces_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system writes them as octal numbers."""
    folder = tmp_path / "a b é"
    folder.mkdir()
    mounts = tmp_path / "mountinfo"
    place = str(folder.resolve()).replace(" ", r"\040")
    mounts.write_text(f"1 0 0:1 / / rw - ext4 disk rw\n2 1 0:2 / {place} rw - cifs //server/x rw\n", encoding="utf-8")
    monkeypatch.setattr(database_files, "MOUNTS", mounts)

    with pytest.raises(JournalError, match="cifs"):
        SqliteJournal(folder / "journal.db")


@pytest.mark.parametrize("script", ["CREATE TABLE t (a)", "PRAGMA user_version = 7", "PRAGMA application_id = 7"])
@pytest.mark.parametrize("read_only", [True, False])
def test_a_database_of_somebody_else_is_left_alone(path: Path, script: str, *, read_only: bool) -> None:
    """Not one byte of it changes."""
    other = sqlite3.connect(path)
    other.execute(script)
    other.close()
    before = path.read_bytes()

    with pytest.raises(JournalCorruptedError, match="not a journal of runs"):
        SqliteJournal(path, read_only=read_only)

    assert path.read_bytes() == before
    assert sorted(each.name for each in path.parent.iterdir()) == [path.name]


def test_a_journal_of_a_newer_version_is_refused(path: Path) -> None:
    """For reading as well: it may mean something else."""
    fill(path, runs=1, frames=1)
    newer = sqlite3.connect(path)
    newer.execute("PRAGMA user_version = 99")
    newer.close()

    for read_only in (True, False):
        with pytest.raises(JournalVersionError, match="schema is 99"):
            SqliteJournal(path, read_only=read_only)


def test_looking_at_a_journal_makes_none(path: Path) -> None:
    """Neither a file nor a folder."""
    with pytest.raises(JournalError, match="There is no journal"):
        open_journal(path.parent / "a" / "journal.db", read_only=True)
    path.touch()
    with pytest.raises(JournalError, match="is empty"):
        open_journal(path, read_only=True)

    assert sorted(each.name for each in path.parent.iterdir()) == [path.name]


def test_looking_at_a_journal_changes_nothing(path: Path) -> None:
    """While somebody else writes, what they wrote is seen."""
    [name] = fill(path, runs=1, frames=1)
    with SqliteJournal(path) as writer, SqliteJournal(path, read_only=True) as reader:
        append(writer, Lease(run_id=RunId(name), owner=OWNER, token=1))

        assert reader.head(name) == writer.head(name)
        with pytest.raises(JournalError, match="cannot be written"):
            reader.create_run(RunId("b"), SOURCE)


READ_ONLY_FOLDER = """
import sys
from synapse_sdk.errors import JournalError
from synapse_sdk.journal import open_journal
with open_journal(sys.argv[1], read_only=True) as journal:
    print(len(journal.runs()), journal.head("000000000001")[0])
for path in sys.argv[1:]:
    try:
        open_journal(path)
    except JournalError as error:
        print(str(error).replace("\\n", " "))
"""


@pytest.mark.full
def test_a_journal_in_a_folder_that_is_read_only_can_be_read(path: Path) -> None:
    """And that it cannot be written is said in one line (F10)."""
    folder = path.parent / "shut"
    folder.mkdir()
    fill(folder / path.name, runs=1, frames=2)
    for each in folder.iterdir():
        each.chmod(0o444)
    folder.chmod(0o555)
    command = [*obeying_permissions(), sys.executable, "-c", READ_ONLY_FOLDER, str(folder / path.name)]
    try:
        done = subprocess.run(
            [*command, str(folder / "new.db")], capture_output=True, text=True, timeout=60, check=True
        )
    finally:
        folder.chmod(0o755)

    first, *refusals = done.stdout.splitlines()
    assert first == "1 2"
    assert len(refusals) == 2
    assert all("cannot be written" in line and "--no-journal" in line for line in refusals)


def _overwrite(path: Path, offset: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(data)


def _replace(path: Path, data: bytes) -> None:
    path.write_bytes(data)


DAMAGE: dict[str, Callable[[Path], None]] = {
    "garbage": lambda path: _replace(path, b"no database at all, by no means; " * 400),
    "first page": lambda path: _overwrite(path, 0, b"\xff" * 4096),
    "emptied": lambda path: _replace(path, b""),
    "truncated": lambda path: os.truncate(path, 4096 * 2 + 100),
    "header": lambda path: _overwrite(path, 100, b"\xff" * 8),
}
"""What is noticed as soon as the file is opened or read."""


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_journal_is_refused_with_a_way_out_and_kept(path: Path, kind: str) -> None:
    """It is not made anew, and not one byte of it is lost (F12)."""
    fill(path)
    DAMAGE[kind](path)
    before = path.read_bytes()

    with pytest.raises(JournalCorruptedError, match=r"synapse journal repair|Restore it from a copy"):
        _read_all(path)

    assert path.read_bytes() == before


def _read_all(path: Path) -> None:
    with SqliteJournal(path) as journal:
        for run in journal.runs():
            read_state(journal, run.id)


def test_a_flipped_byte_is_noticed_by_the_chain(path: Path) -> None:
    """SQLite itself does not see it (F12)."""
    fill(path)
    at = path.read_bytes().rindex(b"xxx")
    _overwrite(path, at, b"y")

    with pytest.raises(JournalCorruptedError):
        _read_all(path)
    with SqliteJournal(path) as journal:
        assert journal.problems() == []


def test_a_source_that_makes_no_sense_names_its_run(path: Path) -> None:
    """A list of runs does not end in a traceback."""
    [name] = fill(path, runs=1, frames=1)
    other = sqlite3.connect(path)
    other.execute("UPDATE run SET source = '{}'")
    other.commit()
    other.close()

    with SqliteJournal(path) as journal, pytest.raises(JournalCorruptedError, match=name):
        journal.runs()


LOCK = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.read()
"""


def test_who_keeps_a_journal_locked_is_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And once they are gone it can be used (F11)."""
    monkeypatch.setattr(sqlite_file, "BUSY_SECONDS", 0.1)
    with SqliteJournal(path) as journal:
        command = [sys.executable, "-c", LOCK, str(path)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
            assert holder.stdout is not None
            assert holder.stdin is not None
            assert holder.stdout.readline() == "locked\n"

            with pytest.raises(JournalBusyError) as caught:
                journal.create_run(RunId("a"), SOURCE)
            holder.stdin.close()
            assert holder.wait(timeout=30) == 0

        if sys.platform == "linux":
            assert f"process {holder.pid}" in str(caught.value)
        assert caught.value.transient
        journal.create_run(RunId("a"), SOURCE)


@pytest.mark.full
def test_on_a_full_disk_the_failure_can_still_be_recorded(tmp_path: Path) -> None:
    """What was set aside is given back for that (F7)."""
    with small_disk(tmp_path / "disk") as disk, SqliteJournal(disk / "journal.db") as journal:
        lease = journal.acquire_lease(journal.create_run(RunId("a"), SOURCE).id, OWNER)
        append(journal, lease)
        fill_up(disk)

        with pytest.raises(JournalFullError, match=r"disk of the journal.*is full.*1,048,576 bytes") as caught:
            append(journal, lease, count=100, padding=20_000)
        written = journal.head("a")[0]
        append(journal, lease)

        assert str(disk) in str(caught.value)
        assert journal.head("a")[0] == written + 1
        assert read_state(journal, "a").frames == written + 1


def test_a_transaction_that_an_interrupt_left_open_is_not_built_upon(path: Path) -> None:
    """Within it nothing would ever be committed."""
    with SqliteJournal(path) as journal, SqliteJournal(path, read_only=True) as other:
        lease = journal.acquire_lease(journal.create_run(RunId("a"), SOURCE).id, OWNER)
        for number in (1, 2):
            journal._connection.execute("BEGIN IMMEDIATE")  # noqa: SLF001  # the state in which an interrupt can leave it
            if number == 1:
                append(journal, lease)
            else:
                journal.renew_lease(lease, 90.0)

        assert other.head("a")[0] == 1
        assert other.run("a").lease_left > 60.0


def test_a_journal_that_could_not_be_reopened_is_used_again_once_it_can(path: Path) -> None:
    """What fails meanwhile is an error of ours."""
    with SqliteJournal(path) as journal:
        lease = journal.acquire_lease(journal.create_run(RunId("a"), SOURCE).id, OWNER)
        path.rename(path.with_suffix(".away"))
        path.mkdir()
        journal._connection.close()  # noqa: SLF001  # as after an error of the disk
        for act in (lambda: append(journal, lease), lambda: journal.release_lease(lease), lambda: journal.run("a")):
            with pytest.raises(JournalError):
                act()
        path.rmdir()
        path.with_suffix(".away").rename(path)
        with pytest.raises(JournalError):
            journal.run("a")

        append(journal, lease)

        assert journal.head("a")[0] == 1


def test_a_lease_from_before_the_machine_was_started_anew_is_void(path: Path) -> None:
    """The seconds of its clock begin at 0 again."""
    with SqliteJournal(path) as journal:
        journal.acquire_lease(journal.create_run(RunId("a"), SOURCE).id, OWNER)
        connection = sqlite3.connect(path)
        connection.execute("UPDATE run SET lease_at = lease_at + 1e6, lease_until = lease_until + 1e6")
        connection.commit()
        connection.close()

        assert journal.acquire_lease("a", OWNER).token == 2


def test_many_who_open_a_new_journal_at_once_make_one(path: Path) -> None:
    """The first makes the tables, and the others wait for it."""
    barrier, failures = threading.Barrier(6), []

    def open_it(number: int) -> None:
        barrier.wait(timeout=10)
        try:
            with SqliteJournal(path) as journal:
                journal.create_run(RunId(f"run-{number}"), SOURCE)
        except JournalError as error:
            failures.append(error)

    threads = [threading.Thread(target=open_it, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)

    assert list(map(str, failures)) == []
    with SqliteJournal(path) as journal:
        assert len(journal.runs()) == 6

"""Journals of earlier and of later versions (F38).

`fixtures/journal-1.db` was written by the first version that wrote journals: a run that died in its second step. It is
kept as it is; `python tests/faults/test_durable_upgrade.py NEW_FILE` makes one like it.
"""

import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from synapse_sdk.errors import JournalError
from synapse_sdk.journal import SqliteJournal, read_state
from synapse_sdk.plugins import resume_run, rollback_run
from synapse_sdk.plugins.action import BaseAction
from synapse_sdk.plugins.discovery import find_plugin

FIXTURES = Path(__file__).with_name("fixtures")
LEDGER = FIXTURES / "ledger"
RUN = "7f3a00112233"
DIES = """
import os, sys
from synapse_sdk.failpoints import Failpoints, install
from synapse_sdk.plugins import run_action
from synapse_sdk.plugins.discovery import find_plugin
os.chdir("/")
install(Failpoints("undo.recorded", 4))
action = find_plugin(sys.argv[1]).action_class("work")
run_action(action, {"folder": sys.argv[2]}, journal=sys.argv[3], job_id="7f3a00112233")
"""


def make(path: Path, folder: Path) -> None:
    """Write a journal with a run whose process dies before its last file but two."""
    arguments = [sys.executable, "-c", DIES, str(LEDGER), str(folder), str(path)]
    subprocess.run(arguments, check=False, timeout=60)
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("VACUUM")
    connection.close()


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """A copy of the first version's journal."""
    return Path(shutil.copy(FIXTURES / "journal-1.db", tmp_path / "journal.db"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of the run, as it was when its process died."""
    folder = tmp_path / "work"
    folder.mkdir()
    for name in ("first-0.txt", "first-1.txt", "second-0.txt"):
        (folder / name).write_text(name.partition("-")[0])
    return folder


@pytest.fixture
def work() -> type[BaseAction[object]]:
    """The action whose run it is."""
    return find_plugin(LEDGER).action_class("work")


def test_a_run_of_the_first_version_is_resumed(journal: Path, folder: Path, work: type[BaseAction[object]]) -> None:
    """By today's code, from where it was."""
    result = resume_run(RUN, journal=journal, action=work, params={"folder": str(folder)})

    assert sorted(set(result)) == sorted(path.name for path in folder.glob("*.txt"))
    assert len(set(result)) == 6
    assert (folder / "diary").read_text().splitlines() == ["run second", "run third"]


def test_a_run_of_the_first_version_is_undone(journal: Path, folder: Path, work: type[BaseAction[object]]) -> None:
    """By today's code."""
    run = rollback_run(RUN, journal=journal, action=work, params={"folder": str(folder)})

    assert run.status == "rolled_back"
    assert list(folder.glob("*.txt")) == []


def test_a_journal_of_the_first_version_is_read(journal: Path) -> None:
    """Also without being changed."""
    with SqliteJournal(journal, read_only=True) as opened:
        state = read_state(opened, RUN)

    assert (state.current, state.steps["second"].undo_log[-1]) == ("second", {"file": "second-1.txt"})


def test_a_journal_of_a_later_version_is_refused(journal: Path) -> None:
    """Nothing is written into what is not understood; the message says what to do."""
    connection = sqlite3.connect(journal)
    connection.execute("PRAGMA user_version = 999")
    connection.close()
    before = journal.read_bytes()

    with pytest.raises(JournalError, match=r"newer version"):
        SqliteJournal(journal)

    assert journal.read_bytes() == before


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as scratch:
        make(Path(sys.argv[1]), Path(scratch))

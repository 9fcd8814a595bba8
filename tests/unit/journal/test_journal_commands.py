"""`synapse journal`: check, dump and repair."""

import json
import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from synapse_sdk.cli.journal import journal
from synapse_sdk.cli.session import Session
from synapse_sdk.errors import JournalCorruptedError, JournalError
from tests.unit.journal.samples import fill


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The journal of a project, which is the current folder."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / ".synapse" / "journal.db"
    fill(path)
    return path


def synapse(*args: str) -> Result:
    """Run one command of the group."""
    return CliRunner().invoke(journal, args, obj=Session(args))


def damage(path: Path) -> None:
    """Change a frame behind the journal's back."""
    other = sqlite3.connect(path)
    other.executescript("UPDATE frame SET text = '[]' WHERE id = (2 << 32) + 7")
    other.close()


@pytest.mark.usefixtures("path")
def test_a_whole_journal_is_said_to_be_whole() -> None:
    """For people, and for programs."""
    assert "is whole (3 runs, 120 frames)" in synapse("check").stdout

    document = json.loads(synapse("check", "--json").stdout)
    assert (document["is_whole"], document["runs"], document["findings"]) == (True, 3, [])


def test_what_is_damaged_is_listed(path: Path) -> None:
    """And the exit code says so."""
    damage(path)

    people, programs = synapse("check"), synapse("check", "--json", "--journal", str(path))

    assert "run 000000000002, frame 7: it is missing or was changed" in people.stdout
    assert isinstance(people.exception, JournalCorruptedError)
    assert programs.exit_code != 0
    assert json.loads(programs.stdout)["findings"][0]["run"] == "000000000002"


def test_checking_makes_no_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is none."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".synapse").mkdir()

    assert isinstance(synapse("check").exception, JournalError)
    assert list((tmp_path / ".synapse").iterdir()) == []


@pytest.mark.usefixtures("path")
def test_a_dump_is_lines_of_json() -> None:
    """Of all runs, or of one."""
    assert len(list(map(json.loads, synapse("dump").stdout.splitlines()))) == 123
    assert len(list(map(json.loads, synapse("dump", "000000000002").stdout.splitlines()))) == 41


def test_repairing_writes_a_file_beside_the_damaged_one(path: Path) -> None:
    """And says what could not be saved."""
    damage(path)

    done = synapse("repair", str(path))

    assert done.exit_code == 0
    assert "run 000000000002: frame 7 is missing or was changed; 6 before it are whole" in done.stderr
    assert f"Saved 3 runs with 86 frames in {path.with_name('journal.repaired.db')}" in done.stdout
    assert isinstance(synapse("repair", str(path)).exception, JournalError)
    assert synapse("repair", str(path), "--to", str(path.with_name("other.db"))).exit_code == 0
